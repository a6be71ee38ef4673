"""The scores of a workspace: their numbers, the images of each cell, and versions side by side."""

import json

import numpy as np
import pytest

from convlens.evaluation.paired import mcnemar
from convlens.lock import locked
from convlens.studio.scores.predicting import ENDED
from tests.scored import predicted, write_run
from tests.studio.versions import scores, versions, write


@pytest.fixture
def page(tmp_path):
    """Return the page of a workspace of 12 cats and 12 dogs with two versions."""
    with versions(tmp_path / "pets") as found:
        yield found


def files_of(page, query):
    return [row["file"] for row in page.get(f"/api/scores/images?{query}").json()["rows"]]


def test_the_numbers_are_those_of_the_report(page):
    found = scores(page, "old")
    report = json.loads((page.studio.runs.find("old") / "report.json").read_text(encoding="utf-8"))
    assert found["confusion"] == report["confusion"] == [[8, 4], [1, 11]]
    assert found["accuracy"]["value"] == report["metrics"]["accuracy"]["value"] == 19 / 24
    assert found["accuracy"]["text"] == "79.2 %"
    assert found["said"].startswith("The classifier is correct for 19 of 24 images (test).")
    assert "The threshold is reached by" in found["none_of_these"]
    assert found["uncalibrated"] == ""
    assert [one["recall"]["text"] for one in found["classes"]] == ["66.7 %", "91.7 %"]
    assert found["predictions"] == {"state": "ready", "differ": 0}
    assert (found["is_here"], found["best_epoch"]) == (True, 4)
    row = page.get("/api/runs").json()["runs"][1]
    assert (row["name"], row["accuracy"]["n"], row["has_cells"]) == ("old", 24, True)


def test_probabilities_that_are_not_calibrated_are_said(page):
    path = page.studio.runs.find("old") / "report.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    said = report | {"calibrated": False}  # as of a classifier of an earlier version
    path.write_text(json.dumps(said), encoding="utf-8")
    assert scores(page, "old")["uncalibrated"] == ""
    path.write_text(json.dumps(said | {"uncalibrated": "few"}), encoding="utf-8")
    assert "were not calibrated: fewer than 20 validation" in scores(page, "old")["uncalibrated"]


def test_the_best_epoch_is_the_one_that_is_kept(page):
    path = page.studio.runs.find("old") / "report.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    for row, accuracy in zip(report["history"], (0.5, 0.75, 0.75, 0.5), strict=True):
        row["val_accuracy"] = accuracy
    assert report["best_epoch"] is None  # as in reports of earlier versions
    for kept, shown in ((None, 3), (2, 2), (0, None)):  # of equal ones, the lower loss decides
        path.write_text(json.dumps(report | {"best_epoch": kept}), encoding="utf-8")
        assert scores(page, "old")["best_epoch"] == shown


def test_a_finished_run_stays_finished_while_its_images_are_predicted(page):
    folder = page.studio.runs.find("old")
    with locked(folder):
        row = page.get("/api/runs").json()["runs"][1]
        assert (row["name"], row["state"], row["accuracy"]["n"]) == ("old", "finished", 24)
        assert page.studio.queue.busy_with() == ""
        (folder / "report.json").rename(folder / "report")
        assert page.get("/api/runs").json()["runs"][1]["state"] == "training"
        assert page.studio.queue.busy_with() == "old"


def test_the_words_are_in_the_language_of_the_page(page):
    found = page.get("/api/scores?run=old", **{"Accept-Language": "zh-TW"}).json()
    assert found["said"].startswith("24 張影像")
    assert found["metrics"][0]["name"] == "準確率"
    with_list = page.get("/api/scores/compare?run=old&run=new", **{"Accept-Language": "zh-TW"})
    assert "分不出高下" in with_list.json()["pairs"][0]["text"]


def test_the_images_of_each_split_are_a_list_in_the_language_of_the_page(page, tmp_path):
    (file,) = tmp_path.rglob("old/data.json")
    data = json.loads(file.read_text())
    file.write_text(json.dumps(data | {"counts": {"train": [5, 7], "val": [2, 1], "test": [1, 1]}}))
    found = page.get("/api/scores?run=old", **{"Accept-Language": "zh-TW"}).json()
    assert ["影像", "訓練 12、驗證 3、測試 2"] in found["facts"]


def test_a_cell_has_exactly_its_images_the_surest_first(page):
    assert files_of(page, "run=old&true=0&predicted=1") == [f"cat/{n}.png" for n in (3, 2, 1, 0)]
    assert files_of(page, "run=old&true=1&predicted=0") == ["dog/0.png"]
    assert files_of(page, "run=old&only=mistakes")[0] == "dog/0.png"
    assert len(files_of(page, "run=old&only=mistakes")) == 5
    assert len(files_of(page, "run=old&true=1")) == 12
    part = page.get("/api/scores/images?run=old&true=0&offset=10&limit=5").json()
    assert (part["total"], len(part["rows"])) == (12, 2)
    (row,) = page.get("/api/scores/images?run=new&true=1&predicted=0").json()["rows"]
    assert row["id"] == page.rows()["dog/0.png"]["id"]
    assert (row["true"], row["predicted"]) == ("dog", ["cat"])
    assert row["confidence"][0] == pytest.approx(0.6 + 0.35 * 12 / 23, abs=1e-5)


