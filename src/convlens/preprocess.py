"""Preprocessing: the one decode, orient, resize and scale of every consumer.

`prepare` makes uint8 (height, width, channels) of a file, a Pillow image or an array. Scaling to the network's range is
a layer inside the saved model, so that a classifier file takes the uint8 pictures that `prepare` makes.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from convlens.errors import PictureError

__all__ = ["MAX_PIXELS", "PICTURE_SUFFIXES", "Preprocessing", "open_picture", "prepare"]

MAX_PIXELS = 100_000_000
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
Image.MAX_IMAGE_PIXELS = None  # our own, stricter check comes before any decoding


@dataclass(frozen=True)
class Preprocessing:
    """What happens to a picture before the network sees it; stored in the classifier file.

    Attributes:
        height: pixels.
        width: pixels.
        channels: 1 (grey) or 3 (RGB).
        fit: "stretch" to the size, "crop" the middle, or "pad" with black, keeping the shape of things.
        scale: the network sees uint8 * scale + offset.
        offset: see scale.
    """

    height: int
    width: int
    channels: int
    fit: str = "stretch"
    scale: float = 1 / 255
    offset: float = 0.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.height, self.width, self.channels

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return asdict(self)


def open_picture(
    picture: str | Path | Image.Image | NDArray[Any], reduce_to: tuple[int, int] | None = None
) -> Image.Image:
    """Return the picture upright as a Pillow image of mode L or RGB.

    Args:
        picture: a file, a Pillow image, or an array (height, width[, 1, 3 or 4]) of uint8.
        reduce_to: (height, width) in pixels that are enough; a large JPEG is then decoded at a fraction of its size.

    Raises:
        PictureError: the file is missing, empty, truncated, no picture, or has more than MAX_PIXELS pixels.
    """
    if isinstance(picture, np.ndarray):
        return _eight_bit(_from_array(picture))
    if isinstance(picture, Image.Image):
        return _eight_bit(ImageOps.exif_transpose(picture))
    path = Path(picture)
    try:
        if path.stat().st_size == 0:
            raise PictureError(f"{path}: a picture must have content; found 0 bytes.")
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise PictureError(
                    f"{path}: a picture may have {MAX_PIXELS // 10**6} million pixels; "
                    f"found {image.width} x {image.height}. Make it smaller first."
                )
            if reduce_to is not None:  # twice the size, so that the final resize still averages; square for EXIF turns
                side = 2 * max(reduce_to)
                image.draft(None, (side, side))
            image.load()
            return _eight_bit(ImageOps.exif_transpose(image))
    except FileNotFoundError as error:
        raise PictureError(f"{path}: there is no such file.") from error
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise PictureError(
            f"{path}: this is not a picture that can be read ({', '.join(PICTURE_SUFFIXES)})."
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow's decoders raise for damaged files
        raise PictureError(f"{path}: the picture is damaged ({str(error) or type(error).__name__}).") from error


def prepare(picture: str | Path | Image.Image | NDArray[Any], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Return the picture as uint8 (height, width, channels), ready for the network.

    Raises:
        PictureError: see `open_picture`.
    """
    height, width, channels = preprocessing.shape
    image = open_picture(picture, reduce_to=(height, width)).convert("L" if channels == 1 else "RGB")
    if image.size != (width, height):
        resampling = Image.Resampling.BILINEAR  # antialiased where it shrinks
        if preprocessing.fit == "crop":
            image = ImageOps.fit(image, (width, height), resampling)
        elif preprocessing.fit == "pad":
            image = ImageOps.pad(image, (width, height), resampling)
        else:
            image = image.resize((width, height), resampling)
    return np.asarray(image, dtype=np.uint8).reshape(height, width, channels)


def _from_array(array: NDArray[Any]) -> Image.Image:
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise PictureError(
            "an array must be uint8 of shape (height, width) or (height, width, 1, 3 or 4 channels); "
            f"found {array.dtype} {array.shape}."
        )
    return Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return any mode as L or RGB: 16 bits keep their upper 8, transparency becomes white."""
    if image.mode in ("L", "RGB"):
        return image
    if image.mode.startswith(("I", "F")):  # 16-bit grey comes as "I;16" or "I"; floats are 0..1 or 0..255
        values = np.asarray(image, dtype=np.float64)
        top = 255.0 if values.max(initial=0) > 1 else 1.0
        if image.mode.startswith("I"):
            top = 65535.0 if values.max(initial=0) > 255 or image.mode != "I" else 255.0
        return Image.fromarray(np.clip(values * (255.0 / top), 0, 255).astype(np.uint8))
    if image.mode == "1":
        return image.convert("L")
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        flat = Image.alpha_composite(white, rgba)
        return flat.convert("L" if image.mode in ("LA", "La") else "RGB")
    return image.convert("RGB")
