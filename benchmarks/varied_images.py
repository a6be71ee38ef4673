"""Write image files of many kinds, sizes and formats, for comparisons of what reads them.

python benchmarks/varied_images.py FOLDER [--images 1000]

No two programs agree on all of these by chance: JPEG files of odd sizes up to 4000 x 3000, with
chroma of several kinds, progressive, grey and in CMYK; PNG files of 1 to 16 bits, with palettes and
transparency; WebP with and without loss; GIF, BMP and TIFF; cameras that were turned.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

ORIENTATION = 0x0112  # the EXIF tag
SIDES = ((8, 64), (65, 300), (65, 300), (301, 640), (641, 1000))  # ranges of sides, in pixels
LARGE_EVERY = 50  # each image of this number is as large as a camera makes it


def main() -> None:
    """Write the images."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=1000)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True)
    kinds = list(KINDS.items())
    for number in range(asked.images):
        rng = np.random.default_rng(number)
        name, write = kinds[number % len(kinds)]
        is_large = number % LARGE_EVERY == 0
        size = (4000, 3000) if is_large else sides(rng)
        write(asked.folder / f"{number:04d}-{name}", scene(rng, size), rng)


def sides(rng: np.random.Generator) -> tuple[int, int]:
    """Return a width and a height, each from a range of its own now and then."""
    width_range = SIDES[rng.integers(len(SIDES))]
    height_range = SIDES[rng.integers(len(SIDES))] if rng.random() < 0.2 else width_range
    return int(rng.integers(*width_range)), int(rng.integers(*height_range))


def scene(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Return an image of soft and saturated colours, edges and noise."""
    width, height = size
    coarse = rng.uniform(-120, 375, (int(rng.integers(2, 12)), int(rng.integers(2, 12)), 3))
    coarse = np.clip(coarse, 0, 255).astype(np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    for _shape in range(int(rng.integers(0, 8))):
        corner = rng.uniform(0, 1, 4) * (width, height, width / 2, height / 2)
        left, top, wide, tall = (int(value) for value in corner)
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        image.paste(colour, (left, top, left + wide, top + tall))
    strength = float(rng.choice([0, 0, 0.05, 0.2]))
    if strength:
        grain = Image.frombytes("L", size, rng.bytes(width * height))
        image = Image.blend(image, Image.merge("RGB", [grain] * 3), strength)
    return image


Write = Callable[[Path, Image.Image, np.random.Generator], None]


def jpeg(mode: str = "RGB", **options: object) -> Write:
    """Return a function that writes JPEG files."""

    def write(path: Path, image: Image.Image, rng: np.random.Generator) -> None:
        quality = int(rng.integers(40, 98))
        image.convert(mode).save(path, quality=quality, **options)

    return write


def turned(path: Path, image: Image.Image, rng: np.random.Generator) -> None:
    """Write a JPEG file of a camera that was held in another way."""
    exif = Image.Exif()
    exif[ORIENTATION] = int(rng.integers(2, 9))
    image.save(path, quality=90, exif=exif)


def plain(mode: str = "RGB", **options: object) -> Write:
    """Return a function that writes files of a mode."""
    return lambda path, image, _rng: image.convert(mode).save(path, **options)


def with_opacity(mode: str = "RGBA", **options: object) -> Write:
    """Return a function that writes files that are transparent in places."""

    def write(path: Path, image: Image.Image, rng: np.random.Generator) -> None:
        opacity = scene(rng, image.size).convert("L")
        image.putalpha(opacity)
        image.convert(mode).save(path, **options)

    return write


def palette(path: Path, image: Image.Image, rng: np.random.Generator) -> None:
    """Write a file whose colours are listed, one of them transparent."""
    colours = int(rng.choice([2, 4, 16, 200]))
    image.quantize(colours).save(path, transparency=int(rng.integers(colours)))


def deep(path: Path, image: Image.Image, _rng: np.random.Generator) -> None:
    """Write a grey file of 16 bits."""
    values = np.asarray(image.convert("L")).astype(np.uint16) * 257
    Image.fromarray(values).save(path)


KINDS: dict[str, Write] = {
    "colours.jpg": jpeg(),
    "full-chroma.jpg": jpeg(subsampling=0),
    "half-chroma.jpg": jpeg(subsampling=1),
    "progressive.jpg": jpeg(progressive=True),
    "grey.jpg": jpeg("L"),
    "cmyk.jpg": jpeg("CMYK"),
    "turned.jpg": turned,
    "colours.png": plain(),
    "grey.png": plain("L"),
    "black-and-white.png": plain("1"),
    "opacity.png": with_opacity(),
    "grey-opacity.png": with_opacity("LA"),
    "palette.png": palette,
    "deep.png": deep,
    "lossy.webp": plain(quality=80),
    "lossless.webp": plain(lossless=True, method=0),
    "opacity.webp": with_opacity(lossless=True, method=0),
    "colours.gif": plain(),
    "palette.gif": palette,
    "colours.bmp": plain(),
    "grey.bmp": plain("L"),
    "colours.tif": plain(compression="tiff_lzw"),
    "jpeg.tif": plain(compression="jpeg"),
    "deep.tif": deep,
}

if __name__ == "__main__":
    main()
