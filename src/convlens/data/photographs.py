"""Photographs: whether images are like those that a backbone was trained on."""

from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.input_shape import look_at
from convlens.language import _
from convlens.sections import parse_size

LEAST_SIDE = 64  # pixels; smaller images are unlike those that a backbone was trained on
LEAST_INPUT = 96  # pixels; the smallest input that a backbone is given


def unlike_photographs(dataset: Dataset, config: Config) -> str:
    """Return why a backbone that was trained on photographs does not suit these images, or "".

    Args:
        dataset: The images.
        config: The configuration, of which the size and the channels count.
    """
    sizes, grey = look_at(dataset)
    if config.data.channels == "grey" or (grey and config.data.channels == "auto"):
        return _("the images are grey, it knows photographs in colour")
    height, width = sorted(sizes, key=min)[len(sizes) // 2] if sizes else (0, 0)
    if min(height, width) < LEAST_SIDE:
        return _(
            "images of {height} x {width} are too small for one that knows photographs"
        ).format(height=height, width=width)
    if config.data.size != "auto" and min(parse_size(config.data.size)) < LEAST_INPUT:
        return _("--size {size} is too small for it").format(size=config.data.size)
    return ""
