r"""Text: what a file, a page, a chart or a terminal can hold of any name.

Python keeps a file name that is not UTF-8 with a lone surrogate for each byte that does not fit
(PEP 383). Such a name opens its file, but it cannot be encoded. Names are therefore kept as Python
gives them wherever files are opened, and everything that is written or shown has the surrogate as
the six characters that `ascii` gives, such as \udcf6 for the byte F6. JSON reads them as the
surrogate again; elsewhere `original` turns them back. A name that a spreadsheet would compute as a
formula has an apostrophe before it in tables, see `as_cell`. docs/decisions/text.md says why.
"""

import codecs
import contextlib
import io
import re
import sys
from itertools import pairwise

from rich.cells import cell_len

ESCAPE = "backslashreplace"  # how files and JSON have a surrogate
# What a spreadsheet computes as a formula; one sign alone, and a number, it shows as it is.
FORMULA = re.compile(r"'*[-=+@＝＋－＠\t\r\n].", re.DOTALL)
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
SURROGATE = re.compile(r"\\u(dc[89a-f][0-9a-f])")
BREAK = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")
REPLACE = "convlens"  # the name of `_replace` as an error handler
# What is printed where the encoding of the terminal lacks a sign; "?" stands for all others.
PLAIN_SIGNS = {
    ord(sign): plain for sign, plain in zip("×−–—∗·≈→²│─├└⌊⌋⌈⌉…", "x---*.~>2|-|`[][].", strict=True)
}
PLAIN_SIGNS |= {ord("\N{NO-BREAK SPACE}"): " ", ord("½"): "1/2", ord("√"): "sqrt"}
# A line may end after each part: after a blank, and between Chinese characters, but no line begins
# with a closing sign or ends with an opening one.
OPENING = "「『（《〈【"
CLOSING = "，。：；、！？）」』》〉】…"
CHINESE = "\u2e80-\u3000\u3003-\u3007\u3012-\u9fff\uf900-\ufaff\uff00-\uff60"
PART = re.compile(
    rf"(?:[{OPENING}]|[(\[](?=[{CHINESE}]))*"
    rf"(?:(?![{CLOSING}])[{CHINESE}]|[^\s{CHINESE}{OPENING}{CLOSING}]+)?[{CLOSING})\]]*\s*"
)


def printable(name: object, encoding: str = "utf-8") -> str:
    r"""Return a name as text that can be encoded.

    >>> printable("gr\udcf6\udcdfe.png"), printable("größe.png"), printable("größe", "ascii")
    ('gr\\udcf6\\udcdfe.png', 'größe.png', 'gr\\xf6\\xdfe')
    """
    text = str(name)
    with contextlib.suppress(UnicodeEncodeError):
        # In a locale without UTF-8, the bytes of ö in a file name are two surrogates.
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    return text.encode(encoding, ESCAPE).decode(encoding)


def multiple(times: float) -> str:
    """Return how many times as large a number is as another one.

    >>> multiple(2.345), multiple(9.97), multiple(49.7), multiple(5e11)
    ('2.3', '10', '50', '500,000,000,000')
    """
    return f"{times:,.0f}" if round(times, 1) >= 10 else f"{times:.1f}"


def in_line(text: str) -> str:
    r"""Return a text in one line: the line breaks of a file name are written as ``\n``.

    >>> in_line("two\nlines.png")
    'two\\nlines.png'
    """
    return BREAK.sub(lambda match: ascii(match[0])[1:-1], text)


def original(text: str) -> str:
    r"""Return the name that `printable` gave as text.

    >>> original("gr\\udcf6\\udcdfe.png") == "gr\udcf6\udcdfe.png"
    True
    """
    return SURROGATE.sub(lambda match: chr(int(match[1], 16)), text)


def as_cell(text: str) -> str:
    """Return a text as a cell of a table, with an apostrophe where a spreadsheet would compute it.

    >>> [as_cell(text) for text in ("cat", "-5", "+", "=cmd|x", "'=cmd|x")]
    ['cat', '-5', '+', "'=cmd|x", "''=cmd|x"]
    """
    is_formula = FORMULA.match(text) and not NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


def of_cell(cell: str) -> str:
    """Return the text that `as_cell` gave as a cell.

    >>> of_cell("'=cmd|x"), of_cell("'quoted'")
    ('=cmd|x', "'quoted'")
    """
    return cell[1:] if cell.startswith("'") and as_cell(cell[1:]) == cell else cell


def make_output_lenient() -> None:
    """Let the standard streams replace what their encoding lacks, instead of raising an error.

    A way of replacing that the user chose (PYTHONIOENCODING=ascii:xmlcharrefreplace) stays.
    """
    codecs.register_error(REPLACE, _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors=REPLACE)


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Return what is printed instead of characters that cannot be encoded, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end].translate(PLAIN_SIGNS)
    is_name = any("\ud800" <= character <= "\udfff" for character in found)
    return found.encode("ascii", ESCAPE if is_name else "replace").decode(), error.end


def line_starts(text: str, width: int) -> list[int]:
    """Return where the lines after the first begin if a text is wrapped to a width.

    Args:
        text: The text, without line breaks.
        width: The cells of a line. A Chinese character takes two of them.

    >>> line_starts("one two three", 8), line_starts("共 5 張影像，", 8)
    ([8], [5])
    """
    starts = []
    used = 0
    for match in PART.finditer(text):
        needed = cell_len(match[0].rstrip())
        if used and used + needed > width:
            starts.append(match.start())
            used = 0
        if needed > width:  # a word that fills more than a line is cut
            line = match.start()
            for place, character in enumerate(match[0], line):
                if used and used + cell_len(character) > width and not character.isspace():
                    line = _with_closing_signs(text, line, place, width)
                    starts.append(line)
                    used = cell_len(text[line:place])
                used += cell_len(character)
        else:
            used += cell_len(match[0])
    return starts


def _with_closing_signs(text: str, line: int, place: int, width: int) -> int:
    """Return where a word is cut that fills a line, so that the next begins with no closing sign.

    Args:
        text: The text.
        line: Where the line begins.
        place: Where the line is full.
        width: The cells of a line.
    """
    begin = place
    while text[begin] in CLOSING and begin > line + 1:
        begin -= 1
    return begin if cell_len(text[begin : place + 1]) <= width else place


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text that is wrapped to a width; see `line_starts`.

    >>> wrapped("one two three", 8)
    ['one two', 'three']
    """
    places = [0, *line_starts(text, width), len(text)]
    return [text[start:end].rstrip() for start, end in pairwise(places)]
