"""Language choice: in which language texts are made, by what a program or the environment says."""

import contextlib
import locale
import os
from collections.abc import Iterator
from contextvars import ContextVar

TAGS = {"en": "en", "zh": "zh-Hant-TW"}  # the languages, and how HTML names them
# Names of languages and locales that are taken; so is any other region or script of a language.
ACCEPTED = ("en", "en-US", "en_US", "zh", "zh-TW", "zh_TW", "zh-Hant-TW")
VARIABLE = "CONVLENS_LANG"

_chosen: ContextVar[str | None] = ContextVar("language", default=None)


def choose(language: str) -> None:
    """Choose the language of this context, and of all threads and processes that begin later."""
    _chosen.set(short_name(language))
    # Jupyter runs each cell in a context of its own, and threads begin with an empty one.
    os.environ[VARIABLE] = short_name(language)


def speak(language: str) -> None:
    """Choose the language of this thread alone: the initializer of a pool of threads.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with using("zh"), ThreadPoolExecutor(initializer=speak, initargs=(language(),)) as pool:
    ...     pool.submit(language).result()
    'zh'
    """
    _chosen.set(short_name(language))


@contextlib.contextmanager
def using(language: str) -> Iterator[None]:
    """Choose the language of the texts that are made within the context."""
    token = _chosen.set(short_name(language))
    try:
        yield
    finally:
        _chosen.reset(token)


def language() -> str:
    """Return the chosen language, "en" or "zh".

    It is that of `set_language`, or else of the variable CONVLENS_LANG, or else of the locale, and
    otherwise English.
    """
    return _chosen.get() or _of_environment()


def short_name(language: str) -> str:
    """Return "en" or "zh" for a language or the name of a locale, such as zh_TW.

    Raises:
        LookupError: If the language is another one; `convlens.language.known_language` says so to
            users.
    """
    short = language.replace("-", "_").split("_")[0].lower()
    if short not in TAGS:
        raise LookupError(language)
    return short


def _of_environment() -> str:
    """Return the language that the environment names, or English."""
    named = os.environ.get(VARIABLE) or _of_locale()
    return next((known for known in TAGS if named.lower().startswith(known)), "en")


def _of_locale() -> str:
    """Return the name of the locale, as zh_TW.UTF-8, by the rules of GNU gettext."""
    variables = ("LC_ALL", "LC_MESSAGES", "LANG")
    # Windows has no such variables. Its locales are named as in Chinese (Traditional)_Taiwan.
    name = next(filter(None, map(os.environ.get, variables)), locale.getlocale()[0] or "")
    if name.split(".")[0] in ("", "C", "POSIX"):
        return "en"
    return (os.environ.get("LANGUAGE") or name).replace("Chinese", "zh")
