"""Language: every text of convlens in English or in Chinese as it is used in Taiwan.

An English text is its own identifier, as in gettext: `_("{path}: no image").format(path=path)`.
The catalogue `locale/zh_Hant_TW/LC_MESSAGES/convlens.po` has the Chinese one. A wheel holds it
compiled, too; a clone reads it as it is. `convlens.language_choice` chooses between the languages.
docs/decisions/language.md has the rules.
"""

import gettext
import re
import string
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from convlens.errors import ConfigError
from convlens.language_choice import ACCEPTED, choose, language, short_name
from convlens.po_file import read_po

CATALOGUE = Path(__file__).parent / "locale" / "zh_Hant_TW" / "LC_MESSAGES" / "convlens.po"

_HAN = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")  # with the wide punctuation


class Message(str):
    """A text in the language that was chosen when it was made; `again` gives it in another one.

    Attributes:
        template: The English text, or the pair of the singular and the plural.
        number: What chooses between the two, or None.
        fields: The values that `format` has put into the template, or None.
    """

    template: str | tuple[str, str]
    number: int | None
    fields: dict[str, Any] | None

    def format(self, *_: object, **fields: Any) -> "Message":
        """Return the text with the values of its named fields."""
        text = _spaced(self, fields) if _HAN.search(self) else str.format(self, **fields)
        return _message(text, self.template, self.number, fields)


def _spaced(template: str, fields: dict[str, Any]) -> str:
    """Return a Chinese template with its fields, without spaces between two Chinese characters.

    A template has a space around its fields, as they are names and numbers in most cases. A name
    that is Chinese itself stands without one, as Chinese is written.

    >>> _spaced("以 {images} 代替 {name}", {"images": "貓狗", "name": "mnist"})
    '以貓狗代替 mnist'
    """
    text = ""
    for literal, name, form, conversion in string.Formatter().parse(template):
        if text and literal.startswith(" ") and _HAN.match(text[-1]) and _HAN.match(literal, 1):
            literal = literal[1:]
        value = ""
        if name is not None:
            conversion = f"!{conversion}" if conversion else ""
            form = f":{form}" if form else ""
            value = f"{{{name}{conversion}{form}}}".format(**fields)
        if literal.endswith(" ") and _HAN.match(literal[-2:]) and _HAN.match(value):
            literal = literal[:-1]
        text += literal + value
    return text


def _message(
    text: str,
    template: str | tuple[str, str],
    number: int | None = None,
    fields: dict[str, Any] | None = None,
) -> Message:
    message = Message(text)
    message.template = template
    message.number = number
    message.fields = fields
    return message


def _(template: str) -> Message:
    """Return a text in the chosen language."""
    # The catalogue has its head under the empty text.
    text = _translations(language()).gettext(template) if template else ""
    return _message(text, template)


def ngettext(singular: str, plural: str, count: int) -> Message:
    """Return one of two texts in the chosen language, which depends on a number."""
    text = _translations(language()).ngettext(singular, plural, count)
    return _message(text, (singular, plural), count)


def N_(template: str) -> str:  # noqa: N802 - the name that gettext gives to it
    """Return a text as it is; it marks a text that is translated later, where it is used."""
    return template


def sentences(*texts: str) -> str:
    """Return sentences one after the other, as the language writes them; empty ones are left out.

    >>> sentences("There is no such file.", "", "Did you mean a.png?")
    'There is no such file. Did you mean a.png?'
    """
    return _joined(N_("{said} {other}"), filter(None, texts))


def listed(texts: Iterable[str]) -> str:
    """Return texts as a list.

    >>> listed(["a", "b", "c"])
    'a, b, c'
    """
    return _joined(N_("{said}, {other}"), texts)


def all_of(texts: Iterable[str]) -> str:
    """Return texts that hold together.

    >>> all_of(["train", "val", "test"])
    'train, val and test'
    """
    *first, last = [*texts] or [""]
    return _joined(N_("{said} and {other}"), filter(None, (listed(first), last)))


