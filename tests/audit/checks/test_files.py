"""Files that cannot be used, each for its reason, and files that are not what their name says."""

import pytest
from PIL import Image

from convlens.audit.checks import files
from convlens.audit.checks.files import check_files, reason_of
from convlens.image_file import DAMAGED
from convlens.language import _
from convlens.language_choice import using
from tests.audit.photographs import found_by, make_set, photograph


@pytest.fixture
def folder(tmp_path):
    return make_set(tmp_path / "set", 4)


def test_a_clean_set_has_no_findings(folder):
    assert found_by(check_files, folder) == {}


def test_every_reason_why_a_file_cannot_be_read_has_its_code(folder):
    cats = folder / "cat"
    (cats / "empty.jpg").touch()
    whole = (cats / "0.jpg").read_bytes()
    (cats / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (cats / "text.png").write_text("not an image")
    (cats / "gone.jpg").symlink_to(folder / "nowhere.jpg")
    found = found_by(check_files, folder)
    assert {code: [one.files for one in some] for code, some in found.items()} == {
        "empty_file": [("cat/empty.jpg",)],
        "truncated": [("cat/cut.jpg",)],
        "unreadable": [("cat/text.png",)],
        "missing_file": [("cat/gone.jpg",)],
    }
    assert all(one.level == "error" for some in found.values() for one in some)
    assert "truncated" in found["truncated"][0].evidence["problem"]


def test_the_reason_is_looked_up_in_the_file(folder, monkeypatch):
    path = folder / "cat" / "0.jpg"
    monkeypatch.setattr(files, "MAX_PIXELS", 1000)
    assert reason_of(path, "") == "huge_file"
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert reason_of(path, "") == "huge_file"


def test_the_reason_is_understood_in_every_language(folder):
    with using("zh"):
        problem = _(DAMAGED).format(name="0.jpg", reason=_("image file is truncated"))
    assert reason_of(folder / "cat" / "0.jpg", problem) == "truncated"


def test_one_huge_image_among_small_ones_is_named_and_large_images_are_not(folder, monkeypatch):
    monkeypatch.setattr(files, "HUGE_PIXELS", 100_000)
    photograph(7, (600, 800)).save(folder / "cat" / "huge.jpg")
    (huge,) = found_by(check_files, folder)["huge_file"]
    assert huge.files == ("cat/huge.jpg",)
    assert huge.evidence["pixels"] == 480_000
    for number in range(10):
        photograph(number, (600, 800)).save(folder / "dog" / f"large{number}.jpg")
    assert found_by(check_files, folder) == {}


def test_a_suffix_of_another_format_is_named_but_not_another_suffix_of_the_same(folder):
    photograph(1).save(folder / "cat" / "a.png", format="JPEG")
    photograph(2).save(folder / "cat" / "b.jpeg", format="JPEG")
    photograph(3).save(folder / "cat" / "c.jpg", format="MPO")
    photograph(4).save(folder / "cat" / "d.jfif", format="JPEG")
    (one,) = found_by(check_files, folder)["wrong_type"]
    assert one.files == ("cat/a.png",)
    assert one.evidence == {"format": "JPEG", "format_of_name": "PNG"}
