"""Mistakes: what is said about words of the command line of which cyclopts can make no sense.

cyclopts has English messages only. Each of its errors is described here by the facts it carries.
"""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from itertools import chain, pairwise
from typing import Any, Literal, get_args, get_origin

from cyclopts import (
    ArgumentOrderError,
    CoercionError,
    ConsumeMultipleError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)
from cyclopts.argument import Argument

from convlens.errors import ConfigError
from convlens.language import N_, _, listed, ngettext
from convlens.setting import WRONG_TYPES

# By the type that a value must have.
WRONG_VALUES = WRONG_TYPES | {
    bool: N_("{name} is switched on or off without a value; found {value!r}."),
}


def refuse_empty(words: Sequence[str]) -> None:
    """Refuse an empty name, path or value, as a variable of the shell gives it that is not set.

    Otherwise an empty path would stand for the current folder, and an empty name for `runs`.

    Raises:
        ConfigError: If there is one.
    """
    for before, word in pairwise(["convlens", *words]):
        is_flag_without_value = (
            word.startswith("--") and word.endswith("=") and word.count("=") == 1
        )
        if word == "" or is_flag_without_value:
            raise ConfigError(
                _(
                    "a name, a path and a value need at least one character; found an empty one "
                    "after {before}. If a variable of the shell stands there, it is not set."
                ).format(before=word or before)
            )


def describe(error: CycloptsError) -> str:
    """Return one line that says what is wrong, and which help to read.

    Args:
        error: The error. Those that no word of a user causes are left to cyclopts.
    """
    words = ["convlens", *(error.command_chain or ())]
    if isinstance(error, UnknownCommandError) and error.app is not None:
        words = list(dict.fromkeys(["convlens", *error.app.name]))
    error.verbose = False
    said = next((said for kind, said in DESCRIPTIONS.items() if isinstance(error, kind)), str)
    text = " ".join(said(error).split())
    return _("{text} ({command} --help)").format(text=text, command=" ".join(words))


def _unknown_command(error: UnknownCommandError) -> str:
    word = (error.unused_tokens or [""])[0]
    known = [name for name in error.app or () if not name.startswith("-")]
    if word.startswith("-"):
        return _("there is no option {word}.").format(word=word)
    near = get_close_matches(word, known, n=1)
    if near:
        return _("there is no command {word!r}; did you mean {near}?").format(
            word=word, near=near[0]
        )
    return _("there is no command {word!r}; known: {names}.").format(word=word, names=listed(known))


def _unknown_option(error: UnknownOptionError) -> str:
    word = error.token.keyword or error.token.value
    known = chain.from_iterable(one.names for one in error.argument_collection if one.parse)
    near = get_close_matches(word, [*known], n=1)
    if near:
        return _("there is no option {word}; did you mean {near}?").format(word=word, near=near[0])
    return _("there is no option {word}.").format(word=word)


def _wrong_value(error: CoercionError) -> str:
    if error.token is None or error.target_type is None:
        return str(error)
    name = error.token.keyword or _spell(error.argument)
    choices = get_args(error.target_type)
    if get_origin(error.target_type) is Literal:
        return _("{flag} must be one of {choices}; found {value!r}.").format(
            flag=name, choices=listed(map(str, choices)), value=error.token.value
        )
    message = WRONG_VALUES.get(error.target_type, N_("{name} cannot be {value!r}."))
    return _(message).format(name=name, value=error.token.value)


def _unused_words(error: UnusedCliTokensError) -> str:
    words = error.unused_tokens or []
    return ngettext(
        "the command takes no further word; found {words}.",
        "the command takes no further words; found {words}.",
        len(words),
    ).format(words=" ".join(map(repr, words)))


def _missing(error: MissingArgumentError) -> str:
    used = [token.keyword for token in error.argument.tokens] if error.argument else []
    flag = error.keyword or next(filter(None, reversed(used)), None)
    if flag:
        word = _after(flag, error.root_input_tokens or [])
        if word.startswith("-") and not word.startswith("--"):
            return _(
                "{flag} needs a value; found {word!r}, which is read as an option as it begins "
                "with a dash. If it is the value, write {flag}={word}."
            ).format(flag=flag, word=word)
        return _("{flag} needs a value.").format(flag=flag)
    return _("{name} is missing.").format(name=_spell(error.argument))


def _after(flag: str, words: Sequence[str]) -> str:
    """Return the word that follows a flag where it was last given, or nothing."""
    return next((word for before, word in reversed([*pairwise(words)]) if before == flag), "")


def _wrong_number(error: ConsumeMultipleError) -> str:
    flag = error.keyword or _spell(error.argument)
    least, most, count = error.min_required, error.max_allowed, error.actual_count
    if count < least:
        return ngettext(
            "{flag} needs at least {least} value; found {count}.",
            "{flag} needs at least {least} values; found {count}.",
            least,
        ).format(flag=flag, least=least, count=count)
    return ngettext(
        "{flag} takes at most {most} value; found {count}.",
        "{flag} takes at most {most} values; found {count}.",
        most or 0,
    ).format(flag=flag, most=most, count=count)


def _repeated(error: RepeatArgumentError) -> str:
    return _("{flag} must be given once; found it several times.").format(flag=error.token.keyword)


def _wrong_order(error: ArgumentOrderError) -> str:
    named = error.prior_positional_or_keyword_supplied_as_keyword_arguments
    return _("{flags} is given by its flag, so {word!r} must be, too: {flag} {word}.").format(
        flags=listed(one.name for one in named),
        word=error.token,
        flag=error.argument.name if error.argument else "",
    )


def _spell(argument: Argument | None) -> str:
    """Return the name of an argument as the help has it: RUN by its place, --epochs by its flag."""
    if argument is None:
        return ""
    return argument.name.lstrip("-").upper() if argument.index is not None else argument.name


# The first that fits is used, so that a subclass stands before its base.
DESCRIPTIONS: dict[type[CycloptsError], Callable[[Any], str]] = {
    UnknownCommandError: _unknown_command,
    UnknownOptionError: _unknown_option,
    CoercionError: _wrong_value,
    UnusedCliTokensError: _unused_words,
    ConsumeMultipleError: _wrong_number,
    MissingArgumentError: _missing,
    RepeatArgumentError: _repeated,
    ArgumentOrderError: _wrong_order,
}
