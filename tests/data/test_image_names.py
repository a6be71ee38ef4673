"""Lists name images as people and systems write paths."""

import numpy as np
import pytest

from convlens.data.dataset import Dataset
from convlens.data.image_names import Names


@pytest.fixture
def names(tmp_path):
    images = [tmp_path / "bar" / name for name in ("0.png", "1.png", "e\u0301.png")]
    labels = np.zeros(3, np.int64)
    return Names(Dataset(str(tmp_path), "a folder per class", images, labels, ("bar",)))


@pytest.mark.parametrize(
    ("written", "index"),
    [
        ("bar/1.png", 1),
        (" bar/1.png ", 1),
        ("bar\\1.png", 1),
        ("./bar/../bar/1.png", 1),
        ("bar/\u00e9.png", 2),
        ("./bar/\u00e9.png", 2),
        ("bar/2.png", None),
        ("../bar/1.png", None),
        ("bar\0/1.png", None),
    ],
)
def test_an_image_is_found_as_it_may_be_written(names, written, index):
    assert names.find(written) == index
