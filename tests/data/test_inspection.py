"""What the headers of the images of a data set say."""

import numpy as np
import pytest
from PIL import Image

from convlens.data.dataset import Dataset
from convlens.data.inspection import inspect


def dataset(labels, images) -> Dataset:
    names = tuple("abcdefg"[: max(labels) + 1])
    return Dataset("src", "made", images, np.array(labels, np.int64), names)


@pytest.fixture
def files(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    made = {
        "a.jpg": lambda p: Image.new("RGB", (40, 20)).save(p, exif=turned),
        "b.png": lambda p: Image.new("RGBA", (30, 30)).save(p),
        "c.gif": lambda p: Image.new("P", (30, 30)).save(p),
        "d.jpg": lambda p: Image.new("CMYK", (10, 50)).save(p),
        "e.png": lambda p: Image.new("I;16", (30, 30)).save(p),
        "f.webp": lambda p: Image.new("RGB", (12, 12)).save(p),
        "empty.png": lambda p: p.touch(),
        "text.jpg": lambda p: p.write_text("hello"),
        "huge.png": lambda p: Image.new("1", (20_000, 10_000)).save(p),
    }
    for name, make in made.items():
        make(tmp_path / name)
    return [tmp_path / name for name in made]


def test_headers_of_files(files):
    seen = inspect(dataset([0, 0, 0, 0, 0, 0, 1, 1, 1], files))
    assert seen.widths == (10, 25, 30)
    assert seen.heights == (12, 30, 50)  # a.jpg is 20 x 40 upright
    assert (seen.common_size, seen.common_size_share) == ((30, 30), 3 / 9)
    assert seen.modes == {"RGB": 2, "RGBA": 1, "P": 1, "CMYK": 1, "I;16": 1}
    assert seen.formats == {"JPEG": 2, "PNG": 2, "GIF": 1, "WEBP": 1}
    assert seen.unreadable == 3
    for name, reason in (
        ("empty", "0 bytes"),
        ("text", "not an image"),
        ("huge", "100 million pixels"),
    ):
        assert any(name in line and reason in line for line in seen.unreadable_examples)
    assert seen.imbalance == 2


def test_sample_says_so(files):
    seen = inspect(dataset([0] * 3 + [1] * 3, files[:6]), sample=2)
    assert seen.inspected == 2
    assert seen.modes == {"RGB": 2}  # the first and the last


def test_arrays():
    seen = inspect(dataset([0, 1, 1, 1, 0], np.zeros((5, 4, 6, 3), np.uint8)))
    assert (seen.widths, seen.heights, seen.modes) == ((6, 6, 6), (4, 4, 4), {"RGB": 5})
    assert (seen.inspected, seen.imbalance) == (5, 1.5)
