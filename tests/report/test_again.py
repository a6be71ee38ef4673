"""A finished classifier is scored again, on the images of its run or on others."""

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from convlens.checksums import unseal
from convlens.errors import DataError, RunError
from convlens.language import _, recorded
from convlens.report import leak_free
from convlens.report.again import images_of, refuse_several, score_again, score_other
from convlens.report.content import accuracy_in_words, none_of_these_in_words
from convlens.report.finish import finish
from convlens.run_check import check_files
from tests.report.conftest import copied
from tests.trainings import QUIET, recording

pytestmark = pytest.mark.usefixtures("no_charts")


@pytest.fixture
def run(runs, tmp_path):
    return copied(runs[0], tmp_path)


def test_scored_again_the_report_says_the_same(run, digits):
    before = run.report
    folder = score_again(run, run.classifier(), digits, QUIET)
    assert folder == run.folder
    assert run.report["none_of_these"] == before["none_of_these"]
    assert run.report["metrics"] == before["metrics"]
    assert (before["test_evaluations"], run.report["test_evaluations"]) == (1, 2)


def test_scored_again_the_report_keeps_the_remarks_of_the_training(run, digits):
    note = recorded(_("{text}: {choices}").format(text="a remark", choices="of the audit"))
    unseal(run.folder)
    facts = {"more_notes": [note], "enlarged_from": [4, 6]}
    run.write("data.json", json.dumps(run.data | facts))
    score_again(run, run.classifier(), digits, QUIET)
    enlarged, remark = run.report["data"]["notes"]
    assert enlarged.startswith("at 4 x 6 the images are too small for the network")
    assert remark == "a remark: of the audit"


def test_a_run_with_another_split_is_not_scored(run, digits):
    """Its training images would be scored as if it had not seen them."""
    splits = run.data["splits"]
    swapped = splits | {"train": splits["test"], "test": splits["train"]}
    run.write("data.json", json.dumps(run.data | {"splits": swapped}))
    before = run.report
    with pytest.raises(RunError, match=r"data\.json: the settings and the split .* was changed"):
        score_again(run, run.classifier(), digits, QUIET)
    assert run.report == before


def test_a_history_that_was_changed_is_still_told_after_scoring(run, digits):
    path = run.folder / "history.csv"
    path.write_text(path.read_text() + "\n")
    score_again(run, run.classifier(), digits, QUIET)
    changed = [one.name for one in check_files(run.folder) if one.is_wrong]
    assert changed == ["history.csv"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("few", r"its score is the mean over draws.*convlens evaluate .*draw-1\. .*--data PATH"),
        ("folds", r"a cross-validation scored every image once already.*--data PATH"),
    ],
)
def test_a_run_of_several_trainings_is_not_scored_again(run, digits, kind, said):
    run.write("data.json", json.dumps(run.data | {kind: 5}))
    with pytest.raises(RunError, match=said):
        score_again(run, run.classifier(), digits, QUIET)


def test_the_command_for_a_draw_can_be_typed():
    few = SimpleNamespace(folder=Path("runs/my run"), data={"few": 5})
    with pytest.raises(RunError, match="convlens evaluate 'runs/my run/draw-1'"):
        refuse_several(few)


def test_a_run_without_images_set_aside_has_none_to_score(run, digits):
    splits = run.data["splits"]
    everything = {"train": splits["train"], "val": [], "test": []}
    unseal(run.folder)  # as a training that set none aside would have sealed other splits
    run.write("data.json", json.dumps(run.data | {"splits": everything}))
    with pytest.raises(DataError, match="this run set none aside"):
        score_again(run, run.classifier(), digits, QUIET)


def test_a_head_on_features_is_said_to_differ_a_little(run, digits):
    classifier = run.classifier()
    classifier.provenance |= {"features": "bfloat16 on openvino", "best": {"epoch": 0}}
    screen, text = recording()
    score_again(run, classifier, digits, screen)
    assert "computed from features in bfloat16 on openvino" in text.getvalue()


