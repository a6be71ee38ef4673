import numpy as np
import pytest

from convlens.data.splits import clusters_of, draw, folds, make_splits
from convlens.errors import DataError

LABELS = np.repeat(np.arange(4), 50)
ALONE = np.arange(200)
USABLE = np.ones(200, bool)


def test_shares_are_kept_in_every_class():
    splits = make_splits(LABELS, ALONE, USABLE, val=0.2, test=0.2, seed=0)
    assert [len(splits.test), len(splits.val), len(splits.train)] == [40, 32, 128]
    assert np.bincount(LABELS[splits.test]).tolist() == [10, 10, 10, 10]
    assert np.bincount(LABELS[splits.val]).tolist() == [8, 8, 8, 8]
    assert np.array_equal(np.sort(np.concatenate([splits.train, splits.val, splits.test])), ALONE)


def test_one_seed_gives_one_division_and_another_gives_another():
    first, same, other = (make_splits(LABELS, ALONE, USABLE, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.test, same.test)
    assert np.array_equal(first.val, same.val)
    assert not np.array_equal(first.test, other.test)


def test_copies_and_groups_stay_on_one_side():
    digests = np.arange(200, dtype=np.uint8)[:, None] // 2  # pairs of copies
    groups = np.array([f"patient {i // 10}" for i in range(200)])
    clusters = clusters_of(digests, groups)
    assert len(np.unique(clusters)) == 20
    splits = make_splits(LABELS, clusters, USABLE)
    for one, other in ((splits.train, splits.val), (splits.train, splits.test), (splits.val, splits.test)):
        assert not set(clusters[one]) & set(clusters[other])
        assert len(one)


def test_a_copy_links_two_groups():
    digests = np.array([[1], [2], [2], [3]], np.uint8)
    clusters = clusters_of(digests, np.array(["a", "a", "b", "b"]))
    assert len(set(clusters.tolist())) == 1


def test_given_sets_are_kept_and_copies_of_test_pictures_leave_the_training():
    given = np.array((["train"] * 40 + ["test"] * 10) * 4)
    clusters = ALONE.copy()
    clusters[0] = clusters[45]  # a training picture is a copy of a test picture
    splits = make_splits(LABELS, clusters, USABLE, given=given, val=0.25)
    assert len(splits.test) == 40
    assert (given[splits.test] == "test").all()
    assert 0 not in splits.train
    assert 0 not in splits.val
    assert len(splits.train) + len(splits.val) == 159
    assert "1 pictures stand in two" in splits.notes[0]


def test_unusable_pictures_are_in_no_set():
    usable = USABLE.copy()
    usable[:5] = False
    splits = make_splits(LABELS, ALONE, usable)
    assert not set(range(5)) & set(np.concatenate([splits.train, splits.val, splits.test]).tolist())


def test_limit_draws_from_every_class_and_set():
    given = np.array((["train"] * 40 + ["test"] * 10) * 4)
    splits = make_splits(LABELS, ALONE, USABLE, given=given, limit=40)
    assert len(splits.test) == 8
    assert np.bincount(LABELS[np.concatenate([splits.train, splits.val])]).tolist() == [8, 8, 8, 8]


def test_a_class_of_two_keeps_one_to_train_on():
    labels = np.array([0] * 20 + [1] * 2)
    splits = make_splits(labels, np.arange(22), np.ones(22, bool), val=0.4, test=0.4)
    assert 1 in labels[splits.train]


def test_a_class_without_training_picture_is_an_error():
    given = np.array(["train"] * 150 + ["test"] * 50)
    with pytest.raises(DataError, match="class number 3 has none left"):
        make_splits(LABELS, ALONE, USABLE, given=given)


def test_folds_hold_every_picture_out_once():
    held = np.concatenate([held for _, held in folds(LABELS, ALONE // 2, ALONE, 5, seed=0)])
    assert np.array_equal(np.sort(held), ALONE)
    for rest, out in folds(LABELS, ALONE // 2, ALONE, 5, seed=0):
        assert not set(rest.tolist() // np.int64(2)) & set(out.tolist() // np.int64(2))
        assert np.bincount(LABELS[out]).min() >= 9


def test_draw_takes_nothing_for_a_share_of_zero():
    assert len(draw(ALONE, LABELS, ALONE, 0.0, np.random.default_rng(0))) == 0
