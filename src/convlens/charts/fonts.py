"""Fonts that have the glyphs of the class names, whatever their script.

Noto Sans CJK TC comes with the package `cvttf-notosanscjk-regular` (SIL Open Font License 1.1); then the fonts that
matplotlib brings, then those installed on the computer.
"""

import importlib.util
import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from matplotlib import font_manager

PREFERRED = (  # among the installed ones; names of the families on Linux, Windows, macOS
    "Noto Sans CJK TC",
    "Noto Sans TC",
    "Source Han Sans TC",
    "Microsoft JhengHei",
    "PingFang TC",
    "WenQuanYi Zen Hei",
)


@cache
def packaged_font() -> Path | None:
    """Return the file of Noto Sans CJK TC Regular that the project installs, or None where it was left out."""
    spec = importlib.util.find_spec("cvttf_NotoSansCJK_Regular")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).with_name("NotoSansCJKtc-Regular.otf")


def font_families(texts: Iterable[str]) -> list[str]:
    """Return the font families that together have the glyphs of `texts`, for matplotlib's `font.family`."""
    return _cover(texts)[0]


def missing_glyphs(texts: Iterable[str]) -> set[str]:
    """Return the characters of `texts` that no font at hand can draw."""
    return _cover(texts)[1]


def drawable(texts: Iterable[str]) -> list[str]:
    """Return `texts` with "?" for each character that no font at hand can draw; a warning names them."""
    names = [" ".join(text.split()) for text in texts]
    missing = missing_glyphs(names)
    if missing:
        warnings.warn(
            f"No font at hand has the characters {' '.join(sorted(missing))}; '?' is drawn instead. "
            "Install a font that has them (on Debian, for Chinese: fonts-noto-cjk).",
            stacklevel=2,
        )
    return [name.translate({ord(character): "?" for character in missing}) for name in names]


def subset_font(texts: Iterable[str]) -> bytes | None:
    """Return a WOFF file with the Chinese, Japanese and Korean characters of `texts`, or None where there are none.

    Only the packaged font is copied: its licence allows it.
    """
    path = packaged_font()
    wanted = {character for text in texts for character in text if ord(character) >= 0x2E80}
    wanted = {character for character in wanted if path is not None and _has(str(path), character)}
    if path is None or not wanted:
        return None
    from io import BytesIO

    from fontTools import subset, ttLib

    options = subset.Options(
        layout_features=[], name_IDs=[0, 1, 2, 13, 14], flavor="woff", hinting=False
    )
    with ttLib.TTFont(path, lazy=True) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=[ord(character) for character in wanted])
        subsetter.subset(font)
        font.flavor = "woff"
        file = BytesIO()
        font.save(file)
    return file.getvalue()


def _cover(texts: Iterable[str]) -> tuple[list[str], set[str]]:
    missing = {
        character
        for text in texts
        for character in text
        if character.isprintable() and character != " "
    }
    families: list[str] = []
    for family, path in _fonts():
        covered = {character for character in missing if _has(path, character)}
        if covered or len(families) < 2:  # the first two draw digits and signs in every chart
            families.append(family)
        missing -= covered
        if not missing and len(families) >= 2:
            break
    return families, missing


def _has(path: str, character: str) -> bool:
    return bool(font_manager.get_font(path).get_char_index(ord(character)))


def _fonts() -> Iterator[tuple[str, str]]:
    """Yield (family, file) of every regular font at hand, the preferred first."""
    packaged = _registered_packaged_font()
    if packaged is not None:
        yield packaged
    yield "DejaVu Sans", font_manager.findfont("DejaVu Sans")
    ranks = {family: rank for rank, family in enumerate(PREFERRED)}
    installed = {
        (ranks.get(entry.name, len(ranks)), entry.name, entry.fname)
        for entry in font_manager.fontManager.ttflist
        if entry.style == "normal"
        and entry.weight in (400, "normal", "regular")
        and "LastResort" not in entry.fname
    }
    for _, family, path in sorted(installed):
        yield family, path


@cache
def _registered_packaged_font() -> tuple[str, str] | None:
    path = packaged_font()
    if path is None:
        return None
    font_manager.fontManager.addfont(path)
    return font_manager.get_font(str(path)).family_name, str(path)
