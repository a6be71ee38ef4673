"""Pairs are proposed where hashes of images, or of their parts, are alike."""

import numpy as np
import pytest
from PIL import Image

from convlens.data.hashes import CROPS, WHOLE, Window, windows
from convlens.data.looks import LOOK
from convlens.data.neighbours import CHUNKS
from convlens.data.proposals import best_part, propose
from tests.data.photographs import COPIES, as_jpeg, crop, looks_at, photograph

NUMBER = 20


def proposed(images, limit=100, **options):
    """Return {(first, second): (turn, part)} of the proposed pairs, and the proposals."""
    looks = looks_at(images) if images else np.zeros(0, LOOK)
    found = propose(looks, np.arange(len(images)), limit, **options)
    columns = (found.first, found.second, found.turn, found.part)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {(one, other): (turn, found.parts[part]) for one, other, turn, part in rows}, found


@pytest.fixture(scope="module")
def originals():
    return [photograph(seed) for seed in range(NUMBER)]


def test_a_compressed_copy_is_proposed_as_a_whole_before_all_others(originals):
    pairs, found = proposed([*originals, as_jpeg(originals[4], 50)])
    assert next(iter(pairs)) == (4, NUMBER)
    assert pairs[4, NUMBER] == (0, WHOLE)
    assert found.complete
    assert found.left_out == 0
    assert len(found.parts) == 30


def test_a_mirror_image_is_proposed_with_its_turn(originals):
    flipped = originals[7].transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pairs, _ = proposed([*originals, flipped])
    assert pairs[7, NUMBER] == (1, WHOLE)


def test_a_crop_is_proposed_with_the_part_that_it_shows(originals):
    pairs, _ = proposed([*originals, crop(originals[3], 0.2, (0, 1))])
    assert pairs[NUMBER, 3] == (0, Window(0, 12, 52, 52))


def test_crops_are_not_searched_for_among_images_that_are_alike(originals):
    pairs, found = proposed([*originals, crop(originals[3], 0.2, (0, 1))], strictness=0.9)
    assert found.parts == [WHOLE]
    assert pairs == {}


def test_only_the_most_alike_are_kept_and_that_is_told(originals):
    copies = [COPIES["jpeg"](originals[0]), *(originals[0] for _ in range(2))]
    pairs, found = proposed([*originals, *copies], limit=3)
    equal = {(0, NUMBER + 1), (0, NUMBER + 2), (NUMBER + 1, NUMBER + 2)}
    assert set(pairs) == equal
    assert not found.complete


def test_flat_images_and_other_images_than_the_chosen_are_not_proposed(originals):
    blank = [Image.new("RGB", (70, 70), (level,) * 3) for level in (9, 10)]
    pairs, _ = proposed([*originals, *blank])
    assert not any(index >= NUMBER for pair in pairs for index in pair)
    looks = looks_at([*originals, originals[0], originals[1]])
    found = propose(looks, np.array([0, 2, NUMBER, NUMBER + 1]), 100)
    assert (found.first.tolist(), found.second.tolist()) == ([0], [NUMBER])


@pytest.mark.parametrize("number", [0, 1])
def test_none_or_one_image_has_no_pair(originals, number):
    pairs, found = proposed(originals[:number])
    assert pairs == {}
    assert found.complete


def test_every_step_is_counted(originals):
    told = []
    proposed(originals, progress=lambda *of: told.append(of))
    assert told == [(step, 3 * CHUNKS) for step in range(3 * CHUNKS + 1)]


def test_the_best_part_is_the_one_that_was_cut_out(originals):
    looks = looks_at([originals[0], crop(originals[0], 0.2, (1, 0)), originals[0]])
    part, parts = best_part(looks, np.array([[1, 0], [2, 0]]))
    assert parts == [WHOLE, *windows(CROPS)]
    assert parts[part[0]] == Window(12, 0, 52, 52)
    assert parts[part[1]] == WHOLE
