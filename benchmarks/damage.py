"""Damage: change the bytes of good files and requests at random."""

from pathlib import Path

import numpy as np
from PIL import Image, TiffImagePlugin

KINDS = ("replace", "cut", "repeat", "overwrite", "end")
SHARES = (0.4, 0.2, 0.2, 0.1, 0.1)
IMAGES = {
    "png": ("RGB", "RGBA", "LA", "P", "1", "I;16"),
    "jpg": ("L", "RGB", "CMYK"),
    "gif": ("P",),
    "bmp": ("RGB",),
    "webp": ("RGBA",),
    "tif": ("RGB", "L", "F", "I;16"),
}


def changed(content: bytes, letters: bytes, rng: np.random.Generator) -> bytes:
    """Return bytes of which some were replaced, cut out, repeated or overwritten, or the end cut.

    Args:
        content: The bytes.
        letters: The values that new bytes have.
        rng: The generator.
    """
    data = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        if not data:
            break
        start = int(rng.integers(len(data)))
        length = int(min(rng.geometric(0.05), len(data) - start))
        kind = rng.choice(KINDS, p=SHARES)
        if kind == "replace":
            data[start] = letters[rng.integers(len(letters))]
        elif kind == "cut":
            del data[start : start + length]
        elif kind == "repeat":
            data[start:start] = data[start : start + length]
        elif kind == "overwrite":
            data[start : start + length] = bytes(rng.choice(list(letters), length).tolist())
        else:
            del data[start:]
    return bytes(data)


def save_image(pixels: np.ndarray, mode: str, path: Path) -> None:
    """Write an image file, JPEG and TIFF with EXIF."""
    if mode in ("F", "I;16"):
        image = Image.fromarray(pixels[..., 0].astype("float32" if mode == "F" else "uint16"))
    else:
        image = Image.fromarray(pixels).convert(mode)
    options = {}
    if path.suffix in (".jpg", ".png", ".webp"):
        exif = Image.Exif()
        exif[TiffImagePlugin.IMAGEDESCRIPTION] = "a drawing"
        exif[0x0112] = 6
        options["exif"] = exif
    image.save(path, **options)