def test_other_images_are_scored_into_a_folder_of_their_own(run, digits):
    chosen = np.arange(40)
    other = dataclasses.replace(
        digits, source="other", images=digits.images[chosen], labels=digits.labels[chosen]
    )
    before = run.report
    screen, text = recording()
    folder = score_other(run, run.classifier(), other, screen)
    assert folder == run.folder / "evaluations" / "other"
    facts = json.loads((folder / "report.json").read_text())
    assert (facts["n"], facts["images_seen"], facts["evaluated"]) == (40, "other", other.source)
    rows = run.classifier().probabilities(digits.images[..., None], indices=chosen)
    correct = (rows.argmax(1) == digits.labels[chosen]).mean()
    assert facts["metrics"]["accuracy"]["value"] == correct
    assert "few images, wide intervals" in text.getvalue()
    splits = run.data["splits"]
    learned = np.isin(chosen, splits["train"] + splits["val"])
    said = f"the classifier has learned from {learned.sum()} of these 40 images: the scores are"
    assert said in text.getvalue()
    unseen = chosen[~learned]
    other = dataclasses.replace(
        other, images=digits.images[unseen], labels=digits.labels[unseen], source="unseen"
    )
    screen, text = recording()
    score_other(run, run.classifier(), other, screen)
    assert "too high" not in text.getvalue()
    assert run.report == before


def test_images_of_one_name_and_different_places_have_reports_of_their_own(run, digits, tmp_path):
    places = [tmp_path / name for name in ("one/test", "two/test", "hospital.A", "hospital.B")]
    for place in places:
        place.mkdir(parents=True)
    table = tmp_path / "one" / "test.csv"
    table.touch()
    few = dataclasses.replace(digits, images=digits.images[:20], labels=digits.labels[:20])

    def scored(place):
        return score_other(
            run, run.classifier(), dataclasses.replace(few, source=str(place)), QUIET
        )

    folders = [scored(place) for place in (*places, table)]
    assert [folder.name for folder in folders] == [
        "test",
        "test-2",
        "hospital.A",
        "hospital.B",
        "test-3",
    ]
    for place, folder in zip((*places, table), folders, strict=True):
        assert json.loads((folder / "report.json").read_text())["evaluated"] == str(place)
    assert scored(places[1]) == folders[1]  # its own report is replaced


def test_scoring_again_removes_what_a_killed_process_has_left_where_no_other_one_writes(
    run, digits
):
    left = [run.folder / ".01234567.report.html", run.folder / "plots" / ".89abcdef.history.png"]
    others = [run.folder / name / ".01234567.page.html" for name in ("evaluations", "explanations")]
    for path in (*left, *others):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    score_again(run, run.classifier(), digits, QUIET)
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in others)


def test_a_finished_run_is_scored_by_one_process_at_a_time(run, digits):
    before = run.report
    with ThreadPoolExecutor(1) as other, run.locked():
        scored = other.submit(score_again, run, run.classifier(), digits, QUIET)
        with pytest.raises(RunError, match="one process at a time works on a run"):
            scored.result()
    assert run.report == before


def test_of_other_images_the_test_split_is_scored_where_there_is_one(run, digits):
    names = np.where(np.arange(len(digits)) < 30, "test", "train")
    folder = score_other(run, run.classifier(), dataclasses.replace(digits, splits=names), QUIET)
    assert json.loads((folder / "report.json").read_text())["n"] == 30


@pytest.mark.parametrize("name", ["train", "validation", "test"])
def test_other_images_are_not_taken_for_those_of_the_run_by_the_name_of_their_folder(
    run, digits, tmp_path, name
):
    place = tmp_path / "hospital" / name
    place.mkdir(parents=True)
    other = dataclasses.replace(
        digits, source=str(place), images=digits.images[:40], labels=digits.labels[:40]
    )
    screen, text = recording()
    folder = score_other(run, run.classifier(), other, screen)
    facts = json.loads((folder / "report.json").read_text())
    assert facts["images_seen"] == f"hospital/{name}"
    said = accuracy_in_words(facts) + none_of_these_in_words(facts)
    assert "For new images of the same kind, expect an accuracy between" in said
    assert "was chosen on these images" not in said
    assert "--folds" not in text.getvalue()