def test_a_wrong_cell_is_refused(page):
    for query, field in (("true=2", "true"), ("predicted=-1", "predicted"), ("limit=501", "limit")):
        found = page.get(f"/api/scores/images?run=old&{query}")
        assert (found.status_code, found.json()["field"]) == (422, field)
    for run in ("", "nothing", "../old", "old/../new", "%00"):
        for path in ("/api/scores?", "/api/scores/images?", "/api/scores/compare?run=new&"):
            assert page.get(f"{path}run={run}").status_code == 404


def test_relabelling_from_a_cell_writes_the_list_and_undo_takes_it_back(page):
    listed = page.studio.workspace.places.list
    before = scores(page, "old")
    rows = page.get("/api/scores/images?run=old&true=0&predicted=1").json()["rows"]
    ids = [row["id"] for row in rows]
    dog = page.classes()["dog"]
    assert page.post("/api/relabel", {"images": ids[:2], "class": dog}).status_code == 200
    page.post("/api/exclude", {"images": ids[2:3]})
    text = listed.read_text(encoding="utf-8-sig")
    assert "cat/3.png,relabel,dog" in text
    assert "cat/1.png,exclude" in text
    rows = page.get("/api/scores/images?run=old&true=0&predicted=1").json()["rows"]
    assert [(row["label"] == dog, row["excluded"]) for row in rows] == [
        (True, False),
        (True, False),
        (False, True),
        (False, False),
    ]
    assert [row["true"] for row in rows] == ["cat"] * 4  # the report is what it was
    assert (before["has_other_list"], scores(page, "old")["has_other_list"]) == (False, True)
    page.post("/api/undo")
    page.post("/api/undo")
    assert scores(page, "old")["has_other_list"] is False


def test_the_list_of_a_run_is_compared_with_the_list_now(page):
    ids = [page.rows()["cat/0.png"]["id"]]
    page.post("/api/exclude", {"images": ids})
    folder = page.studio.runs.find("new")
    (folder / "lists").mkdir()
    content = page.studio.workspace.places.list.read_bytes()
    (folder / "lists" / "1-corrections.csv").write_bytes(content)
    data = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    data["lists"] = [{"file": "lists/1-corrections.csv"}]
    (folder / "data.json").write_text(json.dumps(data), encoding="utf-8")
    found = scores(page, "new")
    assert found["lists"] == [{"name": "corrections.csv", "rows": 1}]
    assert found["has_other_list"] is False
    page.post("/api/restore", {"images": ids})
    assert scores(page, "new")["has_other_list"] is True
    page.post("/api/remove", {"images": ids})  # of which the list of the run speaks alone
    assert scores(page, "new")["has_other_list"] is False


def test_images_that_are_gone_are_said(page):
    page.post("/api/remove", {"images": [page.rows()["cat/2.png"]["id"]]})
    rows = page.get("/api/scores/images?run=old&true=0&predicted=1").json()["rows"]
    assert [row["id"] is None for row in rows] == [False, True, False, False]
    write(page, "elsewhere")
    folder = page.studio.runs.find("elsewhere")
    data = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    (folder / "data.json").write_text(json.dumps(data | {"path": str(folder)}), encoding="utf-8")
    assert scores(page, "elsewhere")["is_here"] is False
    rows = page.get("/api/scores/images?run=elsewhere&true=0").json()["rows"]
    assert {row["id"] for row in rows} == {None}


def test_versions_side_by_side_are_tested_as_in_a_comparison(page):
    found = page.get("/api/scores/compare?run=new&run=old").json()
    assert found["missing"] == {}
    (pair,) = found["pairs"]
    assert (pair["first"], pair["second"]) == ("old", "new")
    assert pair["text"].startswith("new and old cannot be told apart (p = 0.12)")
    assert pair["p"] == mcnemar(0, 4)
    assert [pair[one] for one in ("both", "first_only", "second_only", "neither")] == [19, 0, 4, 1]
    query = "run=old&run=new&first=old&second=new"
    images = page.get(f"/api/scores/compare/images?{query}&cell=second").json()
    assert [row["file"] for row in images["rows"]] == [f"cat/{n}.png" for n in (3, 2, 1, 0)]
    assert images["rows"][0]["predicted"] == ["dog", "cat"]
    wrong = page.get(f"/api/scores/compare/images?{query}&cell=nothing")
    assert (wrong.status_code, wrong.json()["field"]) == (422, "cell")
    assert page.get("/api/scores/compare?run=old").status_code == 422
    assert page.get("/api/scores/compare?run=old&run=old").status_code == 422


