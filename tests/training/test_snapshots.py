"""Snapshots: a training keeps the same weights with and without them, and after every stop."""

import json
import shutil

import numpy as np
import pytest

from convlens.errors import ConfigError, Interrupted, StorageError
from convlens.pipeline import train
from convlens.run import Run
from convlens.training import fit as fit_module
from convlens.training.kept import Kept
from convlens.training.moments import choose_moments
from convlens.training.network import choose_network
from convlens.training.setup import Setup
from convlens.training.snapshots import INDEX
from convlens.training.trainer import Trainer
from tests.trainings import (
    CONFIG,
    QUIET,
    STUCK,
    columns,
    press_ctrl_c,
    recording,
    same_weights,
    save_after_every_step,
)

pytestmark = pytest.mark.usefixtures("no_charts")

SMALL = CONFIG.replace(epochs=2, limit=200)
KEEPING = SMALL.replace(snapshots=7)


def content(run: Run) -> dict[str, bytes]:
    """Return the bytes of every file of the snapshots."""
    return {path.name: path.read_bytes() for path in (run.folder / "snapshots").iterdir()}


def steps(run: Run) -> list[int]:
    """Return after which steps a state was kept."""
    return [row["step"] for row in json.loads((run.folder / INDEX).read_text())["snapshots"]]


@pytest.fixture(scope="module")
def kept(digits, tmp_path_factory):
    """Return a finished run with snapshots."""
    return train(digits, KEEPING, run=tmp_path_factory.mktemp("runs") / "kept", screen=QUIET)


def test_a_training_learns_the_same_with_and_without_snapshots(digits, kept, tmp_path):
    plain = train(digits, SMALL, run=tmp_path / "run", screen=QUIET)
    assert not (plain.folder / "snapshots").exists()
    assert same_weights(plain, kept)
    assert columns(plain) == columns(kept)


def test_the_index_says_when_each_state_was(kept):
    index = json.loads((kept.folder / INDEX).read_text())
    per_epoch = index["steps_per_epoch"]
    rows = index["snapshots"]
    assert tuple(row["step"] for row in rows) == choose_moments(7, 2, per_epoch)
    assert [(row["epoch"], row["step_of_epoch"]) for row in rows] == [
        divmod(row["step"], per_epoch) for row in rows
    ]
    ends = {row["epoch"]: row for row in rows if row["step"] and not row["step_of_epoch"]}
    for epoch, recorded in enumerate(kept.history, 1):
        assert [ends[epoch][name] for name in ("loss", "val_loss", "learning_rate")] == [
            recorded[name] for name in ("loss", "val_loss", "learning_rate")
        ]
    assert rows[0]["loss"] is None
    assert len(rows[0]["images"]) == len(rows[0]["names"]) > 0
    assert set(rows[0]["images"]) <= set(kept.data["splits"]["train"])
    assert rows[-1]["images"] == []


def test_the_last_state_has_the_weights_of_the_training(kept):
    """The state of the run, of which a resumed training begins, has the same numbers."""
    with np.load(kept.folder / "snapshots" / "00000000.npz") as first:
        start = dict(first)
    with np.load(kept.folder / "snapshots" / f"{steps(kept)[-1]:08d}.npz") as last:
        assert all(np.abs(last[name] - start[name]).max() > 0 for name in last.files)
        best = kept.classifier().logits_model.get_weights()
        if kept.classifier().provenance["best"]["epoch"] == 2:
            for number, weight in enumerate(best):
                np.testing.assert_array_equal(last[f"weight_{number:05d}"], weight)


def test_a_stopped_training_keeps_the_same_bytes(digits, kept, tmp_path, monkeypatch):
    """It is stopped at the end of an epoch; `killed` is the test of a stop within one."""
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, step=5)
        with pytest.raises(Interrupted):
            train(digits, KEEPING, run=tmp_path / "run", screen=QUIET)
    assert Run(tmp_path / "run").has_state
    resumed = train(digits, run=tmp_path / "run", resume=True, screen=QUIET)
    assert content(resumed) == content(kept)


def test_a_killed_training_keeps_the_same_bytes(digits, kept, tmp_path, monkeypatch):
    """What it had kept after its saved state is kept anew."""
    save_after_every_step(monkeypatch)
    real = fit_module._Checkpoint.save

    def die(self):
        if (self.state.epoch, self.state.step) == (1, 1):
            raise KeyboardInterrupt
        if self.state.step < 2:
            real(self)

    with monkeypatch.context() as patch:
        patch.setattr(fit_module._Checkpoint, "save", die)
        with pytest.raises((Interrupted, KeyboardInterrupt)):
            train(digits, KEEPING, run=tmp_path / "run", screen=QUIET)
    (tmp_path / "run" / "snapshots" / "00000999.npz").write_bytes(b"of another plan")
    resumed = train(digits, run=tmp_path / "run", resume=True, screen=QUIET)
    assert content(resumed) == content(kept)


def test_an_early_end_is_kept_too(digits, tmp_path):
    run = train(digits, STUCK.replace(snapshots=4), run=tmp_path / "run", screen=QUIET)
    per_epoch = json.loads((run.folder / INDEX).read_text())["steps_per_epoch"]
    assert steps(run)[-1] == len(run.history) * per_epoch


