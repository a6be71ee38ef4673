"""Lists are streams, and object stores give the images that their addresses name."""

import itertools

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from convlens.cluster import images
from convlens.cluster.images import fetch, images_at, images_in_list
from convlens.errors import DataError, ImageError
from convlens.preprocess import prepare
from tests.cluster.slow import SIZE


def test_a_list_names_images_beside_it_and_elsewhere(tmp_path):
    (tmp_path / "list.csv").write_text("label,image\ncat,a/b.png\ndog,s3://bucket/c.png\n", "utf-8")
    expected = [str(tmp_path / "a/b.png"), "s3://bucket/c.png"]
    assert list(images_in_list(str(tmp_path / "list.csv"))) == expected
    pq.write_table(pa.table({"file": ["a/b.png", "s3://bucket/c.png"]}), tmp_path / "list.parquet")
    assert list(images_in_list(str(tmp_path / "list.parquet"))) == expected


def test_a_long_list_is_read_as_a_stream(tmp_path, monkeypatch):
    path = tmp_path / "list.parquet"
    schema = pa.schema({"image": pa.string()})
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, 40_000, 1000):
            names = [f"/photos/{number:08d}.jpg" for number in range(start, start + 1000)]
            writer.write_table(pa.table({"image": names}, schema))
    read = []
    whole = images._parquet_rows

    def counted(file, name):
        for row in whole(file, name):
            read.append(row)
            yield row

    monkeypatch.setattr(images, "_parquet_rows", counted)
    assert len(list(itertools.islice(images_in_list(str(path)), 10))) == 10
    assert len(read) == 10


def test_a_list_needs_a_column_of_images(tmp_path):
    (tmp_path / "list.csv").write_text("name,label\na,b\n", encoding="utf-8")
    with pytest.raises(DataError, match="must have a column image, file or path; found"):
        list(images_in_list(str(tmp_path / "list.csv")))
    with pytest.raises(DataError, match=r"none\.csv: the images cannot be listed"):
        list(images_in_list(str(tmp_path / "none.csv")))


@pytest.fixture
def bucket(photos, monkeypatch):
    """An object store on this computer, with five images and a text."""
    moto = pytest.importorskip("moto.server")
    s3fs = pytest.importorskip("s3fs")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (
        ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    store = s3fs.S3FileSystem(skip_instance_cache=True)
    store.mkdir("bucket")
    for number in range(5):
        name = f"{number:03d}.png"
        store.put_file(str(photos / name), f"bucket/photos/{number % 2}/{name}")
    store.pipe_file("bucket/photos/notes.txt", b"no image")
    yield "s3://bucket/photos"
    server.stop()


def test_an_object_store_gives_the_same_images(bucket, photos):
    found = list(images_at(bucket))
    names = ["0/000.png", "0/002.png", "0/004.png", "1/001.png", "1/003.png"]
    assert found == [f"{bucket}/{name}" for name in names]
    assert list(images_at(found[0])) == [found[0]]
    image, content, key = fetch(found[3])
    assert content == fetch(str(photos / "001.png")).content
    assert (prepare(image, SIZE) == prepare(photos / "001.png", SIZE)).all()
    assert fetch(found[3]).key == key
    assert fetch(found[4]).key != key
    missing = fetch(f"{bucket}/0/none.png").image
    with pytest.raises(ImageError, match=r"s3://bucket/photos/0/none\.png: there is no such file"):
        prepare(missing, SIZE)
    with pytest.raises(DataError, match="there is no such image"):
        list(images_at("s3://bucket/nothing"))


def test_a_file_that_appears_later_is_another_image(tmp_path):
    path = tmp_path / "a.png"
    before = fetch(str(path)).key
    path.write_bytes(b"something")
    assert fetch(str(path)).key not in (before, fetch(str(tmp_path / "b.png")).key)
