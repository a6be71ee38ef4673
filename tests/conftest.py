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
    """Return a bright disc or bar on dark noise, in colour; `size` is (height, width)."""
    height, width = size
    image = rng.integers(0, 60, (height, width, 3))
    y, x = np.mgrid[:height, :width]
    cy = rng.integers(12, height - 12)
    cx = rng.integers(12, width - 12)
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
    folder = tmp_path_factory.mktemp("shapes")
    rng = np.random.default_rng(0)
    for kind in ("bar", "disc"):
        (folder / kind).mkdir()
        for number in range(60):
            draw_shape(kind, rng, (40, 48) if number % 2 else (56, 40)).save(
                folder / kind / f"{number}.png"
            )
    return folder


@pytest.fixture(scope="session")
def digits():
    """The 1,797 digits of scikit-learn, 8 x 8."""
    from convlens.data.sources import load_data

    return load_data("digits")


@pytest.fixture(scope="session")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of three other classes, with random weights and two convolutions."""
    import keras

    from convlens.classifier.assembly import assemble
    from convlens.classifier.classifier import Classifier
    from convlens.config import Config
    from convlens.preprocess import Preprocessing
    from convlens.zoo.registry import build

    keras.utils.set_random_seed(0)
    tiny = Config().replace(model="custom_cnn", filters=(6, 8), dense=(8,)).model
    seen = Preprocessing(8, 8, 1)
    model = assemble(lambda x: build("custom_cnn", x, 3, config=tiny), seen, 3, "custom_cnn")
    path = tmp_path_factory.mktemp("backbone") / "trained.keras"
    Classifier.from_logits(model, ("a", "b", "c"), seen).save(path)
    return path
