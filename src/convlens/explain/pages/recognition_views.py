"""Views of recognition: the path from an image to a few numbers, through the maps of each layer."""

import numpy as np

from convlens.explain.arithmetic import activate, flatten
from convlens.explain.arithmetic.convolution import convolve
from convlens.explain.arithmetic.exact import Numbers
from convlens.explain.arithmetic.pooling import pool
from convlens.explain.pages.page import Grid, Page, Row, intersperse
from convlens.language import _


def recognition_page(image: Numbers, filters: list[tuple[str, Numbers]]) -> Page:
    """Return the page of lecture 004's path from an image to a few numbers.

    The path is a convolution (the mean of the products), ReLU, max pooling twice with partial
    windows, and flatten.

    Args:
        image: The image (height, width, 1).
        filters: The name and the numbers (height, width) of each filter.

    Raises:
        ConfigError: If a filter is larger than the image.
    """
    kernel = np.stack([one for _name, one in filters], axis=-1)[:, :, None, :]
    maps = convolve(image, kernel, mean=True)
    rectified = activate(maps.output, "relu").output
    once = pool(rectified, 2, padding="partial").output
    twice = pool(once, 2, padding="partial").output
    # Map by map, as the lecture writes them.
    flat = flatten(np.moveaxis(twice, -1, 0))
    stages = {
        _("map"): maps.output,
        "ReLU": rectified,
        _("pooled"): once,
        _("pooled again"): twice,
    }
    rows = [Row((Grid(image[..., 0], _("image")),))]
    for index, (name, one) in enumerate(filters):
        grids = [Grid(values[..., index], title, largest=1.0) for title, values in stages.items()]
        rows.append(Row(tuple(intersperse("→", [Grid(one, name), *grids]))))
    title = _("flattened, {count} numbers: map by map").format(count=len(flat))
    rows.append(Row((Grid(flat[None], title),)))
    said = _("the mean of the {count} products; {formula} cells along a side")
    facts = (
        (_("map"), said.format(count=kernel[..., 0].size, formula=maps.vertical.formula)),
        (_("pooled"), _("2 x 2 max pooling, partial windows kept")),
    )
    return Page(_("From an image to a few numbers"), facts, tuple(rows))