def test_a_comparison_is_not_that_of_another_request(page, monkeypatch):
    found = page.studio.scores
    own = found.compared(["new", "old"])

    class Meddling(int):
        """A time at whose comparison another request is answered."""

        __hash__ = int.__hash__

        def __eq__(self, other):
            found._compared = ((), "of another request")
            return int(self) == int(other)

    def time_of(path):
        return Meddling(path.stat().st_mtime_ns)

    monkeypatch.setattr("convlens.studio.scores.scores.time_of", time_of)
    assert found.compared(["new", "old"]) is own


def test_an_older_run_is_asked_to_predict_first(page, monkeypatch):
    folder = page.studio.runs.find("old")
    (folder / "predictions.csv").unlink()
    assert scores(page, "old")["predictions"] == {"state": "missing"}
    assert page.get("/api/scores/compare?run=old&run=new").json() == {
        "missing": {"old": {"state": "missing"}}
    }
    told = page.state()["told"]
    with monkeypatch.context() as patched:
        patched.setattr(type(page.studio.queue), "running", object())
        refused = page.post("/api/scores/predictions", {"run": "old"})
        assert (refused.status_code, refused.json()["field"]) == (409, "run")
    # The classifier of this run is none, so that the process says so.
    found = page.post("/api/scores/predictions", {"run": "old"})
    assert (found.status_code, found.json()["predictions"]["state"]) == (202, "running")
    assert page.post("/api/scores/predictions", {"run": "new"}).status_code == 409
    page.studio.scores.predicting._process.wait(300)
    for _wait in range(600):
        if scores(page, "old")["predictions"]["state"] == "failed":
            break
        page.studio.ended.wait(0.1)
    assert scores(page, "old")["predictions"]["message"]
    assert page.state()["told"] > told
    page.studio.scores.predicting._failures["old"] = ENDED
    said = page.get("/api/scores?run=old", **{"Accept-Language": "zh-TW"}).json()
    assert said["predictions"]["message"].startswith("預測尚未完成")


def test_damaged_files_are_said_where_they_matter(page):
    folder = page.studio.runs.find("old")
    (folder / "predictions.csv").write_text("nothing", encoding="utf-8")
    found = scores(page, "old")
    assert found["accuracy"]["text"] == "79.2 %"
    assert "predictions.csv: this file of the run cannot be read" in found["predictions"]["message"]
    assert page.get("/api/scores/images?run=old&true=0").status_code == 409
    (folder / "report.json").write_text("{", encoding="utf-8")
    found = page.get("/api/scores?run=old")
    assert found.status_code == 409
    assert "report.json: this file of the run cannot be read" in found.json()["message"]
    assert page.get("/api/runs").json()["runs"][1]["state"] == "damaged"


def test_studies_and_unfinished_runs_are_no_matter(page):
    runs = page.studio.workspace.places.runs
    unfinished = write(page, "unfinished")
    (unfinished / "report.json").unlink()
    assert scores(page, "unfinished") == {
        "name": "unfinished",
        "has_scores": False,
        "report": None,
    }
    few = write(page, "few")
    report = json.loads((few / "report.json").read_text(encoding="utf-8"))
    mean = {"title": "few", "metrics": {"accuracy": report["metrics"]["accuracy"]}, "draws": []}
    (few / "report.json").write_text(json.dumps(mean), encoding="utf-8")
    found = scores(page, "few")
    assert (found["has_scores"], "confusion" in found) == (True, False)
    score = report["metrics"]["accuracy"]
    pairs = [{"first": "a", "second": "b", "first_only": 5, "second_only": 4}]
    facts = {
        "models": ["a", "b"],
        "ranking": [{"model": name, "validation": score, "test": score} for name in "ab"],
        "paired_test": {"pairs": [pairs[0] | {"p": 1.0, "p_corrected": 1.0, "real": False}]},
    }
    (runs / "study").mkdir()
    (runs / "study" / "compare.json").write_text(json.dumps(facts), encoding="utf-8")
    found = scores(page, "study")
    assert [one["test"]["text"] for one in found["networks"]] == ["100.0 %"] * 2
    assert found["verdicts"][0].startswith("a and b cannot be told apart (p = 1)")


def test_a_run_of_many_classes_is_shown(page):
    names = tuple(f"class {number}" for number in range(100))
    labels = (np.arange(200) % 100).tolist()
    write_run(
        page.studio.workspace.places.runs / "many",
        predicted(labels, labels, names),
        [f"{number}.png" for number in range(200)],
    )
    found = scores(page, "many")
    assert np.array(found["confusion"]).trace() == 200