def test_the_images_of_the_training_are_noted(run, digits):
    screen, text = recording()
    folder = score_other(run, run.classifier(), digits, screen)
    assert "these are the images of the training: the scores are too high" in text.getvalue()
    page = (folder / "report.html").read_text("utf-8")
    assert "The network learned from these images." in page
    assert "For new images of the same kind" not in page


def test_without_the_leak_the_score_stands_beside_the_given_one(run, digits, monkeypatch):
    splits = run.data["splits"]
    none = SimpleNamespace(first=np.zeros(0, np.int64), second=np.zeros(0, np.int64))
    first, second = np.searchsorted(run.data["drawn"], [splits["train"][0], splits["test"][3]])
    pair = SimpleNamespace(first=np.array([first]), second=np.array([second]))
    given = run.report["metrics"]["accuracy"]
    for pairs, leaking in ((none, []), (pair, [str(splits["test"][3])])):
        monkeypatch.setattr(leak_free, "find_pairs", lambda store, found=pairs, **options: found)
        screen, said = recording()
        score_again(run, run.classifier(), digits, screen, without_leak=True)
        content = run.report["leak_free"]
        assert content["files"] == leaking
        assert content["given"] == given
        assert content["leaked"]["n"] == len(leaking)
        assert content["without"]["n"] == given["n"] - len(leaking)
        assert ("without the leak" in said.getvalue()) == bool(leaking)


def test_a_second_view_stands_beside_the_given_score(run, digits):
    given = run.report["metrics"]["accuracy"]
    screen, said = recording()
    score_again(run, run.classifier(), digits, screen, mirrored=True)
    found = run.report["views"]
    assert found["given"] == given
    assert run.report["metrics"]["accuracy"] == given  # the score of the run stays that of one view
    pair = found["pair"]
    gained = (found["together"]["value"] - given["value"]) * given["n"]
    assert pair["second_only"] - pair["first_only"] == pytest.approx(gained)
    assert 0 < found["doubted"] <= given["n"]
    assert "the pair of views" in said.getvalue()
    assert "the training did not mirror images" in said.getvalue()


def test_other_images_get_a_second_view_too(run, digits):
    folder = score_other(run, run.classifier(), digits, QUIET, mirrored=True)
    content = json.loads((folder / "report.json").read_text())
    assert content["views"]["given"] == content["metrics"]["accuracy"]


def test_a_run_that_can_go_on_is_scored_and_still_goes_on(run, digits, tmp_path):
    """A report beside its run.toml would count as its end."""
    (run.folder / "report.json").unlink()
    classifier = run.classifier()
    screen, text = recording()
    folder = score_again(run, classifier, digits, screen)
    assert folder == run.folder / "evaluations" / digits.name
    assert f"goes on with: convlens train --run {run.folder} --resume" in text.getvalue()
    score_again(run, classifier, digits, QUIET)
    assert json.loads((folder / "report.json").read_text())["test_evaluations"] == 2
    # Scores of other images at the same place count nothing, and forget nothing.
    assert score_other(run, classifier, digits, QUIET) == folder
    moved = dataclasses.replace(digits, source=str(tmp_path / "moved"))
    assert score_again(run, classifier, moved, QUIET) != folder
    assert not run.finished
    finish(run, images_of(run, classifier, digits, QUIET), QUIET, explain=False)
    assert run.report["test_evaluations"] == 4


def test_a_part_of_a_finished_study_keeps_the_count_of_its_evaluations(run, digits):
    part = copied(run, run.folder)
    (part.folder / "report.json").unlink()
    (run.folder / "report.json").rename(run.folder / "kept.json")
    run.write("data.json", json.dumps(run.data | {"folds": 1}))
    score_again(part, part.classifier(), digits, QUIET)
    (run.folder / "kept.json").rename(run.folder / "report.json")
    score_again(part, part.classifier(), digits, QUIET)
    assert part.report["test_evaluations"] == 2
