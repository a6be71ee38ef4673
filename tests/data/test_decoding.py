"""Images are decoded into two files, with a look at each, and what happens meanwhile is named."""

import numpy as np
import pytest
from PIL import Image

from convlens.data import array_looks, decoding
from convlens.data.array_looks import looks_of_arrays, take_looks
from convlens.data.dataset import Dataset
from convlens.data.decoding import bytes_of, decode_all, part_of
from convlens.data.digests import digests_of
from convlens.data.growing import Files
from convlens.data.looks import LOOK
from convlens.errors import DataError, ImageError
from convlens.image_file import name_of
from convlens.preprocess import FRAMES, Preprocessing, prepare
from tests.data.photographs import photograph

SEEN = Preprocessing(12, 10, 3)


@pytest.fixture
def files(tmp_path):
    return Files(*(tmp_path / name for name in ("array.npy", "facts.json", "looks.npy")))


@pytest.fixture
def dataset(tmp_path):
    """Return two photographs, a damaged file, and an animation."""
    paths = [tmp_path / name for name in ("0.png", "1.jpg", "2.png", "3.gif")]
    photograph(0).save(paths[0])
    photograph(1, (60, 80)).save(paths[1])
    paths[2].write_bytes(b"no image")
    photograph(2).save(paths[3], save_all=True, append_images=[photograph(3)])
    labels = np.zeros(4, np.int64)
    return Dataset(str(tmp_path), "made", paths, labels, ("a",))


def decoded(dataset, files, preprocessing=SEEN, **options):
    digests = options.pop("digests", digests_of(dataset.images))
    progress = options.pop("progress", None)
    found = decode_all(dataset, digests, preprocessing, files, progress, **options)
    return found, np.load(files.array), np.load(files.looks).view(LOOK)


def stop_after(number):
    """Return a progress that is stopped by Ctrl-C after some images."""

    def stop(done, _number):
        if done == number:
            raise KeyboardInterrupt

    return stop


def test_pixels_are_those_of_prepare_and_looks_are_taken_of_the_whole_image(dataset, files):
    told = []
    found, pixels, looks = decoded(dataset, files, progress=lambda *of: told.append(of))
    assert pixels.shape == (4, 12, 10, 3)
    for index in (0, 1, 3):
        np.testing.assert_array_equal(pixels[index], prepare(dataset.images[index], SEEN))
    assert looks["width"].tolist() == [120, 60, 0, 120]
    assert looks["format"].tolist() == [b"PNG", b"JPEG", b"", b"GIF"]
    assert looks["bytes"][0] == dataset.images[0].stat().st_size
    assert told[-1] == (4, 4)
    assert told == sorted(told)
    assert found.remarks == {FRAMES: 1}


def test_an_image_that_cannot_be_read_is_black_and_has_its_reason(dataset, files):
    found, pixels, looks = decoded(dataset, files)
    assert list(found.problems) == [2]
    assert found.problems[2].startswith(f"{dataset.images[2]}: this is not an image")
    assert not pixels[2].any()
    assert looks[2] == np.zeros((), LOOK)


def test_colour_images_are_counted_where_they_become_grey(dataset, files):
    assert decoded(dataset, files)[0].coloured == 0
    found, pixels, _ = decoded(dataset, files, Preprocessing(12, 10, 1))
    assert found.coloured == 3
    assert pixels.shape == (4, 12, 10, 1)


@pytest.mark.parametrize(("vanishes", "said"), [(False, "changed"), (True, "was removed")])
def test_what_changes_meanwhile_is_refused_or_survived(dataset, files, vanishes, said):
    digests = digests_of(dataset.images)
    if vanishes:
        dataset.images[0].unlink()
    else:
        photograph(9).save(dataset.images[0])
    with pytest.raises(DataError, match=r"0\.png: an image must not change while it is decoded"):
        decoded(dataset, files, digests=digests)
    found, pixels, looks = decoded(dataset, files, digests=digests, survive=True)
    path = dataset.images[0]
    assert found.problems[0] == f"{path}: the image {said} while it was decoded."
    assert not pixels[0].any()
    assert looks["width"].tolist() == [0, 60, 0, 120]


def test_pieces_are_written_in_the_order_of_the_images(tmp_path, files, monkeypatch):
    monkeypatch.setattr(decoding, "PIECE", 2)
    paths = [tmp_path / f"{number}.png" for number in range(5)]
    for number, path in enumerate(paths):
        Image.new("L", (10, 12), 40 * number).save(path)
    told = []
    found, pixels, looks = decoded(
        Dataset(str(tmp_path), "made", paths, np.zeros(5, np.int64), ("a",)),
        files,
        progress=lambda *of: told.append(of),
    )
    assert pixels[:, 0, 0, 0].tolist() == [0, 40, 80, 120, 160]
    assert looks["brightness"].tolist() == pytest.approx([0, 40, 80, 120, 160])
    assert {(2, 5), (4, 5), (5, 5)} <= set(told)
    assert told == sorted(told)
    assert (found.problems, found.remarks) == ({}, {})


def test_looks_of_an_array_are_taken_in_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(array_looks, "BATCH", 3)
    monkeypatch.setattr(array_looks, "AT_ONCE", 2)
    images = np.random.default_rng(0).integers(0, 256, (14, 9, 9), np.uint8)
    take_looks(images, tmp_path / "looks.npy")
    looks = np.load(tmp_path / "looks.npy").view(LOOK)
    expected = looks_of_arrays(images)
    np.testing.assert_array_equal(looks["pixels"], expected["pixels"])
    np.testing.assert_array_equal(looks["grey"], expected["grey"])
    assert len(np.unique(looks["pixels"], axis=0)) == 14


