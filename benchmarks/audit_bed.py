"""Test beds for the audit: copies of known kinds are planted among real images.

The name of a file tells what it is: "00012.jpg" is an original and "00012-crop15+logo.jpg" a copy
of it. An original has one copy at most in a bed, so that each planted pair is found on its own.
"""

import io
import itertools
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

LEAST_SIDE = 64  # pixels
QUALITY = 92  # of the JPEG files of copies
ORIENTATION = 0x0112  # the EXIF tag
TRANSPOSED = {
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}
TURNS = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
Edit = Callable[[Image.Image, np.random.Generator], Image.Image]


class Bed(NamedTuple):
    """A folder of originals and copies.

    Attributes:
        folder: The folder, with a folder for originals and one for copies.
        planted: (name of the original, name of the copy, kind) of each copy.
    """

    folder: Path
    planted: list[tuple[str, str, str]]


def _saved(image: Image.Image, quality: int) -> Image.Image:
    """Return an image as it is after it was written to a JPEG file."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def _jpeg(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return _saved(image, 50)


def _half(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)


def _crop(share: float) -> Edit:
    """Return a function that cuts a share of both sides away, wherever it happens to be."""

    def crop(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        width = round(image.width * (1 - share))
        height = round(image.height * (1 - share))
        left = int(rng.integers(0, image.width - width + 1))
        top = int(rng.integers(0, image.height - height + 1))
        return image.crop((left, top, left + width, top + height))

    return crop


def _brightness(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(rng.choice([0.9, 1.1]))


def _gamma(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    exponent = rng.choice([0.7, 1.4])
    return image.point([round(255 * (level / 255) ** exponent) for level in range(256)] * 3)


def _logo(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return an image with a sign near its upper or lower border."""
    marked = image.copy()
    draw = ImageDraw.Draw(marked)
    side = max(6, round(min(image.size) * 0.18))
    left = int(rng.integers(0, image.width - side))
    top = int(rng.choice([2, image.height - side // 2 - 2]))
    colours = [
        (int(red), int(green), int(blue)) for red, green, blue in rng.integers(0, 256, (2, 3))
    ]
    draw.rectangle((left, top, left + side, top + side // 2), fill=colours[0])
    draw.ellipse((left + 2, top + 1, left + side // 2, top + side // 2 - 1), fill=colours[1])
    return marked


def _mirrored(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return ImageOps.mirror(image)


def _rotated(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return image.transpose(TURNS[rng.integers(len(TURNS))])


EDITS: dict[str, Edit] = {
    "jpeg50": _jpeg,
    "half": _half,
    "crop5": _crop(0.05),
    "crop15": _crop(0.15),
    "brightness": _brightness,
    "gamma": _gamma,
    "logo": _logo,
}
TURNED: dict[str, Edit] = {"mirrored": _mirrored, "rotated": _rotated}
EXACT = ("bytes", "pixels")
EXIF = "exif"
PNG_LEVEL = 1  # unlike that of the originals, so that the bytes differ


def kinds() -> list[str]:
    """Return the names of all kinds of copies."""
    both = ["+".join(pair) for pair in itertools.combinations(EDITS, 2)]
    return [*EXACT, EXIF, *TURNED, *EDITS, *both]


def originals_of(paths: Sequence[Path], limit: int | None) -> list[Path]:
    """Return the images whose sides are large enough, spread evenly if there are too many."""
    large = []
    for path in paths:
        with Image.open(path) as image:
            if min(image.size) >= LEAST_SIDE:
                large.append(path)
    if limit is None or limit >= len(large):
        return large
    return [large[place] for place in np.linspace(0, len(large) - 1, limit).astype(int)]


def beds(
    originals: Sequence[Path], each: int, seed: int, folder: Path, side: int | None
) -> Iterator[Bed]:
    """Yield beds that have copies of all kinds together; each takes the place of the last one.

    Args:
        originals: The images of which copies are made.
        each: The number of copies of each kind.
        seed: The seed of everything that is drawn.
        folder: Where the beds are made.
        side: The shorter side to which the originals are reduced, or None.
    """
    rng = np.random.default_rng(seed)
    each = min(each, len(originals))
    waiting = kinds()
    at_once = len(originals) // each
    for start in range(0, len(waiting), at_once):
        some = [kind for kind in waiting[start : start + at_once] for _ in range(each)]
        chosen = rng.permutation(len(originals))[: len(some)]
        shutil.rmtree(folder, ignore_errors=True)
        yield _plant(originals, dict(zip(chosen.tolist(), some, strict=True)), rng, folder, side)


def _plant(
    originals: Sequence[Path],
    kind_of: dict[int, str],
    rng: np.random.Generator,
    folder: Path,
    side: int | None,
) -> Bed:
    """Write the originals and a copy of some of them."""
    for name in ("originals", "copies"):
        (folder / name).mkdir(parents=True)
    seeds = rng.integers(2**63, size=len(originals))

    def write(index: int) -> tuple[str, str, str] | None:
        path = originals[index]
        suffix = path.suffix if side is None else ".png"
        original = folder / "originals" / f"{index:05}{suffix}"
        if side is None:
            shutil.copyfile(path, original)
        else:
            _reduced(path, side).save(original)
        kind = kind_of.get(index)
        if kind is None:
            return None
        copy = _write_copy(original, kind, np.random.default_rng(seeds[index]), folder / "copies")
        return original.name, copy.name, kind

    with ThreadPoolExecutor() as pool:
        written = list(pool.map(write, range(len(originals))))
    return Bed(folder, [row for row in written if row is not None])


def _upright(path: Path) -> Image.Image:
    """Return an image as it is shown, in RGB."""
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def _reduced(path: Path, side: int) -> Image.Image:
    """Return an image whose shorter side is reduced to some pixels."""
    image = _upright(path)
    factor = side / min(image.size)
    size = (max(side, round(image.width * factor)), max(side, round(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _write_copy(original: Path, kind: str, rng: np.random.Generator, folder: Path) -> Path:
    """Write a copy of some kind, and return its path."""
    copy = folder / f"{original.stem}-{kind}.jpg"
    if kind == "bytes":
        return shutil.copyfile(original, copy.with_suffix(original.suffix))
    image = _upright(original)
    if kind == "pixels":
        copy = copy.with_suffix(".png")
        image.save(copy, compress_level=PNG_LEVEL)
        return copy
    if kind == EXIF:
        orientation = int(rng.choice(list(TRANSPOSED)))
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        image.transpose(TRANSPOSED[orientation]).save(copy, quality=QUALITY, exif=exif)
        return copy
    for name in rng.permutation(kind.split("+")):
        image = (EDITS | TURNED)[name](image, rng)
    image.save(copy, quality=QUALITY)
    return copy
