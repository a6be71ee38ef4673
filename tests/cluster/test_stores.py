"""Images and answers in an object store: nodes that share no disk answer as one computer does."""

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from convlens.cluster import asking, reach
from convlens.cluster.asking import answers, ask
from convlens.cluster.connection import connect
from convlens.cluster.folder import folder_at
from convlens.cluster.shards import read_answers
from convlens.errors import ClusterError, StorageError
from tests.cli.commands import run
from tests.cluster.slow import Brightness, slow_question

NAMES = [f"{number:03d}.png" for number in (*range(280, 310), 1, 350)]  # 300.png is no image


@pytest.fixture(scope="module")
def stored(bucket, photos):
    """The address of 32 images in an object store."""
    for name in NAMES:
        bucket.put_file(str(photos / name), f"bucket/stored/{name}")
    return "s3://bucket/stored"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """There are several parts."""
    monkeypatch.setattr(asking, "PART", 8)


def rows(text: str) -> dict[str, list[str]]:
    """Return the rows of a printed table by the name of the file."""
    _first, *others = csv.reader(io.StringIO(text))
    return {row[0].rpartition("/")[2]: row[1:] for row in others}


def test_a_cluster_needs_no_shared_disk(
    connected, bucket, stored, photos, classifier, tmp_path, capsys
):
    here = [photos / name for name in NAMES]
    assert run("predict", classifier, *here, "--format", "csv") == 3
    alone = rows(capsys.readouterr().out)
    words = ("--format", "csv", "--cluster", connected, "--answers", "s3://bucket/printed")
    assert run("predict", classifier, stored, *words) == 3
    asked = capsys.readouterr()
    assert rows(asked.out) == alone
    assert len(alone) == 31
    assert "s3://bucket/stored/300.png: this is not an image" in asked.err
    assert len(bucket.ls("bucket/printed/shards")) == 4

    # A list in the store, with addresses, a path beside it, a copy and an image that vanished.
    names = [f"{stored}/{name}" for name in (*NAMES[1:], "none.png", NAMES[1])]
    pq.write_table(pa.table({"image": [*names, f"stored/{NAMES[0]}"]}), tmp_path / "list.parquet")
    bucket.put_file(str(tmp_path / "list.parquet"), "bucket/list.parquet")
    assert run("predict", classifier, "s3://bucket/list.parquet", *words) == 3
    listed = capsys.readouterr()
    assert rows(listed.out) == alone
    assert "s3://bucket/stored/none.png: there is no such file" in listed.err
    assert "33 of 34 images were answered before, in s3://bucket/printed" in listed.err


def test_only_what_is_missing_is_computed(connected, bucket, stored):
    place = "s3://bucket/answers"
    images = [f"{stored}/{name}" for name in NAMES]
    with connect(connected) as cluster:
        _, counts = ask(slow_question(), cluster, place, images)
        assert counts == (32, 32)
        bucket.rm_file(bucket.ls("bucket/answers/shards")[0])
        _, counts = ask(slow_question(), cluster, place, images)
        assert counts == (32, 8)
        # The parts begin elsewhere now, and an image is there twice.
        _, counts = ask(slow_question(), cluster, place, [*images[3:], images[4]])
        assert counts == (30, 0)
        other = slow_question().__class__(**vars(slow_question()) | {"precision": "bfloat16"})
        with pytest.raises(ClusterError, match="s3://bucket/answers has answers to another"):
            ask(other, cluster, place, images)
    assert [row["image"] for row in read_answers(place)] == images[3:]
    expected = Brightness().answer([(name, asking.fetch(name).image) for name in images[3:]])
    assert list(map(str, answers(place, Brightness()))) == list(map(str, expected))


@pytest.mark.usefixtures("connected")
def test_a_bucket_that_is_missing_is_said_in_a_line(classifier, stored, capsys):
    words = ("--cluster", "auto", "--answers")
    assert run("predict", classifier, "s3://none/photos", *words, "s3://bucket/b") == 3
    said = capsys.readouterr().err
    assert "s3://none/photos: the images cannot be listed; The specified bucket does not" in said
    assert run("predict", classifier, stored, *words, "s3://none/b") == StorageError.exit_code
    size, said = capsys.readouterr().err.strip().splitlines()
    assert size.startswith("cluster")
    assert "s3://none/b/list.parquet: the list of the images cannot be written; The spec" in said


def test_nodes_need_access_of_their_own(connected, stored, monkeypatch):
    def asked_here(nodes, function, *arguments):
        return {node: function(*arguments) for node in nodes}

    folder = folder_at("s3://bucket/seen")
    with connect(connected) as cluster:
        ask(slow_question(), cluster, folder, [f"{stored}/{NAMES[0]}"])
        monkeypatch.setattr(reach, "on_each_node", asked_here)
        reach.refuse_unreachable(cluster, "", folder)
        monkeypatch.setattr(
            reach, "unreached", lambda *_: (f"{stored}/{NAMES[0]}", "Unable to locate credentials")
        )
        with pytest.raises(ClusterError, match=r"280\.png.* \(Unable to locate credentials\)"):
            reach.refuse_unreachable(cluster, "", folder)
