"""The gate says in a few lines what was found, and takes no longer than it may."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from convlens.audit import gate, time_limit
from convlens.audit.audit import Audit, audit_data
from convlens.audit.finding import found
from convlens.audit.gate import as_checked, check_before_training, short_form
from convlens.audit.in_short import in_short
from convlens.audit.time_limit import time_for
from convlens.config import Config
from convlens.data.prepared import prepare_data
from convlens.data.sources import load_data
from convlens.data.splits import Splits
from convlens.language import again
from convlens.language_choice import using
from tests.audit.photographs import make_set


def prepared_of(folder):
    return prepare_data(load_data(folder), Config())


def test_a_clean_set_has_no_line(tmp_path):
    checked = check_before_training(prepared_of(make_set(tmp_path / "set", 25)))
    assert checked.more_notes == ()
    assert checked.to_dict()["audit"]["levels"] == {"error": 0, "warning": 0, "note": 0}


def test_leaks_are_the_first_line_and_in_the_record(tmp_path):
    make_set(tmp_path / "set" / "train", 25)
    make_set(tmp_path / "set" / "test", 25, first=100)
    shutil.copy(tmp_path / "set/train/cat/0.jpg", tmp_path / "set/test/cat/0.jpg")
    prepared = prepared_of(tmp_path / "set")
    checked = check_before_training(replace(prepared, more_notes=("of the network",)))
    assert checked.more_notes == (
        "copies across splits: 1 finding, 2 images (train/cat/0.jpg = test/cat/0.jpg)",
        f"to see all of it, with advice: convlens audit {tmp_path / 'set'}",
        "of the network",
    )
    recorded = checked.to_dict()["audit"]
    assert recorded["codes"] == {"leaked_copy": 1}
    assert recorded["findings"][0]["files"] == ["train/cat/0.jpg", "test/cat/0.jpg"]


def test_a_resumed_run_says_the_notes_in_its_own_language(tmp_path):
    make_set(tmp_path / "set" / "train", 25)
    make_set(tmp_path / "set" / "test", 25, first=100)
    shutil.copy(tmp_path / "set/train/cat/0.jpg", tmp_path / "set/test/cat/0.jpg")
    prepared = prepared_of(tmp_path / "set")
    with using("zh"):
        first = check_before_training(prepared)
        chinese = first.more_notes
        assert as_checked(prepared, json.loads(json.dumps(first.audit))).more_notes == chinese
    with using("en"):
        resumed = as_checked(prepared, json.loads(json.dumps(first.audit)))
    assert resumed.more_notes == (
        "copies across splits: 1 finding, 2 images (train/cat/0.jpg = test/cat/0.jpg)",
        f"to see all of it, with advice: convlens audit {tmp_path / 'set'}",
    )
    with using("zh"):
        assert again(resumed.more_notes) == chinese  # as a page in both languages says them


def test_only_the_worst_codes_have_a_line_and_others_are_named(digits, monkeypatch):
    monkeypatch.setattr(gate, "MOST_CODES", 1)
    findings = (
        found("two_labels", digits, [3, 5], {"kind": "bytes"}),
        found("blank", digits, [7]),
        found("dark", digits, [8]),
        found("unreadable", digits, [9]),
    )
    left_out = (("metadata", "there was no time"), ("some near-duplicates", "many are alike"))
    assert short_form(Audit(digits, findings, left_out)) == [
        "one image under two labels: 1 finding, 2 images (3 = 5)",
        "also found: blank images, very dark images; to see all of it: convlens audit digits",
        "not checked, since it would have delayed the training: metadata; convlens audit digits",
        "not checked: some near-duplicates; many are alike",
    ]


@pytest.mark.parametrize(
    ("side", "images", "seconds"), [(8, 1000, 2.0), (224, 10_000, 6.02), (224, 10**6, 30.0)]
)
def test_the_gate_takes_a_tenth_of_the_first_epoch_at_most(side, images, seconds):
    none = np.zeros(0, np.int64)
    prepared = SimpleNamespace(
        preprocessing=SimpleNamespace(shape=(side, side, 3)),
        splits=Splits(np.arange(images), none, none),
    )
    assert time_for(prepared) == pytest.approx(seconds, abs=0.01)


def test_the_clock_decides_no_split(tmp_path, monkeypatch):
    folder = make_set(tmp_path / "set", 25)
    shutil.copy(folder / "cat" / "0.jpg", folder / "cat" / "x.jpg")
    prepared = prepared_of(folder)
    monkeypatch.setattr(time_limit, "time_for", lambda prepared: -1)
    checked = check_before_training(prepared)
    assert checked.splits is prepared.splits
    assert "not checked" in checked.more_notes[0]
    assert len(audit_data(prepared).findings) == 1


def test_findings_without_files_are_told_by_what_was_measured(digits):
    accuracy = {"value": 0.91, "low": 0.85, "high": 0.95, "n": 120}
    evidence = {"accuracy": accuracy, "largest_class": 0.5, "by": ["width"]}
    told = short_form(Audit(digits, (found("metadata_tells_class", digits, [], evidence),)))
    assert told[0] == (
        "metadata that tell the class: 1 (the class of 85.0 to 95.0 % of the images follows from "
        "width; 50.0 % are of the largest class)"
    )
    small = found("small_class", digits, [3, 5], {"class": "3", "images": 2})
    assert (
        short_form(Audit(digits, (small,)))[0]
        == "classes with few images: 1 finding, 2 images (3 (2))"
    )


def test_a_line_names_several_findings_and_counts_the_others(digits, monkeypatch):
    small = [
        found("small_class", digits, [3, 5], {"class": name, "images": 2})
        for name in ("1", "2", "3", "4", "5")
    ]
    (line, _how) = short_form(Audit(digits, tuple(small[:2])))
    assert line == "classes with few images: 2 (1 (2), 2 (2))"
    asked = []
    monkeypatch.setattr(gate, "in_short", lambda one: asked.append(one) or in_short(one))
    (line, _how) = short_form(Audit(digits, tuple(small)))
    assert len(asked) == 3  # and not one of thousands of findings that is not shown
    assert line == "classes with few images: 5 findings, 2 images (1 (2), 2 (2), 3 (2) and 2 more)"


def test_the_command_is_said_to_audit_all_images_where_a_limit_has_left_some(digits):
    told = short_form(Audit(digits, (found("blank", digits, [7]),)), limited=True)
    assert told[-1].endswith("audit digits (of all images, not only those that --limit left)")


def test_a_training_with_a_limit_says_that_the_command_audits_all_images(tmp_path):
    dataset = load_data(make_set(tmp_path / "set", 25))
    checked = check_before_training(prepare_data(dataset, Config().replace(limit=12)))
    assert "only those that --limit left" in checked.more_notes[-1]


def test_the_command_that_shows_all_obeys_the_same_lists(digits):
    used = SimpleNamespace(list=SimpleNamespace(path=Path("my list.csv")))
    told = short_form(Audit(replace(digits, lists=(used,)), (found("blank", digits, [7]),)))
    assert told[-1].endswith("convlens audit digits --using 'my list.csv'")
