"""What tests share: a cache folder of their own, small real and generated images, a quick run."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens import backend


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["CONVLENS_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    backend.start()


def draw_shape(
    kind: str, rng: np.random.Generator, size: tuple[int, int] = (40, 48)
) -> Image.Image:
    """Return a bright disc or bar at a random place on dark noise, in colour; `size` is (height, width)."""
    height, width = size
    image = rng.integers(0, 60, (height, width, 3))
    y, x = np.mgrid[:height, :width]
    cy, cx = rng.integers(12, height - 12), rng.integers(12, width - 12)
    inside = (
        (y - cy) ** 2 + (x - cx) ** 2 < 64
        if kind == "disc"
        else (abs(y - cy) < 3) & (abs(x - cx) < 11)
    )
    image[inside] = rng.integers(150, 255, 3)
    return Image.fromarray(image.astype(np.uint8))


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder a class, 60 generated images each, of two sizes."""
    folder, rng = tmp_path_factory.mktemp("shapes"), np.random.default_rng(0)
    for kind in ("bar", "disc"):
        (folder / kind).mkdir()
        for number in range(60):
            draw_shape(kind, rng, (40, 48) if number % 2 else (56, 40)).save(
                folder / kind / f"{number}.png"
            )
    return folder
