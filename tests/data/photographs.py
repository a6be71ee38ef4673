"""Images with details at all scales, as photographs have, and what makes copies of them."""

import io

import numpy as np
from PIL import Image

from convlens.data.looks import LOOK, look_at
from convlens.file_facts import FileFacts

FACTS = FileFacts("RGB", "JPEG")


def photograph(seed, size=(120, 96)):
    """Return random patches of several sizes, the smaller ones with less contrast."""
    rng = np.random.default_rng(seed)
    total = np.zeros((size[1], size[0], 3), np.float32)
    for cells in (3, 6, 12, 24, 48):
        patches = rng.integers(0, 256, (cells, cells, 3), np.uint8)
        enlarged = Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC)
        total += np.asarray(enlarged, np.float32) / cells**0.7
    total = (total - total.min()) / np.ptp(total)
    return Image.fromarray((total * 255).astype(np.uint8))


def as_jpeg(image, quality):
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def crop(image, share, place=(0.5, 0.5)):
    """Return the image without a share of each side, cut out at a place from 0 to 1."""
    width = round(image.width * (1 - share))
    height = round(image.height * (1 - share))
    left = round((image.width - width) * place[0])
    top = round((image.height - height) * place[1])
    return image.crop((left, top, left + width, top + height))


def with_logo(image):
    changed = image.copy()
    changed.paste((250, 30, 30), (4, 4, 20, 14))
    return changed


def with_gamma(image, gamma):
    return image.point([round(255 * (level / 255) ** gamma) for level in range(256)] * 3)


COPIES = {
    "jpeg": lambda image: as_jpeg(image, 50),
    "half": lambda image: image.resize((image.width // 2, image.height // 2)),
    "crop of 5 %": lambda image: crop(image, 0.05, (1, 0)),
    "crop of 15 %": lambda image: crop(image, 0.15, (0.2, 0.9)),
    "brighter": lambda image: image.point(lambda level: min(255, round(level * 1.1))),
    "gamma": lambda image: with_gamma(image, 1.4),
    "logo": with_logo,
    "crop and jpeg": lambda image: as_jpeg(crop(image, 0.15, (0, 1)), 50),
}


def looks_at(images):
    return np.array([look_at(image, FACTS, 1) if image else np.zeros((), LOOK) for image in images])
