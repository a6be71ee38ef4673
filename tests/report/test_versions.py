"""Finished runs side by side: which images count, what differs, and what is refused."""

import json

import numpy as np
import pytest

from convlens.errors import ConfigError, RunError
from convlens.evaluation.paired import difference_interval, mcnemar
from convlens.report.versions import compare_runs
from tests.scored import predicted, write_run

NAMES = ("cat", "dog")
FILES = [f"{number}.png" for number in range(40)]
LABELS = [number % 2 for number in range(40)]


def answers(wrong):
    return [1 - label if number in wrong else label for number, label in enumerate(LABELS)]


def test_the_better_one_of_two_is_named_with_its_p(tmp_path):
    old = write_run(tmp_path / "old", predicted(LABELS, answers(range(12)), NAMES), FILES)
    new = predicted(LABELS, answers([0, 39]), NAMES)
    write_run(tmp_path / "new", new, FILES, second=1, seed=7)
    found = compare_runs([tmp_path / "new", old]).to_dict()
    assert [one["name"] for one in found["versions"]] == ["old", "new"]  # as they began
    (pair,) = found["pairs"]
    assert pair["text"].startswith("new is better than old (p = 0.0063)")
    assert pair["p"] == mcnemar(1, 11)
    assert (pair["both"], pair["first_only"], pair["second_only"], pair["neither"]) == (
        27,
        1,
        11,
        1,
    )
    assert pair["difference"] == pytest.approx(10 / 40)
    assert (pair["low"], pair["high"]) == difference_interval(11, 1, 40)
    assert found["notes"] == []
    assert found["differences"] == [{"setting": "seed", "values": [0, 7]}]


def test_a_beginning_that_is_no_date_comes_first(tmp_path):
    for second, name in enumerate(("old", "new")):
        folder = tmp_path / name
        write_run(folder, predicted(LABELS, answers([second]), NAMES), FILES, second=second)
    data = json.loads((tmp_path / "new" / "data.json").read_text())
    (tmp_path / "new" / "data.json").write_text(json.dumps(data | {"began": "yesterday"}))
    found = compare_runs([tmp_path / "old", tmp_path / "new"]).to_dict()
    assert [one["name"] for one in found["versions"]] == ["new", "old"]


def test_three_are_corrected_by_holm(tmp_path):
    for number, wrong in enumerate((range(12), [0], range(6))):
        write_run(
            tmp_path / str(number), predicted(LABELS, answers(wrong), NAMES), FILES, second=number
        )
    found = compare_runs([tmp_path / name for name in "012"]).to_dict()
    assert len(found["pairs"]) == 3
    assert all(pair["p_corrected"] >= pair["p"] for pair in found["pairs"])
    assert found["test"].endswith("Holm's correction for 3 pairs")


def test_other_test_images_and_other_labels_are_said(tmp_path):
    write_run(tmp_path / "old", predicted(LABELS, answers([0]), NAMES), FILES)
    labels = [1, *LABELS[1:30]]
    seen = predicted(labels, labels, NAMES, images_seen="validation")
    write_run(tmp_path / "new", seen, FILES[:30], second=1)
    found = compare_runs([tmp_path / "old", tmp_path / "new"]).to_dict()
    assert found["pairs"][0]["n"] == 30
    assert found["notes"] == [
        "The test images differ (old 40, new 30). Of each two, only the images count that both "
        "were tested on: a network may have learned from the others.",
        "1 of the common images has different labels in these versions; of each two, the label of "
        "the later one counts.",
        "The epoch of new was chosen on these images, so the accuracy is slightly too high.",
    ]
    # By the label of the later version, the earlier one has predicted image 0 correctly.
    assert found["pairs"][0]["accuracies"][0]["value"] == 1


