"""Odd images are found one by one, and a set in which all are alike has none."""

import pytest
from PIL import Image, ImageFilter

from convlens.audit.checks.odd import check_odd
from tests.audit.photographs import found_by, make_set, photograph


@pytest.fixture
def folder(tmp_path):
    return make_set(tmp_path / "set", 20)


def dark(seed: int = 1) -> Image.Image:
    return photograph(seed).point(lambda level: level // 6)


def bright() -> Image.Image:
    return photograph(2).point(lambda level: 220 + level // 7)


@pytest.mark.parametrize(
    ("code", "image"),
    [
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


def test_what_many_images_are_is_a_property_of_the_set(folder):
    for number in range(5):
        dark(number).save(folder / "cat" / f"night{number}.png")
    assert found_by(check_odd, folder) == {}
