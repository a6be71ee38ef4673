"""Classes that are small or unequal, and grey images in a coloured set."""

import numpy as np
import pytest
from PIL import Image
from scipy.stats import chi2_contingency

from convlens.audit.checks import classes
from convlens.audit.checks.classes import check_classes
from convlens.audit.in_short import in_short
from tests.audit.photographs import found_by, make_set, photograph


@pytest.fixture
def folder(tmp_path):
    return make_set(tmp_path / "set", 20)


def test_equal_classes_of_coloured_images_have_no_findings(folder):
    assert found_by(check_classes, folder) == {}


def test_a_class_is_small_by_the_images_that_can_be_read(folder):
    (folder / "cat" / "0.jpg").write_bytes(b"damaged")
    (one,) = found_by(check_classes, folder)["small_class"]
    assert one.evidence == {"class": "cat", "images": 19}
    assert len(one.files) == 19


def test_single_class_is_said_in_one_line(folder):
    for path in (folder / "dog").iterdir():
        path.unlink()
    (one,) = found_by(check_classes, folder)["one_class"]
    assert one.evidence == {"class": "cat", "images": 20}
    assert in_short(one) == "cat (20)"


def test_classes_whose_names_differ_in_case_or_spaces_are_named(folder):
    (folder / "cat").rename(folder / "Dog ")
    (one,) = found_by(check_classes, folder)["alike_names"]
    assert one.evidence == {"classes": ["dog", "Dog "]}
    assert in_short(one) == "dog / Dog "


def test_unequal_classes_are_named(folder, monkeypatch):
    monkeypatch.setattr(classes, "UNEQUAL", 1.5)
    for number in range(12):
        photograph(5000 + number).save(folder / "dog" / f"more{number}.jpg")
    (one,) = found_by(check_classes, folder)["unequal_classes"]
    assert one.evidence == {"largest": "dog", "smallest": "cat", "images": [32, 20]}


def test_classes_are_compared_by_the_images_that_can_be_read(folder, monkeypatch):
    monkeypatch.setattr(classes, "UNEQUAL", 2)
    assert found_by(check_classes, folder) == {}
    for number in range(15):
        (folder / "cat" / f"{number}.jpg").write_bytes(b"damaged")
    (one,) = found_by(check_classes, folder)["unequal_classes"]
    assert one.evidence == {"largest": "dog", "smallest": "cat", "images": [20, 5]}


def test_grey_images_are_a_warning_where_they_tell_the_class(folder):
    for name in ("cat/0.jpg", "dog/0.jpg"):
        photograph(1).convert("L").save(folder / name)
    (one,) = found_by(check_classes, folder)["grey_in_colour"]
    assert (one.level, one.files) == ("note", ("cat/0.jpg", "dog/0.jpg"))
    for number in range(30):
        photograph(100 + number).save(folder / "cat" / f"more{number}.jpg")
        image = photograph(200 + number)
        image = image.convert("L") if number < 14 else image
        image.save(folder / "dog" / f"more{number}.jpg")
    (one,) = found_by(check_classes, folder)["grey_in_colour"]
    assert one.level == "warning"
    assert one.evidence["by_class"] == {"cat": 1, "dog": 15}
    assert one.evidence["p"] < 0.001


def test_a_photograph_in_colour_that_is_nearly_black_is_not_grey(folder):
    image = photograph(5)
    pale = Image.blend(image.convert("L").convert("RGB"), image, 0.1)
    dark = pale.point(lambda level: level // 12)  # its colourfulness is 0.9, its contrast 2.5
    dark.save(folder / "cat" / "0.jpg", quality=95)
    assert "grey_in_colour" not in found_by(check_classes, folder)
    dark.convert("L").save(folder / "cat" / "0.jpg", quality=95)
    (one,) = found_by(check_classes, folder)["grey_in_colour"]
    assert one.files == ("cat/0.jpg",)


@pytest.mark.parametrize(
    "table",
    [
        [[12, 3], [8, 17]],
        [[10, 10], [11, 10]],  # a difference that Yates' correction takes away
        [[12, 3, 0], [8, 17, 5]],
        [[0, 1, 0, 40], [90, 70, 3, 20]],
    ],
)
def test_chance_is_that_of_the_test_of_scipy(table):
    expected = chi2_contingency(table).pvalue
    assert classes._chance(np.array(table)) == pytest.approx(expected, rel=1e-9)


def test_grey_images_of_a_single_class_are_no_surprise():
    assert classes._chance(np.array([[3], [40]])) == 1
