r"""Text: what a file, a page, a chart or a terminal can hold of any name.

Python keeps a file name that is not UTF-8 with a lone surrogate for each byte that does not fit
(PEP 383). Such a name opens its file, but it cannot be encoded. Names are therefore kept as Python
gives them wherever files are opened, and everything that is written or shown has the surrogate as
the six characters that `ascii` gives, such as \udcf6 for the byte F6. JSON reads them as the
surrogate again; elsewhere `original` turns them back. docs/decisions/text.md says why.
"""

import codecs
import contextlib
import io
import re
import sys

ESCAPE = "backslashreplace"  # how files and JSON have a surrogate
SURROGATE = re.compile(r"\\u(dc[89a-f][0-9a-f])")
REPLACE = "convlens"  # the name of `_replace` as an error handler
# What is printed where the encoding of the terminal lacks a sign; "?" stands for all others.
PLAIN_SIGNS = {
    ord(sign): plain for sign, plain in zip("×−–—∗·≈→²│─├└⌊⌋⌈⌉…", "x---*.~>2|-|`[][].", strict=True)
}
PLAIN_SIGNS |= {ord("\N{NO-BREAK SPACE}"): " ", ord("½"): "1/2", ord("√"): "sqrt"}


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


def original(text: str) -> str:
    r"""Return the name that `printable` gave as text.

    >>> original("gr\\udcf6\\udcdfe.png") == "gr\udcf6\udcdfe.png"
    True
    """
    return SURROGATE.sub(lambda match: chr(int(match[1], 16)), text)


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
