"""The cards of the page: which images are shown, how they are written, and what is left out."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from convlens.audit import cards as module
from convlens.audit.cards import GALLERY, make_cards
from convlens.audit.finding import found
from convlens.data.dataset import Dataset
from tests.audit.photographs import photograph


@pytest.fixture
def dataset(tmp_path):
    """Return 15 photographs of two classes, of which one cannot be read, and one is small."""
    paths = [tmp_path / f"{number}.png" for number in range(15)]
    for number, path in enumerate(paths):
        photograph(number, (300, 400) if number else (8, 9)).save(path)
    paths[14].write_bytes(b"no image")
    labels = np.arange(15) % 2
    return Dataset(str(tmp_path), "made", paths, labels, ("cat", "dog"))


def shown_of(dataset, finding, splits=None):
    (card,) = make_cards(dataset, (finding,), splits)[finding.code]
    return card, card.shown


def decoded(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1])))


def test_a_copy_of_another_split_is_shown_though_others_come_before_it(dataset):
    splits = np.array(["train"] * 9 + ["test"] * 6)
    indices = [1, 2, 3, 4, 9]
    evidence = {"kind": "near", "splits": splits[indices]}
    card, shown = shown_of(
        dataset, found("leaked_near_duplicate", dataset, indices, evidence), splits
    )
    assert card.layout == "pair"
    assert [one.index for one in shown] == [1, 9, 2]
    assert [one.split for one in shown] == ["train", "test", "train"]
    assert (card.classes, card.splits, card.more) == (["cat", "dog"], ["test", "train"], 2)
    # Cards are filtered by the classes and splits of all of their images.
    odd = found("leaked_near_duplicate", dataset, [1, 3, 5, 10], {"kind": "near"})
    card, shown = shown_of(dataset, odd, splits)
    assert {one.label for one in shown} == {"dog"}
    assert (card.classes, card.splits) == (["cat", "dog"], ["test", "train"])
    assert (shown[0].difference, shown[0].said) == ("", "")
    assert decoded(shown[1].difference).format == "PNG"
    assert "mean difference" in shown[1].said


def test_small_images_are_exact_and_large_ones_reduced(dataset):
    _, (small,) = shown_of(dataset, found("dark", dataset, [0]))
    with Image.open(dataset.images[0]) as image:
        np.testing.assert_array_equal(np.asarray(decoded(small.source)), np.asarray(image))
    assert small.is_small
    _, (large,) = shown_of(dataset, found("dark", dataset, [1]))
    assert decoded(large.source).size == (224, 168)
    assert decoded(large.source).format == "JPEG"
    assert not large.is_small


def test_deep_images_are_as_bright_as_the_network_sees_them(tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(2)]
    for path, level in zip(paths, (200, 40_000), strict=True):
        Image.fromarray(np.full((8, 8), level, np.uint16)).save(path)
    deep = Dataset(str(tmp_path), "made", paths, np.zeros(2, np.int64), ("a",))
    findings = tuple(found("dark", deep, [index]) for index in range(2))
    made = make_cards(deep, findings, None, (0, 65535))["dark"]
    levels = [np.asarray(decoded(card.shown[0].source)).max() for card in made]
    assert levels == pytest.approx([200 / 257, 40_000 / 257], abs=1)


def test_a_file_that_cannot_be_read_has_no_image_and_no_difference(dataset):
    _, (one,) = shown_of(dataset, found("unreadable", dataset, [14]))
    assert (one.source, one.is_small) == ("", False)
    _, shown = shown_of(dataset, found("near_duplicate", dataset, [14, 1], {"kind": "near"}))
    assert [bool(one.source) for one in shown] == [False, True]
    assert shown[1].difference == ""


def test_many_images_are_a_gallery_and_findings_on_none_are_text(dataset):
    card, shown = shown_of(dataset, found("small_class", dataset, range(15)))
    assert (card.layout, len(shown), card.more) == ("gallery", GALLERY, 3)
    assert decoded(shown[1].source).size == (160, 120)
    card, shown = shown_of(dataset, found("unequal_classes", dataset, [], {"largest": "cat"}))
    assert (card.layout, shown, card.more, card.size) == ("text", (), 0, 0)
    # Files with the same bytes have no difference that could be drawn.
    card, _ = shown_of(dataset, found("exact_copy", dataset, [1, 2], {"kind": "bytes"}))
    assert card.layout == "gallery"


def test_the_first_findings_of_all_codes_come_before_the_second_ones(dataset, monkeypatch):
    monkeypatch.setattr(module, "cpu_count", lambda: 1)
    monkeypatch.setattr(module, "PER_CODE", 3)
    findings = (
        *(found("dark", dataset, [index]) for index in range(1, 6)),
        *(found("bright", dataset, [index]) for index in range(1, 3)),
    )
    made = make_cards(dataset, findings, None)
    assert {code: [card.number for card in some] for code, some in made.items()} == {
        "dark": [0, 1, 2],
        "bright": [5, 6],
    }
    monkeypatch.setattr(module, "MOST_BYTES", 1)
    made = make_cards(dataset, findings, None)
    assert [len(some) for some in made.values()] == [2, 2]