def test_the_bytes_of_an_array_are_converted_to_another_unit(files):
    images = np.arange(8, dtype=np.uint8).reshape(2, 2, 2) * 32
    dataset = Dataset("made", "made", images, np.zeros(2, np.int64), ("a",), unit=(0, 1000))
    own = Preprocessing(2, 2, 1, unit=(0, 1000))
    assert bytes_of(dataset, own) is None
    assert bytes_of(dataset, Preprocessing(2, 2, 1)) is None
    # What was half white is white where white is half as much.
    other = Preprocessing(2, 2, 1, unit=(0, 500))
    table = bytes_of(dataset, other)
    assert table[[0, 32, 64, 128, 255]].tolist() == pytest.approx([0, 64, 128, 255, 255], abs=1)
    _, pixels, _ = decoded(dataset, files, other)
    np.testing.assert_array_equal(pixels[..., 0], table[images])


def test_a_part_of_the_work_has_its_name_where_names_are_shown():
    class Parted:
        def part(self, label):
            return label

    assert part_of(Parted(), "copies") == "copies"
    assert part_of(print, "copies") is print
    assert part_of(None, "copies") is None


def test_a_decoding_that_is_stopped_goes_on_where_it_was(dataset, files, tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "PIECE", 2)
    whole = decoded(dataset, Files(*(tmp_path / f"whole{name}" for name in files._fields)))

    with pytest.raises(KeyboardInterrupt):
        decoded(dataset, files, progress=stop_after(2))
    read = []
    prepared = decoding.read_image
    monkeypatch.setattr(
        decoding,
        "read_image",
        lambda image, unit: read.append(name_of(image)) or prepared(image, unit),
    )
    found, pixels, looks = decoded(dataset, files)
    assert sorted(read) == list(map(str, dataset.images[2:]))
    assert found == whole[0]
    np.testing.assert_array_equal(pixels, whole[1])
    np.testing.assert_array_equal(looks, whole[2])


def test_a_file_that_can_be_read_by_now_is_decoded_again(dataset, files, monkeypatch):
    monkeypatch.setattr(decoding, "PIECE", 3)
    reading = decoding.read_image

    def broken(image, unit):
        if name_of(image) == str(dataset.images[0]):
            raise ImageError("this Pillow cannot read it")
        return reading(image, unit)

    monkeypatch.setattr(decoding, "read_image", broken)
    with pytest.raises(KeyboardInterrupt):
        decoded(dataset, files, progress=stop_after(3))
    monkeypatch.setattr(decoding, "read_image", reading)
    found, pixels, _ = decoded(dataset, files)
    assert list(found.problems) == [2]
    np.testing.assert_array_equal(pixels[0], prepare(dataset.images[0], SEEN))


def test_few_pieces_are_decoded_before_their_turn(tmp_path, files, monkeypatch):
    monkeypatch.setattr(decoding, "PIECE", 1)
    monkeypatch.setattr(decoding.os, "cpu_count", lambda: 2)
    paths = [tmp_path / f"{number}.png" for number in range(40)]
    for path in paths:
        Image.new("L", (10, 12), 90).save(path)
    begun = []
    reading = decoding.read_image
    monkeypatch.setattr(
        decoding, "read_image", lambda image, unit: begun.append(image) or reading(image, unit)
    )
    ahead = []
    dataset = Dataset(str(tmp_path), "made", paths, np.zeros(40, np.int64), ("a",))
    decoded(dataset, files, progress=lambda done, _: ahead.append(len(begun) - done))
    assert len(begun) == 40
    assert max(ahead) <= 2 * decoding.AHEAD


def test_a_file_is_read_once_so_that_what_is_digested_is_what_is_decoded(
    dataset, files, monkeypatch
):
    whole = decoded(dataset, files)
    digests = digests_of(dataset.images)
    reading = decoding.read_file

    def replaced_after_reading(path):
        content = reading(path)
        if path == dataset.images[0]:
            photograph(9).save(path)
        return content

    monkeypatch.setattr(decoding, "read_file", replaced_after_reading)
    found, pixels, looks = decoded(dataset, files, digests=digests)
    assert list(found.problems) == [2]
    np.testing.assert_array_equal(pixels, whole[1])
    np.testing.assert_array_equal(looks, whole[2])


def test_a_stop_between_two_pieces_counts_no_image_twice(dataset, files, monkeypatch):
    monkeypatch.setattr(decoding, "PIECE", 1)
    grey = Preprocessing(12, 10, 1)
    whole = decoded(
        dataset, Files(*(files.array.with_name(f"whole{n}") for n in files._fields)), grey
    )
    stacked = decoding.np.stack

    def stop(arrays):
        if len(told) == 3:  # The animation is noted, and not yet written.
            raise KeyboardInterrupt
        return stacked(arrays)

    told = []
    with monkeypatch.context() as patch:
        patch.setattr(decoding.np, "stack", stop)
        with pytest.raises(KeyboardInterrupt):
            decoded(dataset, files, grey, progress=lambda *of: told.append(of))
    assert decoded(dataset, files, grey)[0] == whole[0]
