"""Encoding: read a table as text, in whichever encoding a spreadsheet saved it.

UTF-8 and UTF-16 are certain. Other encodings can be told only by what they make of the bytes, so
each of them is a reading with a likelihood.
"""

import codecs
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from convlens.language import N_

# Characters that Western texts have beside letters, and that Chinese texts do not turn into.
WESTERN_MARKS = "‘’“”–—…€"
WORD = re.compile(rf"[^\W\d_{WESTERN_MARKS}]+")


@dataclass(frozen=True)
class Reading:
    """A text as one encoding reads it.

    Attributes:
        text: The text.
        encoding: Python's name of the encoding.
        name: Its usual name, which is translated where it is shown.
        likelihood: 0 to 1, how much the text looks like one that is written in this encoding.
    """

    text: str
    encoding: str
    name: str
    likelihood: float = 1.0


def readings(data: bytes) -> list[Reading]:
    """Return what the bytes can mean: a single reading if they are Unicode, or one per encoding.

    There is none for damaged Unicode, as where rows of two encodings were joined.
    """
    unicode = _unicode_encoding(data)
    with suppress(UnicodeDecodeError):
        return [Reading(data.decode(unicode), unicode, unicode.upper())]
    readable = data.decode(unicode, "replace")
    damaged = readable.count("\ufffd")
    if sum(not character.isascii() for character in readable) > 2 * damaged:
        return []
    found = []
    for encoding, (name, likelihood) in ENCODINGS.items():
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            found.append(Reading(text, encoding, name, likelihood(text)))
    return found


def _unicode_encoding(data: bytes) -> str:
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    # Every other byte of the ASCII characters in UTF-16 is zero.
    zeros = [data[place:1000:2].count(0) for place in (0, 1)]
    if max(zeros) > len(data[:1000]) // 4:
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    return "utf-8-sig"


def _big5_likelihood(text: str) -> float:
    return _chinese_likelihood(text, "cp950", lambda code: 0xA1 <= code[0] <= 0xC6)


def _gb_likelihood(text: str) -> float:
    return _chinese_likelihood(
        text,
        "gb18030",
        lambda code: code[1] >= 0xA1 and (code[0] <= 0xA3 or 0xB0 <= code[0] <= 0xD7),
    )


def _chinese_likelihood(text: str, encoding: str, is_common: Callable[[bytes], bool]) -> float:
    """Return the share of the characters that are common, halved if letters are mixed in.

    Big5 and GB 2312 keep the characters that are in common use apart from the others. Bytes of
    another encoding become rare ones, and touch the letters beside them.
    """
    characters = [character for character in text if not character.isascii()]
    common = [is_common(character.encode(encoding)) for character in characters]
    mixed = re.search(r"[a-z][^\x00-\x7f]|[^\x00-\x7f][a-z]", text)
    return sum(common) / max(1, len(common)) * (0.5 if mixed else 1.0)


def _western_likelihood(text: str) -> float:
    """Return the share of the characters beyond ASCII that are letters inside a word."""
    beyond = [character for character in text if not character.isascii()]
    likely = sum(character in WESTERN_MARKS for character in beyond)
    for word in WORD.findall(text):
        accented = re.findall(r"[^\x00-\x7f]+", word)
        if len(word) == 1 or (word not in accented and max(map(len, accented), default=0) <= 2):
            likely += len("".join(accented))
    return likely / max(1, len(beyond))


def _no_likelihood(_text: str) -> float:
    """Return 0: the encoding is believed only if the names on the disk show it."""
    return 0.0


# In this order they are preferred where they are equally likely.
ENCODINGS: dict[str, tuple[str, Callable[[str], float]]] = {
    "cp950": ("Big5 (cp950)", _big5_likelihood),
    "gb18030": ("GB18030", _gb_likelihood),
    "cp1252": (N_("Western (Windows-1252)"), _western_likelihood),
    "cp1250": (N_("Central European (Windows-1250)"), _no_likelihood),
    "cp1251": (N_("Cyrillic (Windows-1251)"), _no_likelihood),
    "cp932": (N_("Japanese (cp932)"), _no_likelihood),
    "cp949": (N_("Korean (cp949)"), _no_likelihood),
}
