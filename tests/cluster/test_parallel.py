"""One training on several processes gives what it gives on one, whatever is killed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("ray")

from convlens.errors import ClusterError
from convlens.run import Run
from tests.cli.commands import run as run_command

NEEDS_JAX = pytest.mark.backends
EPOCHS = 3
# The processes add up the same numbers in another order, which the next steps amplify.
LOSS = 1e-5
WEIGHTS = 1e-4
SCORES = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")


def carry_out(jobs, folder):
    """Carry out some trainings of `parallel_jobs` in a process of their own."""
    subprocess.run(
        [sys.executable, "-m", "tests.cluster.parallel_jobs", jobs, str(folder)],
        check=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"KERAS_BACKEND": "jax"},
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("parallel")
    carry_out("quick", place)
    return place


@pytest.fixture(scope="module")
def more(folder):
    carry_out("slower", folder)
    return folder


def said(folder):
    return json.loads((folder / "said.json").read_text())


def history(folder, name):
    rows = Run(folder / name).history
    return np.array([[row[score] for score in SCORES] for row in rows])


def weights(path):
    with np.load(path) as arrays:
        return [arrays[name] for name in sorted(arrays, key=int)]


def furthest(one, other):
    return max(np.abs(a - b).max() for a, b in zip(one, other, strict=True))


@NEEDS_JAX
def test_all_processes_compute_together_and_end_with_the_same_weights(folder):
    paths = sorted((folder / "two").glob("process-*.npz"))
    assert [path.stem for path in paths] == ["process-0-of-2", "process-1-of-2"]
    first, second = map(weights, paths)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def require_equal_up_to_rounding(folder, name):
    two = history(folder, "two")
    assert len(two) == EPOCHS
    assert two[-1, 0] < two[0, 0]
    assert np.abs(two - history(folder, name)).max() < LOSS
    found = [Run(folder / run).classifier().model.get_weights() for run in ("two", name)]
    assert furthest(*found) < WEIGHTS


@NEEDS_JAX
def test_two_processes_learn_what_a_training_without_a_cluster_learns(folder):
    require_equal_up_to_rounding(folder, "plain")


def require_nothing_lost(folder, name, facts):
    """Require that a training went on once after a kill, and ended with the bits of another."""
    assert (folder / name / "killed").exists()
    (note,) = facts["notes"]
    assert "was lost" in note
    assert facts["epochs"] == [1, 2, 3]  # each of them once
    killed, two = (weights(folder / run / "process-0-of-2.npz") for run in (name, "two"))
    assert all(np.array_equal(a, b) for a, b in zip(killed, two, strict=True))
    assert np.array_equal(history(folder, name), history(folder, "two"))


@NEEDS_JAX
@pytest.mark.slow
def test_two_processes_learn_what_one_learns(more):
    require_equal_up_to_rounding(more, "one")


@NEEDS_JAX
@pytest.mark.slow
def test_a_killed_process_costs_nothing_that_was_saved(more):
    require_nothing_lost(more, "killed", said(more))


@NEEDS_JAX
@pytest.mark.slow
def test_a_killed_node_costs_nothing_that_was_saved(folder):
    carry_out("lost", folder)
    facts = json.loads((folder / "lost.json").read_text())
    assert facts["alive"] == 2  # of three nodes
    require_nothing_lost(folder, "lost", facts)


@NEEDS_JAX
@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done_and_one_process_goes_on(more):
    message = said(more)["stop"]
    assert "stopped " in message
    assert "--run {} --resume".format(more / "stopped") in message
    assert np.abs(history(more, "stopped") - history(more, "two")).max() < LOSS
    assert Run(more / "stopped").finished


@NEEDS_JAX
@pytest.mark.slow
def test_a_cluster_without_room_is_refused(more):
    room = said(more)["room"]
    assert "--workers 3 must find as many free CPU on the nodes; found CPU 2" in room


@NEEDS_JAX
def test_a_process_that_would_train_alone_is_an_error():
    from convlens.cluster.together import require_joined

    with pytest.raises(ClusterError, match="must compute together with 2 processes"):
        require_joined(2, 0)


def test_files_are_kept_in_the_order_in_which_they_were_written(tmp_path, monkeypatch):
    from convlens.cluster import share

    sent = []
    monkeypatch.setattr(share.ray, "get", lambda answer: answer)
    tell = SimpleNamespace(remote=lambda events, files: sent.extend(files))
    task = SimpleNamespace(keeper=SimpleNamespace(tell=tell))
    relay = share.Relay(task, Run(tmp_path))
    for time, name in enumerate(("b", "c", "a")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, ns=(time, time))
    relay.send()
    assert sent == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--workers", 2), "--workers needs --cluster"),
        (("--workers", 2, "--cluster", "local", "--folds", 3), "exclude each other"),
        (("--workers", 2, "--cluster", "local", "--few", 3), "exclude each other"),
        (("--workers", 2, "--cluster", "local", "--budget", "1m"), "exclude each other"),
        (("--workers", 2, "--cluster", "local", "--threads", 1), "exclude each other"),
        (("--workers", 2, "--cluster", "local"), "needs --backend jax; found tensorflow"),
        (
            ("--workers", 3, "--cluster", "local", "--backend", "jax"),
            "must be a multiple of --workers, which share its images; found 128 and 3",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(words, message, shapes, capsys, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert run_command("train", shapes, *words) == 2
    said = capsys.readouterr().err.strip()
    assert message in said
    assert "\n" not in said
