"""Difference: the difference of two images as an image, in one scale of colours with numbers."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from convlens.charts.style import BLUE, RED

LIMIT = 64  # grey levels at the ends of the scale; larger differences have the same colours
STEP = 4  # grey levels that share a colour
NOTHING = ("#F4F4F4", "#DCDCDC")  # the stripes where there is nothing to compare
STRIPE = 6  # pixels


def scale_colours() -> list[str]:
    """Return the colours of the scale as hexadecimal numbers, from -LIMIT to LIMIT.

    Blue means darker, red brighter, and white equal.
    """
    count = LIMIT // STEP
    shares = np.arange(-count, count + 1) / count
    ends = [np.array(ImageColor.getrgb(colour)) for colour in (BLUE, RED)]
    # The root makes differences of a few levels visible.
    mixed = [255 + (ends[int(share > 0)] - 255) * abs(share) ** 0.6 for share in shares]
    return ["#{:02X}{:02X}{:02X}".format(*np.rint(colour).astype(int)) for colour in mixed]


def draw_difference(difference: NDArray[np.floating]) -> bytes:
    """Return a PNG file of (height, width) signed differences; NaN becomes grey stripes.

    Args:
        difference: Differences in grey levels, -255 to 255.
    """
    colours = scale_colours()
    clipped = np.clip(np.nan_to_num(difference), -LIMIT, LIMIT)
    places = np.rint(clipped / STEP).astype(int) + len(colours) // 2
    rows, columns = np.indices(difference.shape)
    stripes = len(colours) + ((rows + columns) // STRIPE) % 2
    indices = np.where(np.isnan(difference), stripes, places).astype(np.uint8)
    image = Image.fromarray(indices).convert("L")
    palette = [value for colour in (*colours, *NOTHING) for value in ImageColor.getrgb(colour)]
    image.putpalette(palette)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()