def test_each_pair_has_its_own_images_and_those_without_any_are_named(tmp_path):
    for number, part in enumerate((FILES[:16], FILES[:16], FILES[13:20], FILES[30:])):
        labels = [0] * len(part)
        right = predicted(labels, [number % 2] * len(part), NAMES)
        write_run(tmp_path / f"run-{number}", right, part, second=number)
    found = compare_runs([tmp_path / f"run-{number}" for number in range(4)]).to_dict()
    assert [(pair["first"], pair["second"], pair["n"]) for pair in found["pairs"]] == [
        ("run-0", "run-1", 16),
        ("run-0", "run-2", 3),
        ("run-1", "run-2", 3),
    ]
    assert found["pairs"][0]["p_corrected"] == 3 * mcnemar(16, 0)
    assert found["test"].endswith("Holm's correction for 3 pairs")
    assert found["notes"][1] == (
        "No test image is common to these, so they cannot be compared: run-0 and run-3, "
        "run-1 and run-3, run-2 and run-3."
    )


def test_a_version_of_another_place_does_not_part_the_others(tmp_path):
    for number, place in enumerate(("here", "there", "here")):
        (tmp_path / place).mkdir(exist_ok=True)
        scores = predicted(LABELS, LABELS, NAMES)
        write_run(tmp_path / f"run-{number}", scores, FILES, path=tmp_path / place, second=number)
    found = compare_runs([tmp_path / f"run-{number}" for number in range(3)]).to_dict()
    assert [(pair["first"], pair["second"], pair["n"]) for pair in found["pairs"]] == [
        ("run-0", "run-2", 40)
    ]
    assert [note for note in found["notes"] if "images of two places are never common" in note]


def test_images_of_other_places_are_not_common_though_their_names_are(tmp_path):
    for number, place in enumerate(("here", "there")):
        (tmp_path / place).mkdir()
        scores = predicted(LABELS, LABELS, NAMES)
        path = tmp_path / place
        write_run(tmp_path / f"run-{number}", scores, FILES, path=path, second=number)
    runs = [tmp_path / "run-0", tmp_path / "run-1"]
    found = compare_runs(runs).to_dict()
    assert found["pairs"] == []
    assert "lie in different places" in found["notes"][2]
    (tmp_path / "here").rmdir()
    assert compare_runs(runs).to_dict()["pairs"] == []  # the names of the folders differ


def test_images_of_a_folder_that_was_moved_are_matched_by_their_names(tmp_path):
    (tmp_path / "new" / "pets").mkdir(parents=True)
    scores = predicted(LABELS, LABELS, NAMES)
    for number, place in enumerate(("old", "new")):
        path = tmp_path / place / "pets"
        write_run(tmp_path / f"run-{number}", scores, FILES, path=path, second=number)
    other = predicted(LABELS, LABELS, ("ant", "bee"))
    write_run(tmp_path / "run-2", other, FILES, path=tmp_path / "old" / "pets", second=2)
    found = compare_runs([tmp_path / "run-0", tmp_path / "run-1"]).to_dict()
    assert found["pairs"][0]["n"] == 40
    assert [note for note in found["notes"] if "pets: not there any more" in note]
    found = compare_runs([tmp_path / "run-1", tmp_path / "run-2"]).to_dict()
    assert found["pairs"] == []  # other classes


def test_what_cannot_be_compared_is_said(tmp_path):
    run = write_run(tmp_path / "run", predicted(LABELS, LABELS, NAMES), FILES)
    other = write_run(tmp_path / "the other", predicted(LABELS, LABELS, NAMES), FILES)
    with pytest.raises(ConfigError, match="compare 2 to 8 runs; found 1"):
        compare_runs([run])
    with pytest.raises(ConfigError, match="named once"):
        compare_runs([run, run])
    (other / "predictions.csv").unlink()
    with pytest.raises(RunError, match=r"without predictions\.csv.* evaluate '.*the other'"):
        compare_runs([run, other])
    report = {"title": "other", "n": 0, "metrics": {}}
    (other / "report.json").write_text(json.dumps(report), encoding="utf-8")
    with pytest.raises(RunError, match="has no scores, since no images were set aside"):
        compare_runs([run, other])


def test_a_hundred_classes_are_no_matter(tmp_path):
    names = tuple(f"class {number}" for number in range(100))
    labels = np.arange(300) % 100
    files = [f"{number}.png" for number in range(300)]
    for number in range(2):
        scores = predicted(labels.tolist(), np.roll(labels, number).tolist(), names)
        write_run(tmp_path / str(number), scores, files, second=number)
    assert compare_runs([tmp_path / "0", tmp_path / "1"]).to_dict()["pairs"][0]["first_only"] == 300