def test_the_last_state_of_a_training_whose_time_is_up_is_kept(digits, tmp_path):
    """Whether an epoch has ended with it or not, and also if it was killed right after."""
    for steps_done, folder in ((5, tmp_path / "within"), (8, tmp_path / "end")):
        config = KEEPING.replace(epochs=9, steps_per_epoch=4)
        origin = choose_network(config)
        setup = Setup.create(origin.prepare(digits, config, None), config, origin)
        trainer = Trainer(setup, QUIET)
        run = Run.create(folder, "")
        setup.describe(run)
        asked = iter(range(1, 100))
        with pytest.raises(Interrupted):
            trainer.run(
                run, stop_requested=lambda asked=asked, last=steps_done: next(asked) == last
            )
        assert steps(run)[-1] < steps_done
        trainer.end(run, "its time was up")
        row = json.loads((run.folder / INDEX).read_text())["snapshots"][-1]
        assert (row["step"], row["images"]) == (steps_done, [])
        assert row["loss"] == (run.history[-1]["loss"] if steps_done == 8 else None)
        with np.load(run.folder / "snapshots" / row["file"]) as last:
            for number, weight in enumerate(trainer.model.get_weights()):
                np.testing.assert_array_equal(last[f"weight_{number:05d}"], weight)
        before = content(run)
        assert content(train(digits, run=run.folder, resume=True, screen=QUIET)) == before


def test_the_size_is_said_before_and_is_right(digits, tmp_path):
    screen, text = recording()
    run = train(digits, SMALL.replace(snapshots=5, epochs=1), run=tmp_path / "run", screen=screen)
    line = next(line for line in text.getvalue().splitlines() if line.startswith("snapshots"))
    assert "5 states of 4 kB each" in line
    said = int(line.split(";")[1].split()[0])
    size = sum(len(one) for name, one in content(run).items() if name.endswith("npz")) / 1000
    assert 0.8 * size < said < 1.25 * size


def test_a_full_disk_is_refused_before_the_first_step(digits, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(StorageError, match=r"--snapshots 7 needs \d+ kB.*1 kB left"):
        train(digits, KEEPING, run=tmp_path / "run", screen=QUIET)
    assert not (tmp_path / "run" / "snapshots").exists()
    assert not (tmp_path / "run" / "history.csv").read_text().splitlines()[1:]


def test_parts_of_a_batch_are_one_step(digits, tmp_path):
    config = KEEPING.replace(micro_batch=16, epochs=1)
    run = train(digits, config, run=tmp_path / "run", screen=QUIET)
    index = json.loads((run.folder / INDEX).read_text())
    assert steps(run) == list(choose_moments(7, 1, index["steps_per_epoch"]))
    assert not any(row["exact"] for row in index["snapshots"])
    assert len(index["snapshots"][0]["images"]) > 16


def test_a_training_stopped_between_the_parts_of_a_batch_goes_on_with_what_it_has_kept(
    digits, tmp_path, monkeypatch
):
    config = KEEPING.replace(micro_batch=16, epochs=1)
    plain = train(digits, config, run=tmp_path / "plain", screen=QUIET)
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, step=5)
        with pytest.raises(Interrupted):
            train(digits, config, run=tmp_path / "run", screen=QUIET)
    resumed = train(digits, run=tmp_path / "run", resume=True, screen=QUIET)
    assert content(resumed) == content(plain)


def test_averaged_weights_do_not_change_what_is_kept(digits, kept, tmp_path):
    """The states are those with which the training goes on, also after a validation."""
    config = KEEPING.replace(average_weights=True)
    run = train(digits, config, run=tmp_path / "run", screen=QUIET)
    assert content(run).keys() == content(kept).keys()
    for name in content(run).keys() - {"index.json"}:
        assert content(run)[name] == content(kept)[name]


def test_only_a_head_is_refused(digits, backbone, tmp_path):
    config = SMALL.replace(backbone=str(backbone), snapshots=3)
    with pytest.raises(ConfigError, match="here only a head learns"):
        train(digits, config, run=tmp_path / "run", screen=QUIET)


def test_frozen_layers_are_not_kept_again(digits, backbone, tmp_path):
    config = SMALL.replace(backbone=str(backbone), unfreeze="block2*", snapshots=3, epochs=1)
    run = train(digits, config, run=tmp_path / "run", screen=QUIET)
    weights = json.loads((run.folder / INDEX).read_text())["weights"]
    changing = [number for number, one in enumerate(weights) if one["changes"]]
    assert 0 < len(changing) < len(weights)
    with np.load(run.folder / "snapshots" / "00000000.npz") as arrays:
        assert sum(name.startswith("weight") for name in arrays.files) == len(changing)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 20, 100])
@pytest.mark.parametrize(("epochs", "per_epoch"), [(1, 1), (1, 7), (3, 10), (20, 63)])
def test_moments_are_as_many_as_asked_from_the_start_to_the_end(count, epochs, per_epoch):
    moments = choose_moments(count, epochs, per_epoch)
    assert len(moments) == min(count, epochs * per_epoch + 1)
    assert moments[-1] == epochs * per_epoch
    assert count == 1 or moments[0] == 0
    assert list(moments) == sorted(set(moments))


def test_muon_has_no_updates_of_single_weights(kept):
    settings = KEEPING.replace(optimizer="muon").training
    network = kept.classifier().logits_model
    assert Kept(network, KEEPING.training, 5).update_bytes > 0
    assert Kept(network, settings, 5).update_bytes == 0