def one_of(texts: Iterable[str]) -> str:
    """Return texts of which one holds.

    >>> one_of(["train", "val", "test"])
    'train, val or test'
    """
    *first, last = [*texts] or [""]
    return _joined(N_("{said} or {other}"), filter(None, (listed(first), last)))


def _joined(template: str, texts: Iterable[str]) -> str:
    """Return texts joined by a template so that `again` still translates each of them."""
    said = [*texts]
    if len(said) < 2:
        return said[0] if said else ""
    # By halves, so that the text of a thousand names is not a thousand texts deep.
    middle = len(said) // 2
    begin = _joined(template, said[:middle])
    return _(template).format(said=begin, other=_joined(template, said[middle:]))


def again(value: Any) -> Any:
    """Return a text in the language that is chosen now; other values, and texts of users, stay.

    Args:
        value: A text, or lists, tuples and dictionaries of texts and other values.

    >>> from convlens.language_choice import using
    >>> with using("zh"):
    ...     text = _("the language must be one of {known}; found {found!r}.")
    ...     said = text.format(known="en, zh", found="fr")
    >>> with using("en"):
    ...     again(said)
    "the language must be one of en, zh; found 'fr'."
    """
    if isinstance(value, Message):
        if isinstance(value.template, tuple):
            text = ngettext(*value.template, value.number or 0)
        else:
            text = _(value.template)
        return text if value.fields is None else text.format(**again(value.fields))
    if type(value) in (list, tuple):
        return type(value)(again(one) for one in value)
    if type(value) is dict:
        return {name: again(one) for name, one in value.items()}
    return value


def recorded(value: Any) -> Any:
    """Return a text as JSON can hold it, so that `recalled` gives it in any language.

    Args:
        value: A text. Texts of users, numbers and lists of them stay as they are; what JSON cannot
            hold, such as a path, becomes a text.
    """
    if isinstance(value, Message):
        fields = value.fields and {name: recorded(one) for name, one in value.fields.items()}
        return {"template": value.template, "number": value.number, "fields": fields}
    value = value.tolist() if hasattr(value, "tolist") else value  # a number or an array of NumPy
    if isinstance(value, list | tuple):
        return [recorded(one) for one in value]
    return value if isinstance(value, str | int | float | None) else str(value)


def recalled(value: Any) -> Any:
    """Return a text that `recorded` has given, in the language that is chosen now.

    >>> from convlens.language_choice import using
    >>> with using("zh"):
    ...     said = recorded(listed(["a", ngettext("{n} layer", "{n} layers", 2).format(n=2)]))
    >>> with using("en"):
    ...     recalled(said)
    'a, 2 layers'
    """
    if isinstance(value, list):
        return [recalled(one) for one in value]
    if not isinstance(value, dict):
        return value
    template = value["template"]
    fields = value["fields"] and {name: recalled(one) for name, one in value["fields"].items()}
    kept = template if isinstance(template, str) else tuple(template)
    return again(_message("", kept, value["number"], fields))


def set_language(language: str) -> None:
    """Choose the language of all texts that are made from now on.

    The processes and threads that are started later follow. A server that answers each request in
    the language of its reader takes `using`.

    Args:
        language: "en", or "zh" for Chinese as it is used in Taiwan; also a name such as zh_TW.

    Raises:
        ConfigError: If the language is another one.
    """
    choose(known_language(language))


def known_language(language: str) -> str:
    """Return "en" or "zh" for a language or the name of a locale.

    Raises:
        ConfigError: If the language is another one.
    """
    try:
        return short_name(language)
    except LookupError:
        raise ConfigError(
            _("the language must be one of {known}; found {found!r}.").format(
                known=listed(ACCEPTED), found=language
            )
        ) from None


@cache
def _translations(language: str) -> gettext.NullTranslations:
    """Return the texts of a language."""
    if language == "en":
        return gettext.NullTranslations()
    compiled = CATALOGUE.with_suffix(".mo")
    if compiled.exists():
        with compiled.open("rb") as file:
            return gettext.GNUTranslations(file)
    return read_po(CATALOGUE)
