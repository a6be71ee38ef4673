"""Nodes and processes that are killed while a search runs, or that have no memory left."""

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cluster.conftest import CPUS, STORE, begun, wait_for

pytestmark = pytest.mark.slow
TRIALS = 4
SETTINGS = ("--vary", "dropout=0..0.5", "--epochs", "2", "--filters", "4", "--dense", "8")
SETTINGS += ("--size", "16", "--threads", str(CPUS), "--trials", str(TRIALS))


def search(*words: object) -> subprocess.Popen:
    """Start `convlens search`; each of its trainings takes all processors of a node."""
    command = [sys.executable, "-m", "convlens", "search", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def table(run: Path) -> list[dict[str, str]]:
    """Return the rows of trials.csv without the times."""
    with (run / "trials.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [{name: row[name] for name in row if name not in ("began", "seconds")} for row in rows]


@pytest.fixture(scope="module")
def alone(shapes, tmp_path_factory) -> Path:
    """A search that nothing disturbs, on one computer."""
    run = tmp_path_factory.mktemp("alone") / "search"
    assert search(shapes, *SETTINGS, "--run", run).wait() == 0
    assert len(table(run)) == TRIALS
    return run


def test_a_search_goes_on_when_a_node_is_killed(two_nodes, shapes, alone, tmp_path):
    node = two_nodes.add_node(num_cpus=CPUS, object_store_memory=STORE, include_dashboard=False)
    run = tmp_path / "search"
    process = search(shapes, *SETTINGS, "--run", run, "--cluster", two_nodes.address)
    wait_for(lambda: begun("carry_out", node), process)
    time.sleep(1)
    assert begun("carry_out", node)
    two_nodes.remove_node(node, allow_graceful=False)
    assert process.wait() == 0
    assert table(run) == table(alone)


def test_a_search_whose_driver_was_killed_is_resumed(two_nodes, shapes, alone, tmp_path):
    run = tmp_path / "search"
    process = search(shapes, *SETTINGS, "--run", run, "--cluster", two_nodes.address)
    wait_for(lambda: list(run.glob("trial-*/classifier.keras")), process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime for path in run.glob("trial-*/classifier.keras")}
    assert 0 < len(kept) < TRIALS
    resumed = search("--run", run, "--resume", "--cluster", two_nodes.address)
    assert resumed.wait() == 0
    assert table(run) == table(alone)
    assert kept == {path: path.stat().st_mtime for path in kept}  # not trained again
