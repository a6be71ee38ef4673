"""Odd images are found one by one, and a set in which all are alike has none."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from convlens.audit.checks.odd import check_odd
from convlens.data.dataset import Dataset
from tests.audit.photographs import found_by, make_set, photograph


@pytest.fixture
def folder(tmp_path):
    return make_set(tmp_path / "set", 20)


def notice() -> Image.Image:
    """Return a web site's notice that an image is not available."""
    image = Image.new("RGB", (120, 90), (240, 240, 240))
    ImageDraw.Draw(image).text((10, 35), "image not available", fill=(90, 90, 90))
    return image


def dark() -> Image.Image:
    return photograph(1).point(lambda level: level // 6)


def bright() -> Image.Image:
    return photograph(2).point(lambda level: 220 + level // 7)


def covered() -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(90, 97, (72, 96, 3), np.uint8))


@pytest.mark.parametrize(
    ("code", "image"),
    [
        ("blank", Image.new("RGB", (96, 72), "white")),
        ("one_colour", covered()),
        ("dark", dark()),
        ("bright", bright()),
        ("blurred", photograph(3, (216, 288)).filter(ImageFilter.GaussianBlur(4))),
        ("extreme_shape", photograph(4, (40, 300))),
    ],
)
def test_an_odd_image_has_its_code(folder, code, image):
    assert found_by(check_odd, folder) == {}
    image.save(folder / "cat" / "odd.png")
    found = found_by(check_odd, folder)
    assert {name: [one.files for one in some] for name, some in found.items()} == {
        code: [("cat/odd.png",)]
    }


def test_a_gif_among_photographs_is_a_placeholder_and_a_photograph_in_png_is_not(folder):
    notice().save(folder / "cat" / "17.gif")
    photograph(8).save(folder / "cat" / "18.png")
    (one,) = found_by(check_odd, folder)["placeholder"]
    assert one.files == ("cat/17.gif",)
    assert one.evidence["format"] == "GIF"


def test_equal_drawings_under_other_names_or_labels_are_placeholders(folder):
    for name in ("cat/1x.jpg", "dog/2x.jpg"):
        notice().save(folder / name)
    (one,) = found_by(check_odd, folder)["placeholder"]
    assert one.files == ("cat/1x.jpg", "dog/2x.jpg")
    assert one.evidence == {"times": 2, "labels": 2}


def test_a_drawing_that_says_so_in_its_name_is_a_placeholder(folder):
    notice().save(folder / "cat" / "no_image.jpg")
    assert list(found_by(check_odd, folder)) == ["placeholder"]


def test_what_most_images_are_is_not_odd():
    images = np.zeros((60, 28, 28), np.uint8)
    images[:, 10:18, 12:16] = 255
    labels = np.arange(60) % 2
    dataset = Dataset("nowhere", "made", images, labels, ("a", "b"))
    assert found_by(check_odd, dataset) == {}
