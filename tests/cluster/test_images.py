"""Lists are streams, and object stores give the images that their addresses name."""

import itertools

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from convlens.cluster import images
from convlens.cluster.folder import folder_at
from convlens.cluster.images import fetch, fetch_if_deep, images_at, images_in_list
from convlens.cluster.reach import unreached
from convlens.data.deep import find_values
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


def test_a_list_names_an_image_in_every_row(tmp_path):
    pq.write_table(pa.table({"file": ["a.png", None]}), tmp_path / "list.parquet")
    with pytest.raises(DataError, match="every row must name an image; row 2 names none"):
        list(images_in_list(str(tmp_path / "list.parquet")))


def test_a_list_needs_a_column_of_images(tmp_path):
    (tmp_path / "list.csv").write_text("name,label\na,b\n", encoding="utf-8")
    with pytest.raises(DataError, match="must have a column image, file or path; found"):
        list(images_in_list(str(tmp_path / "list.csv")))
    with pytest.raises(DataError, match=r"none\.csv: the images cannot be listed"):
        list(images_in_list(str(tmp_path / "none.csv")))


@pytest.fixture
def stored(bucket, photos):
    """The address of five images and a text in an object store."""
    for number in range(5):
        name = f"{number:03d}.png"
        bucket.put_file(str(photos / name), f"bucket/photos/{number % 2}/{name}")
    bucket.pipe_file("bucket/texts/notes.txt", b"no image")
    return "s3://bucket/photos"


def test_an_object_store_gives_the_same_images(stored, photos):
    found = list(images_at(stored))
    names = ["0/000.png", "0/002.png", "0/004.png", "1/001.png", "1/003.png"]
    assert found == [f"{stored}/{name}" for name in names]
    assert list(images_at(found[0])) == [found[0]]
    image, content, key = fetch(found[3])
    assert content == fetch(str(photos / "001.png")).content
    assert (prepare(image, SIZE) == prepare(photos / "001.png", SIZE)).all()
    assert fetch(found[3]).key == key
    assert fetch(found[4]).key != key
    missing = fetch(f"{stored}/0/none.png").image
    with pytest.raises(ImageError, match=r"s3://bucket/photos/0/none\.png: there is no such file"):
        prepare(missing, SIZE)
    with pytest.raises(DataError, match="there is no such image"):
        list(images_at("s3://bucket/texts"))


def test_of_images_of_8_bits_only_the_first_bytes_are_fetched(
    stored, bucket, tmp_path, monkeypatch
):
    Image.fromarray(np.full((2, 2), 1000, np.uint16)).save(tmp_path / "deep.png")
    bucket.put_file(str(tmp_path / "deep.png"), "bucket/deep/deep.png")
    ranges = []
    call = type(bucket)._call_s3

    async def noted(self, method, *words, **options):
        ranges.append(options.get("Range"))
        return await call(self, method, *words, **options)

    monkeypatch.setattr(type(bucket), "_call_s3", noted)
    assert fetch_if_deep(f"{stored}/0/000.png") is None
    assert ranges == ["bytes=0-24"]
    assert find_values([fetch_if_deep("s3://bucket/deep/deep.png")]) is not None
    assert fetch_if_deep("s3://bucket/deep/none.png") is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("s3://bucket/nothing", "nothing is there"),
        ("s3://other/photos", "The specified bucket does not exist"),
        ("store://bucket/photos", "Protocol not known: store"),
    ],
)
@pytest.mark.usefixtures("bucket")
def test_what_is_not_there_is_said_in_a_line(address, reason):
    message = rf"^{address}: the images cannot be listed; {reason}\.$"
    with pytest.raises(DataError, match=message):
        list(images_at(address))
    if address.startswith("s3"):
        with pytest.raises(DataError, match=rf"^{address}/a\.csv: .* be listed; {reason}\.$"):
            list(images_in_list(f"{address}/a.csv"))


def test_credentials_that_are_missing_are_said_in_a_line(stored, no_credentials):
    reason = "Unable to locate credentials"
    with pytest.raises(DataError, match=rf"^{stored}: the images cannot be listed; {reason}\.$"):
        list(images_at(stored))
    with pytest.raises(DataError, match=rf"a\.csv: the images cannot be listed; {reason}\.$"):
        list(images_in_list(f"{stored}/a.csv"))
    image = f"{stored}/0/000.png"
    with pytest.raises(ImageError, match=rf"000\.png: the image cannot be fetched; {reason}\.$"):
        prepare(fetch(image).image, SIZE)
    assert unreached("", "s3://bucket/answers", image) == ("s3://bucket/answers", reason)


def test_every_kind_of_store_of_fsspec_is_read(photos):
    files = fsspec.filesystem("memory")
    files.put_file(str(photos / "000.png"), "/bucket/photos/000.png")
    (address,) = images_at("memory://bucket/photos")
    assert (prepare(fetch(address).image, SIZE) == prepare(photos / "000.png", SIZE)).all()
    folder = folder_at("memory://bucket/answers/")
    assert (folder.exists("a/b.json"), folder.names("a")) == (False, [])
    folder.write("a/b.json", "content", "a text")
    assert (folder.exists("a/b.json"), folder.names("a")) == (True, ["b.json"])
    with folder.open("a/b.json") as file:
        assert file.read() == b"content"
    assert fsspec.get_filesystem_class("gs").__module__.startswith("gcsfs")


def test_a_file_that_appears_later_is_another_image(tmp_path):
    path = tmp_path / "a.png"
    before = fetch(str(path)).key
    path.write_bytes(b"something")
    assert fetch(str(path)).key not in (before, fetch(str(tmp_path / "b.png")).key)
