"""An image that shows nothing is one finding, with all of its copies."""

import shutil

import numpy as np
import pytest
from PIL import Image, ImageDraw

from convlens.audit.audit import audit_data
from convlens.audit.checks.nothing import check_nothing
from convlens.data.dataset import Dataset
from convlens.data.sources import load_data
from tests.audit.photographs import found_by, make_set, photograph


@pytest.fixture
def folder(tmp_path):
    return make_set(tmp_path / "set", 24)


def notice() -> Image.Image:
    """Return a web site's notice that an image is not available."""
    image = Image.new("RGB", (120, 90), (240, 240, 240))
    ImageDraw.Draw(image).text((10, 35), "image not available", fill=(90, 90, 90))
    return image


def covered() -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(90, 97, (72, 96, 3), np.uint8))


@pytest.mark.parametrize(
    ("code", "image"),
    [("blank", Image.new("RGB", (96, 72), "white")), ("one_colour", covered())],
)
def test_an_image_without_contrast_has_its_code(folder, code, image):
    assert found_by(check_nothing, folder) == {}
    image.save(folder / "cat" / "odd.png")
    found = found_by(check_nothing, folder)
    assert {name: [one.files for one in some] for name, some in found.items()} == {
        code: [("cat/odd.png",)]
    }
    assert set(found[code][0].evidence) == {"value"}


def test_a_gif_among_photographs_is_a_placeholder_and_a_photograph_in_png_is_not(folder):
    notice().save(folder / "cat" / "17.gif")
    photograph(8).save(folder / "cat" / "18.png")
    (one,) = found_by(check_nothing, folder)["placeholder"]
    assert one.files == ("cat/17.gif",)
    assert one.evidence["format"] == "GIF"


def test_photographs_in_a_white_frame_are_no_placeholders(folder):
    for number in range(3):
        framed = Image.new("RGB", (192, 144), "white")
        framed.paste(photograph(number), (48, 36))
        framed.save(folder / "cat" / f"screenshot{number}.png")
    assert found_by(check_nothing, folder) == {}


def test_a_gif_is_found_where_photographs_have_two_formats(folder):
    for number in range(10):
        photograph(number).save(folder / "dog" / f"more{number}.png")
    notice().save(folder / "cat" / "17.gif")
    assert [one.files for one in found_by(check_nothing, folder)["placeholder"]] == [
        ("cat/17.gif",)
    ]


def test_equal_drawings_under_other_names_or_labels_are_placeholders(folder):
    for name in ("cat/1x.jpg", "dog/2x.jpg"):
        notice().save(folder / name)
    (one,) = found_by(check_nothing, folder)["placeholder"]
    assert one.files == ("cat/1x.jpg", "dog/2x.jpg")
    assert (one.evidence["times"], one.evidence["labels"]) == (2, ["cat", "dog"])


def test_a_drawing_that_says_so_in_its_name_is_a_placeholder(folder):
    notice().save(folder / "cat" / "no_image.jpg")
    assert list(found_by(check_nothing, folder)) == ["placeholder"]


def test_a_copy_with_the_same_pixels_in_another_format_belongs_to_the_same_finding(folder):
    notice().save(folder / "cat" / "17.gif")
    Image.open(folder / "cat" / "17.gif").convert("RGB").save(folder / "dog" / "18.png")
    (one,) = found_by(check_nothing, folder)["placeholder"]
    assert one.files == ("cat/17.gif", "dog/18.png")


def test_what_most_images_are_is_not_odd():
    images = np.zeros((60, 28, 28), np.uint8)
    images[:, 10:18, 12:16] = 255
    labels = np.arange(60) % 2
    dataset = Dataset("nowhere", "made", images, labels, ("a", "b"))
    assert found_by(check_nothing, dataset) == {}


@pytest.mark.parametrize(
    ("code", "image"),
    [("placeholder", notice()), ("blank", Image.new("RGB", (96, 72))), ("one_colour", covered())],
)
def test_nothing_else_is_said_of_an_image_that_shows_nothing(folder, code, image):
    image.convert("L").save(folder / "cat" / "x.png")
    for name in ("cat/y.png", "dog/z.png"):
        shutil.copy(folder / "cat" / "x.png", folder / name)
    (one,) = audit_data(load_data(folder)).findings
    assert (one.code, one.level) == (code, "warning")
    assert one.files == ("cat/x.png", "cat/y.png", "dog/z.png")


def test_copies_in_several_splits_are_an_error_and_are_no_leak_besides(tmp_path):
    for number, split in enumerate(("train", "test")):
        make_set(tmp_path / split, 24, first=100 * number)
        notice().save(tmp_path / split / "cat" / "no_image.png")
    (one,) = audit_data(load_data(tmp_path)).findings
    assert (one.code, one.level, one.action) == ("placeholder", "error", "exclude")
    assert one.evidence["splits"] == ["train", "test"]
