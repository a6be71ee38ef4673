"""Metadata that tell the class are found by what they predict."""

import numpy as np
import pytest
from PIL import ExifTags, Image

from convlens.audit.checks.metadata import check_metadata, metadata_of
from tests.audit.photographs import gathered, make_set, photograph


@pytest.fixture
def folder(tmp_path):
    return make_set(tmp_path / "set", 40)


def checked(source):
    material = gathered(source)
    return check_metadata(material, np.arange(len(material.dataset)))


def test_metadata_that_do_not_depend_on_the_class_are_no_finding(folder, digits):
    assert checked(folder) == []
    assert checked(digits) == []


def test_another_format_of_one_class_is_found(folder):
    for number in range(30):
        (folder / "dog" / f"{number}.jpg").unlink()
        photograph(1000 + number).save(folder / "dog" / f"{number}.png")
    (one,) = checked(folder)
    assert one.code == "metadata_tells_class"
    assert one.evidence["accuracy"]["value"] == pytest.approx(0.85, abs=0.05)
    assert one.evidence["accuracy"]["low"] > 0.7
    assert one.evidence["largest_class"] == 0.5
    assert one.evidence["p"] < 0.001


def test_a_larger_size_of_one_class_is_found_by_name(folder):
    for number in range(40):
        photograph(1000 + number, (90, 96)).save(folder / "dog" / f"{number}.jpg", quality=90)
    (one,) = checked(folder)
    assert one.evidence["accuracy"]["value"] == 1
    assert one.evidence["by"][0] in ("height", "width/height")
    first, second = one.evidence["rules"]
    assert [rule["class"] for rule in (first, second)] in (["cat", "dog"], ["dog", "cat"])
    assert (first["share"], first["images"], second["share"], second["images"]) == (1, 40, 1, 40)
    assert first["if"][0][0] == second["if"][0][0] == one.evidence["by"][0]
    assert {first["if"][0][1], second["if"][0][1]} == {"<=", ">"}


def test_copies_of_one_image_do_not_make_a_finding(folder):
    for number in range(1, 40):
        for name, source in (("cat", 0), ("dog", 1000)):
            photograph(source, (70 + source // 500, 96)).save(folder / name / f"{number}.jpg")
    material = gathered(folder)
    clusters = material.dataset.labels.copy()
    assert check_metadata(material, clusters) == []
    assert len(check_metadata(material, np.arange(80))) == 1


def test_images_of_no_known_camera_are_told_by_that(folder):
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "EOS 5D"
    for number in range(40):
        photograph(1000 + number).save(folder / "dog" / f"{number}.jpg", quality=90, exif=exif)
    names, values = metadata_of(gathered(folder))
    assert values[:, names.index("camera ")].sum() == 40
    (one,) = checked(folder)
    conditions = {tuple(rule["if"][0]) for rule in one.evidence["rules"]}
    assert all(name != "camera" or isinstance(limit, str) for name, _, limit in conditions)
    assert all(name == name.strip() for name in one.evidence["by"])


def test_words_become_columns_where_they_occur_often_enough(folder):
    for number in range(12):
        photograph(number).save(folder / "cat" / f"{number}.jpg", format="PNG")
    names, values = metadata_of(gathered(folder))
    assert "format PNG" in names
    assert values[:, names.index("format PNG")].sum() == 12
    assert "width" not in names  # it does not vary
