"""Images that change, before or while they are decoded: each change is seen, and told."""

import shutil

import pytest
from PIL import Image

from convlens.audit.checks.files import reason_of
from convlens.data import decoding
from convlens.data import store as store_module
from convlens.data.cache import cache_folder
from convlens.data.decoding import decode_all
from convlens.data.sources import load_data
from convlens.data.store import open_store
from convlens.errors import DataError, ImageError
from convlens.image_file import name_of
from convlens.preprocess import read_image
from tests.data.plain_images import WANTED, freeze, plain_images


def reds(folder):
    """Return the red of the images of each class, as a store serves it."""
    dataset = load_data(folder)
    images = open_store(dataset, WANTED).images
    return {
        name: images[dataset.labels == label, 0, 0, 0].tolist()
        for label, name in enumerate(dataset.class_names)
    }


def exchange_folders(folder):
    (folder / "dark").rename(folder / "other")
    (folder / "bright").rename(folder / "dark")
    (folder / "other").rename(folder / "bright")


def exchange_files(folder):
    one = folder / "dark" / "0.bmp"
    one.rename(folder / "kept")
    (folder / "bright" / "0.bmp").rename(one)
    (folder / "kept").rename(folder / "bright" / "0.bmp")


def rewrite_in_place(folder):
    content = (folder / "bright" / "0.bmp").read_bytes()
    with (folder / "dark" / "0.bmp").open("rb+") as file:
        file.write(content)
    freeze(folder)


def replace_by_a_copy(folder):
    shutil.copy2(folder / "bright" / "0.bmp", folder / "copy")
    (folder / "copy").replace(folder / "dark" / "0.bmp")


@pytest.mark.parametrize(
    ("change", "dark", "bright"),
    [
        (exchange_folders, [200, 200, 200], [10, 10, 10]),
        (exchange_files, [200, 10, 10], [10, 200, 200]),
        (rewrite_in_place, [200, 10, 10], [200, 200, 200]),
        (replace_by_a_copy, [200, 10, 10], [200, 200, 200]),
    ],
)
def test_a_change_that_keeps_path_size_and_time_is_seen(tmp_path, change, dark, bright):
    plain_images(tmp_path)
    assert reds(tmp_path) == {"dark": [10, 10, 10], "bright": [200, 200, 200]}
    change(tmp_path)
    assert reds(tmp_path) == {"dark": dark, "bright": bright}


def test_a_link_to_other_images_is_followed(tmp_path):
    for number, name in enumerate(("one", "two")):
        plain_images(tmp_path / name)
        (tmp_path / name / "dark").rename(tmp_path / name / "kept")
        (tmp_path / name / ("bright" if number else "kept")).rename(tmp_path / name / "a")
        (tmp_path / name / ("kept" if number else "bright")).rename(tmp_path / name / "b")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "one")
    assert reds(link) == {"a": [10, 10, 10], "b": [200, 200, 200]}
    link.unlink()
    link.symlink_to(tmp_path / "two")
    assert reds(link) == {"a": [200, 200, 200], "b": [10, 10, 10]}


def test_copies_elsewhere_share_an_array_and_their_problems_name_them(tmp_path, monkeypatch):
    plain_images(tmp_path / "one")
    (tmp_path / "one" / "dark" / "1.bmp").write_bytes(b"BM, but no image")
    open_store(load_data(tmp_path / "one"), WANTED)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    monkeypatch.setattr(store_module, "decode_all", None)
    dataset = load_data(tmp_path / "two")
    (problem,) = open_store(dataset, WANTED).problems.values()
    assert problem.startswith(str(tmp_path / "two" / "dark" / "1.bmp"))


def test_an_image_that_could_not_be_read_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    plain_images(tmp_path / "data")
    dataset = load_data(tmp_path / "data")

    def lacks_a_codec(image, *_, **__):
        if name_of(image).endswith("1.bmp"):
            raise ImageError("{}: no codec".format(name_of(image)))
        return read_image(image)

    with monkeypatch.context() as patch:
        patch.setattr(decoding, "read_image", lacks_a_codec)
        assert open_store(dataset, WANTED).usable.tolist() == [True, False, True] * 2
    assert open_store(dataset, WANTED).usable.all()
    assert open_store(dataset, WANTED).images[1].any()


def test_an_image_that_changes_while_it_is_decoded_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    plain_images(tmp_path / "data")
    dataset = load_data(tmp_path / "data")

    def meanwhile(*arguments, **options):
        rewrite_in_place(tmp_path / "data")
        return decode_all(*arguments, **options)

    monkeypatch.setattr(store_module, "decode_all", meanwhile)
    with pytest.raises(DataError, match=r"0\.bmp: an image must not change while it is decoded"):
        open_store(dataset, WANTED)
    assert not [path for path in cache_folder().glob("*/*") if path.is_file()]


def test_images_that_change_or_vanish_are_named_where_they_are_survived(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    plain_images(tmp_path / "data")
    dataset = load_data(tmp_path / "data")

    def meanwhile(*arguments, **options):
        dataset.images[1].unlink()
        Image.new("RGB", (9, 9)).save(dataset.images[4])
        return decode_all(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "decode_all", meanwhile)
        store = open_store(dataset, WANTED, survive=True)
    assert store.usable.tolist() == [True, False, True, True, False, True]
    assert store.problems == {
        1: "{}: the image was removed while it was decoded.".format(dataset.images[1]),
        4: "{}: the image changed while it was decoded.".format(dataset.images[4]),
    }
    codes = [reason_of(dataset.images[index], store.problems[index]) for index in (1, 4)]
    assert codes == ["missing_file", "changed_file"]
    assert not store.images[1].any()
    assert open_store(dataset, WANTED).usable.tolist() == [True, False] + [True] * 4
