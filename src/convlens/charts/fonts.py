"""Fonts that contain the glyphs of the class names, whatever their script.

Noto Sans CJK TC comes with the package `cvttf-notosanscjk-regular` (SIL Open Font License 1.1).
After it come the fonts of matplotlib, and then those that are installed on the computer.
"""

import importlib.util
import io
import warnings
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

from matplotlib import font_manager

from convlens.language import _
from convlens.reasons import system_reason
from convlens.text import printable

# The preferred ones of the installed families, as they are called on Linux, Windows and macOS.
PREFERRED = (
    "Noto Sans CJK TC",  # not translated: a name
    "Noto Sans TC",  # not translated: a name
    "Source Han Sans TC",  # not translated: a name
    "Microsoft JhengHei",  # not translated: a name
    "PingFang TC",  # not translated: a name
    "WenQuanYi Zen Hei",  # not translated: a name
)
VERTICAL_OR_LAYOUT = ("GSUB", "GPOS", "BASE", "VORG", "vhea", "vmtx")  # tables of a font


@cache
def packaged_font() -> Path | None:
    """Return the file of Noto Sans CJK TC Regular, or None if it is not installed or damaged."""
    spec = importlib.util.find_spec("cvttf_NotoSansCJK_Regular")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).with_name("NotoSansCJKtc-Regular.otf")
    return path if _is_whole(str(path)) else None


@cache
def _is_whole(path: str) -> bool:
    """Return whether a font can be opened; a warning names one that is there and cannot."""
    try:
        font_manager.get_font(path)
    except FileNotFoundError:  # It was uninstalled after matplotlib had written its list.
        return False
    except (OSError, RuntimeError) as error:
        warnings.warn(
            _(
                "{path}: the font cannot be read ({reason}); others are used. Install it again, or "
                "give yourself the right to read it."
            ).format(path=path, reason=system_reason(error)),
            stacklevel=2,
        )
        return False
    return True


def drawable(texts: Iterable[str]) -> list[str]:
    """Return `texts` on one line each, with "?" for each character that no font can draw.

    A warning names the characters that were replaced.
    """
    names = [" ".join(printable(text).split()) for text in texts]
    missing = find_fonts(names)[1]
    if missing:
        warnings.warn(
            _(
                "No available font contains the characters {characters}; '?' is drawn instead. "
                "Install a font that contains them (on Debian, for Chinese: fonts-noto-cjk)."
            ).format(characters=" ".join(sorted(missing))),
            stacklevel=2,
        )
    return [name.translate({ord(character): "?" for character in missing}) for name in names]


def subset_font(texts: Iterable[str]) -> bytes | None:
    """Return a WOFF file with the Chinese, Japanese and Korean characters of `texts`.

    Only the packaged font is copied, since its licence permits it. The result is None if there are
    no such characters or if the font is not installed.
    """
    path = packaged_font()
    if path is None:
        return None
    wanted = {ord(one) for one in set().union(*texts) if one >= "\u2e80" and _has(str(path), one)}
    return _subset(path, frozenset(wanted)) if wanted else None


@lru_cache(maxsize=8)
def _subset(path: Path, wanted: frozenset[int]) -> bytes:
    """Return the WOFF file. It takes a second to make, and the pages of a study need the same."""
    from fontTools import subset, ttLib

    options = subset.Options(
        layout_features=[], name_IDs=[0, 1, 2, 13, 14], flavor="woff", hinting=False
    )
    # A page is written in rows from left to right.
    options.drop_tables = [*options.drop_tables, *VERTICAL_OR_LAYOUT]
    file = io.BytesIO()
    # With the time of the copy, the same page would differ from run to run. The box around all
    # glyphs of the font holds those of the copy, too.
    with ttLib.TTFont(path, lazy=True, recalcTimestamp=False, recalcBBoxes=False) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=wanted)
        subsetter.subset(font)
        font.flavor = "woff"
        font.save(file)
    return file.getvalue()


def find_fonts(texts: Iterable[str]) -> tuple[list[str], set[str]]:
    """Return the families to draw `texts` with, and the characters that no available font contains.

    The families are meant for matplotlib's `font.family`.
    """
    characters = {character for text in texts for character in text}
    missing = {one for one in characters if one.isprintable() and one != " "}
    families: list[str] = []
    for family, path in _fonts():
        covered = {character for character in missing if _has(path, character)}
        # The first two families draw the digits and signs of every chart.
        if covered or len(families) < 2:
            families.append(family)
        missing -= covered
        if not missing and len(families) >= 2:
            break
    return families, missing


def _has(path: str, character: str) -> bool:
    return bool(font_manager.get_font(path).get_char_index(ord(character)))


def _fonts() -> Iterator[tuple[str, str]]:
    """Yield the (family, file) of every available regular font, the preferred ones first."""
    packaged = _registered_packaged_font()
    if packaged is not None:
        yield packaged
    # not translated: the name of a font
    yield "DejaVu Sans", font_manager.findfont("DejaVu Sans")
    ranks = {family: rank for rank, family in enumerate(PREFERRED)}
    installed = {
        (ranks.get(entry.name, len(ranks)), entry.name, entry.fname)
        for entry in font_manager.fontManager.ttflist
        if entry.style == "normal"
        and entry.weight in (400, "normal", "regular")
        and "LastResort" not in entry.fname
    }
    for _rank, family, path in sorted(installed):
        if _is_whole(path):
            yield family, path


@cache
def _registered_packaged_font() -> tuple[str, str] | None:
    path = packaged_font()
    if path is None:
        return None
    font_manager.fontManager.addfont(path)
    return font_manager.get_font(str(path)).family_name, str(path)
