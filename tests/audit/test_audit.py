"""All checks together: a clean set has no findings, and each defect that is planted is found."""

import json
import shutil
from dataclasses import replace

import pytest
from PIL import Image

from convlens.audit import audit
from convlens.audit.audit import audit_data, sorted_findings
from convlens.audit.finding import found
from convlens.config import Config
from convlens.data.prepared import prepare_data
from convlens.data.sources import load_data
from tests.audit.photographs import make_set


@pytest.fixture
def folder(tmp_path):
    return make_set(tmp_path / "set", 25)


def test_a_clean_set_has_no_findings(folder):
    done = audit_data(load_data(folder))
    assert done.findings == ()
    assert done.levels == {"error": 0, "warning": 0, "note": 0}
    assert done.left_out == ()


def test_what_is_planted_is_found_with_the_worst_first(folder):
    shutil.copy(folder / "cat" / "0.jpg", folder / "dog" / "x.jpg")
    shutil.copy(folder / "cat" / "1.jpg", folder / "cat" / "y.jpg")
    (folder / "cat" / "empty.jpg").touch()
    Image.new("RGB", (96, 72)).save(folder / "dog" / "black.jpg")
    done = audit_data(load_data(folder))
    assert done.codes == {"empty_file": 1, "two_labels": 1, "exact_copy": 1, "blank": 1}
    assert list(done.codes) == ["empty_file", "two_labels", "exact_copy", "blank"]
    assert done.of("two_labels")[0].files == ("cat/0.jpg", "dog/x.jpg")
    told = json.loads(json.dumps(done.to_dict()))
    assert list(told) == [
        "format", "source", "path", "images", "class_names", "notes", "levels", "codes",
        "findings", "left_out", "seconds",
    ]  # fmt: skip
    assert told["levels"] == {"error": 2, "warning": 2, "note": 0}
    assert [one["code"] for one in told["findings"]] == list(done.codes)


def test_images_that_are_decoded_are_not_decoded_again(folder, monkeypatch):
    prepared = prepare_data(load_data(folder), Config())
    monkeypatch.setattr(audit, "open_store", None)
    assert audit_data(prepared).findings == ()


def test_checks_that_do_not_fit_into_the_time_are_named(folder):
    done = audit_data(load_data(folder), seconds=-1)
    assert done.findings == ()
    assert [check for check, reason in done.left_out][:3] == [
        "files",
        "images that show nothing",
        "leaks",
    ]
    assert {reason for check, reason in done.left_out} == {"there was no time"}


def test_a_code_stands_where_its_worst_finding_does(digits):
    rows = [
        found("flipped_copy", digits, [1]),
        found("exact_copy", digits, [2]),
        found("flipped_copy", digits, [0], level="error"),
    ]
    ordered = [(one.code, one.indices) for one in sorted_findings(rows)]
    assert ordered == [("flipped_copy", (0,)), ("flipped_copy", (1,)), ("exact_copy", (2,))]


def test_pairs_that_were_not_compared_are_told(folder):
    prepared = prepare_data(load_data(folder), Config())
    pairs = replace(prepared.pairs, complete=False, crowded=1200)
    assert audit_data(replace(prepared, pairs=pairs)).left_out == (
        (
            "some near-duplicates",
            "of the pairs that are alike, only those most alike were compared",
        ),
        ("some near-duplicates", "1,200 images have too many others like them"),
    )


def test_a_set_whose_images_show_nothing_has_nothing_else_to_check(tmp_path):
    for number in range(8):
        path = tmp_path / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (20 + number, 30), (30 * number,) * 3).save(path)
    assert set(audit_data(load_data(tmp_path)).codes) == {"blank", "small_class"}
