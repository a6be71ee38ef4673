"""A cluster answers as one computer does, and nothing that fails costs or doubles a row."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from convlens.classifier.prediction import Prediction
from convlens.cluster import asking
from convlens.cluster.asking import PART, answers, ask
from convlens.cluster.connection import connect
from convlens.cluster.folder import folder_at
from convlens.cluster.images import fetch
from convlens.cluster.nodes import check_nodes
from convlens.cluster.shards import Known, read_answers, write_list
from convlens.errors import ClusterError, DataError
from tests.cluster.conftest import CPUS, STORE
from tests.cluster.slow import LIMIT, MUCH, Brightness, answer, slow_question

ROOT = Path(__file__).parents[2]


def found(folder: Path) -> list[tuple]:
    """Return the answers in a folder as plain values."""
    return [
        (one.image, one.label, one.probability, one.probabilities.tobytes(), one.remarks)
        if isinstance(one, Prediction)
        else str(one)
        for one in answers(folder, Brightness())
    ]


@pytest.fixture(scope="module")
def expected(photos) -> list[tuple]:
    """What one computer says of the images, in their order."""
    images = [(str(path), path) for path in sorted(photos.iterdir())]
    said = Brightness().answer(images)
    return [
        (one.image, one.label, one.probability, one.probabilities.tobytes(), one.remarks)
        if isinstance(one, Prediction)
        else str(one)
        for one in said
    ]


def test_the_answers_are_those_of_one_computer(connected, photos, expected, tmp_path):
    counts = answer(connected, tmp_path / "a", photos)
    assert (counts.images, counts.computed) == (400, 400)
    assert found(tmp_path / "a") == expected
    rows = [row["image"] for path in (tmp_path / "a/shards").iterdir() for row in plain(path)]
    assert sorted(rows) == sorted(map(str, photos.iterdir()))

    counts = answer(connected, tmp_path / "a", photos)
    assert (counts.images, counts.computed) == (400, 0)
    assert found(tmp_path / "a") == expected


def plain(path: Path) -> list[dict]:
    return pq.read_table(path).to_pylist()


def test_only_what_is_missing_is_computed(connected, photos, expected, tmp_path):
    everything = [str(path) for path in sorted(photos.iterdir())]
    with connect(connected) as cluster:
        _, counts = ask(slow_question(), cluster, tmp_path, iter(everything[5:]))
        assert counts == (395, 395)
        # The parts begin elsewhere now. One name is there twice.
        _, counts = ask(slow_question(), cluster, tmp_path, iter([*everything, everything[9]]))
        assert counts == (401, 5)
    assert found(tmp_path) == expected
    shard = next((tmp_path / "shards").glob("[!.]*.parquet"))
    shard.unlink()
    counts = answer(connected, tmp_path, photos)
    assert counts.computed <= PART
    assert found(tmp_path) == expected


def test_what_is_answered_is_the_content_that_the_key_stands_for(photos, tmp_path, monkeypatch):
    contents = [(photos / f"{number:03d}.png").read_bytes() for number in range(3)]
    path = tmp_path / "image.png"
    later = iter(contents)
    path.write_bytes(next(later))

    def changing(name):
        fetched = fetch(name)
        path.write_bytes(next(later))
        return fetched

    monkeypatch.setattr(asking, "fetch", changing)
    answering = object.__new__(asking._Answering)
    answering._folder = folder_at(tmp_path / "answers")
    answering._known = Known.none()
    answering._predictor = Brightness()
    write_list(answering._folder, [str(path)], PART)
    shard, _images, _computed = answering._part(0)
    (row,) = plain(tmp_path / f"answers/shards/{shard}.parquet")
    path.write_bytes(contents[1])
    assert row["key"] == fetch(str(path)).key
    (answer,) = Brightness().answer([("image", path)])
    assert row["probabilities"] == answer.probabilities.tolist()


def test_a_folder_holds_the_answers_to_one_question(connected, photos, tmp_path):
    images = [str(photos / "000.png")]
    with connect(connected) as cluster:
        ask(slow_question(), cluster, tmp_path, images)
        other = slow_question().__class__(**vars(slow_question()) | {"precision": "bfloat16"})
        with pytest.raises(ClusterError, match="precision was float32 and is bfloat16"):
            ask(other, cluster, tmp_path, images)
        with pytest.raises(DataError, match="there is no image"):
            ask(slow_question(), cluster, tmp_path / "new", [])


@pytest.mark.slow
def test_a_process_that_dies_is_replaced(connected, photos, expected, tmp_path):
    counts = answer(connected, tmp_path / "a", photos, mark=tmp_path / "mark")
    assert (tmp_path / "mark").exists()
    assert counts.images == 400
    assert_each_once(tmp_path / "a", expected)


@pytest.fixture
def node_with_little_memory(two_nodes) -> Iterator[None]:
    """A node on which Ray ends a process that takes 3 GiB more than all have taken now."""
    memory = psutil.virtual_memory()
    if memory.available < MUCH + 2**30:
        pytest.skip("there is too little memory to take so much of it")
    limit = (memory.total - memory.available + 3 * 2**30) / memory.total
    node = two_nodes.add_node(
        num_cpus=CPUS,
        object_store_memory=STORE,
        include_dashboard=False,
        env_vars={LIMIT: str(limit), "RAY_memory_monitor_refresh_ms": "50"},
    )
    yield
    two_nodes.remove_node(node)


@pytest.mark.slow
@pytest.mark.usefixtures("small_parts", "node_with_little_memory")
def test_a_process_without_memory_is_replaced(connected, photos, expected, tmp_path):
    counts = answer(connected, tmp_path / "a", photos, 0.2, hungry=tmp_path / "mark")
    assert (tmp_path / "mark").exists()
    assert not (tmp_path / "mark.survived").exists()
    assert counts.images == 400
    assert_each_once(tmp_path / "a", expected)


@pytest.fixture
def small_parts(monkeypatch) -> None:
    """There are 25 parts, so that something is always left to do."""
    monkeypatch.setattr(asking, "PART", 16)


@pytest.mark.slow
@pytest.mark.usefixtures("small_parts")
def test_a_node_that_is_killed_costs_nothing(two_nodes, connected, photos, expected, tmp_path):
    before = {one.identity for one in check_nodes()}
    node = two_nodes.add_node(num_cpus=1, object_store_memory=STORE, include_dashboard=False)
    new = next(one.identity for one in check_nodes() if one.identity not in before)
    nodes = tmp_path / "nodes"
    nodes.mkdir()
    killed = []

    def kill_node() -> None:
        while not (nodes / new).exists():
            time.sleep(0.05)
        killed.append(len(list((tmp_path / "a/shards").glob("[!.]*.parquet"))))
        two_nodes.remove_node(node, allow_graceful=False)

    killer = threading.Thread(target=kill_node, daemon=True)
    killer.start()
    counts = answer(connected, tmp_path / "a", photos, 0.5, nodes=nodes)
    assert killed
    assert killed[0] < 25
    killer.join()
    assert counts.images == 400
    assert_each_once(tmp_path / "a", expected)


@pytest.mark.slow
@pytest.mark.usefixtures("small_parts")
def test_what_a_killed_driver_has_finished_is_kept(connected, photos, expected, tmp_path):
    words = [sys.executable, "-m", "tests.cluster.slow", connected, tmp_path, photos, "0.5"]
    process = subprocess.Popen(list(map(str, words)), cwd=ROOT)
    while len(list((tmp_path / "shards").glob("[!.]*.parquet"))) < 3:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    counts = answer(connected, tmp_path, photos)
    assert counts.images == 400
    assert counts.computed < 400
    assert_each_once(tmp_path, expected)


def assert_each_once(folder: Path, expected: list[tuple]) -> None:
    """Check that no row is lost, none is there twice, and all are those of one computer."""
    assert len({row["image"] for row in read_answers(folder)}) == 400
    assert found(folder) == expected
    rows = [
        row["image"] for path in (folder / "shards").glob("[!.]*.parquet") for row in plain(path)
    ]
    assert len(rows) == len(set(rows)) == 400
