"""The worst mistakes of the last epoch, and the progress, for those who watch a training."""

import json
import time
from types import SimpleNamespace

import numpy as np
import pytest

from convlens import progress
from convlens.config import Config
from convlens.data.prepared import prepare_data
from convlens.pipeline import train
from convlens.progress import VARIABLE, ProgressFile
from convlens.run import Run
from convlens.run_folder import LIVE
from convlens.screen import Screen
from convlens.training.live import MOST, write_live
from tests.trainings import CONFIG, QUIET


def test_the_mistakes_are_those_of_the_validation_of_the_last_epoch(finished_run):
    live = json.loads((finished_run.folder / LIVE).read_text(encoding="utf-8"))
    last = finished_run.history[-1]
    assert live["epoch"] == last["epoch"]
    assert live["images"] == len(finished_run.data["splits"]["val"])
    assert live["wrong"] == round(live["images"] * (1 - last["val_accuracy"]))
    assert len(live["mistakes"]) == min(live["wrong"], MOST)
    shares = [one["of_label"] for one in live["mistakes"]]
    assert shares == sorted(shares)
    assert all(one["label"] != one["predicted"] for one in live["mistakes"])


def test_a_mistake_has_the_name_of_lists(shapes, tmp_path):
    from convlens.data.sources import load_data

    prepared = prepare_data(load_data(str(shapes)), Config())
    indices = prepared.splits.val
    rows = np.full((len(indices), 2), 0.5, np.float32)
    labels = prepared.dataset.labels[indices]
    rows[np.arange(len(labels)), labels] = 0.6
    rows[3] = np.where(np.arange(2) == labels[3], 0.1, 0.9)
    write_live(tmp_path, prepared, rows, 2)
    live = json.loads((tmp_path / LIVE).read_text(encoding="utf-8"))
    (one,) = live["mistakes"]
    assert one["file"] == prepared.dataset.file_name(int(indices[3]))
    assert (shapes / one["file"]).is_file()
    assert (one["probability"], one["of_label"]) == (0.9, 0.1)
    assert (live["epoch"], live["wrong"]) == (2, 1)
    write_live(tmp_path / "file" / "x", prepared, rows[:1], 3)  # not those of the validation
    assert not (tmp_path / "file").exists()


@pytest.mark.usefixtures("no_charts")
def test_whoever_reads_a_row_of_the_history_finds_its_mistakes(digits, tmp_path, monkeypatch):
    real = Run.write_history
    epochs = []

    def note(run, rows):
        if rows:
            live = json.loads((run.folder / LIVE).read_text(encoding="utf-8"))
            epochs.append((rows[-1]["epoch"], live["epoch"]))
        real(run, rows)

    monkeypatch.setattr(Run, "write_history", note)
    train(digits, CONFIG.replace(epochs=2), run=tmp_path / "run", screen=QUIET)
    assert epochs == [(1, 1), (2, 2)]


def test_progress_is_written_where_somebody_asks_for_it(tmp_path, monkeypatch):
    file = tmp_path / "progress.json"
    still = SimpleNamespace(monotonic=lambda: 100.0, time=time.time)
    monkeypatch.setattr(progress, "time", still)
    with Screen(quiet=True).counter("decoding") as count:
        count(1, 5)
    assert not file.exists()
    monkeypatch.setenv(VARIABLE, str(file))
    screen = Screen(quiet=True)
    with screen.counter("decoding") as count:
        count(1, 5)
        first = json.loads(file.read_text(encoding="utf-8"))
        assert (first["stage"], first["done"], first["total"]) == ("decoding", 1, 5)
        count(2, 5)  # too soon
        assert json.loads(file.read_text(encoding="utf-8"))["done"] == 1
        count(5, 5)
    assert json.loads(file.read_text(encoding="utf-8"))["done"] == 5
    screen.start(0, 20)
    screen.step(1, 2, 11, 0.5)
    told = json.loads(file.read_text(encoding="utf-8"))
    assert (told["stage"], told["done"], told["total"]) == ("epoch 2 of 2", 11, 20)
    assert told["left"] == pytest.approx(0, abs=1)
    screen.stop()
    screen.stage("scores and report")
    assert json.loads(file.read_text(encoding="utf-8"))["stage"] == "scores and report"
    ProgressFile(tmp_path / "nowhere" / "x").tell("decoding", 0, 1)  # ends nothing
    assert [one.name for one in tmp_path.iterdir()] == ["progress.json"]
