"""Golden examples: generated images of odd sizes, modes and orientations for an exported folder.

A folder may be published, so that images of users are used only if they ask for it.
"""

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convlens.unit import Unit

ORIENTATION = 0x0112  # the EXIF tag


def write_examples(
    folder: Path, unit: Unit | str | None = None, leave_out: Collection[str] = ()
) -> list[Path]:
    """Write the generated images into a folder, which exists, and return their paths.

    They cover what differs between programs that decode images: colours, grey, palettes, opacity,
    black and white, CMYK, cameras that were turned, odd and extreme sizes, and a large JPEG.

    Args:
        folder: The folder.
        unit: The unit of the preprocessing. If the network has learned from images of 16 bits, one
            of them is an example, too.
        leave_out: Names of IMAGES that are not written.
    """
    rng = np.random.default_rng(0)
    paths = []
    chosen = {name: write for name, write in IMAGES.items() if name not in leave_out}
    for number, (name, write) in enumerate(chosen.items()):
        path = folder / "{number:02d}-{name}".format(number=number, name=name)
        write(path, rng)
        paths.append(path)
    if isinstance(unit, tuple):
        black, white = np.clip(unit, 0, 65535)
        values = np.linspace(black, white, 47 * 30).reshape(30, 47)
        deep = np.where(rng.random(values.shape) < 0.1, white - values, values)
        paths.append(folder / "{number:02d}-deep.png".format(number=len(paths)))
        Image.fromarray(np.clip(deep, 0, 65535).astype(np.uint16)).save(paths[-1])
    return paths


def pattern(rng: np.random.Generator, width: int, height: int, channels: int = 3) -> Image.Image:
    """Return an image of smooth colours with some edges."""
    y, x = np.mgrid[:height, :width]
    planes = []
    for _channel in range(channels):
        frequency = rng.uniform(1, 9, 2) * 2 * np.pi / max(width, height)
        wave = np.sin(x * frequency[0] + rng.uniform(0, 6)) * np.cos(y * frequency[1])
        edge = (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1)) % 41 < 13
        planes.append(np.clip(127 + 90 * wave + 37 * edge, 0, 255))
    pixels: NDArray[np.uint8] = np.stack(planes, -1).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels)


def _turned(path: Path, rng: np.random.Generator, orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    pattern(rng, 61, 40).save(path, quality=92, exif=exif)


def _with_opacity(path: Path, rng: np.random.Generator) -> None:
    image = pattern(rng, 50, 70)
    image.putalpha(pattern(rng, 50, 70, 1))
    image.save(path)


def _with_palette(path: Path, rng: np.random.Generator) -> None:
    image = pattern(rng, 33, 29).quantize(32)
    image.save(path, transparency=3)


IMAGES: dict[str, Callable[[Path, np.random.Generator], None]] = {
    "colours.jpg": lambda path, rng: pattern(rng, 57, 33).save(path, quality=92),
    "colours.png": lambda path, rng: pattern(rng, 224, 225).save(path),
    "grey.jpg": lambda path, rng: pattern(rng, 45, 64, 1).save(path, quality=85),
    "grey.png": lambda path, rng: pattern(rng, 28, 28, 1).save(path),
    "black-and-white.png": lambda path, rng: pattern(rng, 40, 31, 1).convert("1").save(path),
    "opacity.png": _with_opacity,
    "palette.png": _with_palette,
    "cmyk.jpg": lambda path, rng: pattern(rng, 64, 48).convert("CMYK").save(path, quality=92),
    "turned-left.jpg": lambda path, rng: _turned(path, rng, 6),
    "turned-over.jpg": lambda path, rng: _turned(path, rng, 3),
    "mirrored.jpg": lambda path, rng: _turned(path, rng, 5),
    "tall.png": lambda path, rng: pattern(rng, 5, 211).save(path),
    "one-row.png": lambda path, rng: pattern(rng, 97, 1).save(path),
    "large.jpg": lambda path, rng: pattern(rng, 1800, 1350).save(path, quality=75),
}
