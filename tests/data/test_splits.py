import numpy as np
import pytest

from convlens.data.clusters import clusters_of
from convlens.data.dataset import Dataset
from convlens.data.folds import folds, refuse_few_images
from convlens.data.splits import make_splits
from convlens.errors import DataError

NAMES = ("bee", "cat", "dog", "eel")
LABELS = np.repeat(np.arange(4), 50)
ALONE = np.arange(200)
USABLE = np.ones(200, bool)
DIGESTS = np.random.default_rng(0).integers(0, 256, (1000, 16), np.uint8)


def split(labels, names, clusters, usable, **settings):
    """Split images whose contents all differ."""
    digests = DIGESTS[: len(labels)]
    return make_splits(np.asarray(labels), names, clusters, usable, digests, **settings)


def test_shares_are_kept_in_every_class():
    splits = split(LABELS, NAMES, ALONE, USABLE, val=0.2, test=0.2, seed=0)
    assert [len(splits.test), len(splits.val), len(splits.train)] == [40, 32, 128]
    assert np.bincount(LABELS[splits.test]).tolist() == [10, 10, 10, 10]
    assert np.bincount(LABELS[splits.val]).tolist() == [8, 8, 8, 8]
    assert np.array_equal(np.sort(np.concatenate([splits.train, splits.val, splits.test])), ALONE)


def test_one_seed_gives_the_same_splits_and_another_gives_others():
    first, same, other = (split(LABELS, NAMES, ALONE, USABLE, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.test, same.test)
    assert np.array_equal(first.val, same.val)
    assert not np.array_equal(first.test, other.test)


def test_the_images_that_stay_keep_their_split():
    whole = split(LABELS, NAMES, ALONE, USABLE)
    for gone in (0, 17, 199):
        rest = np.delete(ALONE, gone)
        fewer = make_splits(LABELS[rest], NAMES, ALONE[rest], USABLE[rest], DIGESTS[rest])
        moved = set(rest[fewer.test]) ^ (set(whole.test) - {gone})
        assert len(moved) <= 1  # the one that takes the place of a test image
    relabelled = LABELS.copy()
    relabelled[17] = 3
    other = split(relabelled, NAMES, ALONE, USABLE)
    assert len(set(other.test) ^ set(whole.test)) <= 2
    assert len(set(other.val) ^ set(whole.val)) <= 4
    # The order of the images does not matter, nor do more images of another class.
    order = np.random.default_rng(1).permutation(200)
    turned = make_splits(LABELS[order], NAMES, ALONE[order], USABLE, DIGESTS[order])
    assert sorted(order[turned.test]) == whole.test.tolist()
    more = split([*LABELS, 3, 3, 3, 3, 3], NAMES, np.arange(205), np.ones(205, bool))
    assert set(whole.test[whole.test < 150]) == set(more.test[more.test < 150])


def test_copies_and_groups_stay_on_one_side():
    digests = np.arange(200, dtype=np.uint8)[:, None] // 2  # pairs of copies
    groups = np.array([f"patient {i // 10}" for i in range(200)])
    clusters = clusters_of(digests, groups)
    assert len(np.unique(clusters)) == 20
    splits = split(LABELS, NAMES, clusters, USABLE)
    for one, other in (
        (splits.train, splits.val),
        (splits.train, splits.test),
        (splits.val, splits.test),
    ):
        assert not set(clusters[one]) & set(clusters[other])
        assert len(one)


def test_given_sets_are_kept_and_copies_of_test_images_leave_the_training():
    given = np.array((["train"] * 40 + ["test"] * 10) * 4)
    clusters = ALONE.copy()
    clusters[0] = clusters[45]  # a training image is a copy of a test image
    splits = split(LABELS, NAMES, clusters, USABLE, given=given, val=0.25)
    assert len(splits.test) == 40
    assert (given[splits.test] == "test").all()
    assert 0 not in splits.train
    assert 0 not in splits.val
    assert len(splits.train) + len(splits.val) == 159
    assert "another of the source's splits" in splits.notes[0]
    assert splits.notes[0].endswith("(1): 0 and 45")
    assert "(1)" in splits.notes[0]


def test_unusable_images_are_in_no_set():
    usable = USABLE.copy()
    usable[:5] = False
    splits = split(LABELS, NAMES, ALONE, usable)
    assert not set(range(5)) & set(np.concatenate([splits.train, splits.val, splits.test]).tolist())


def test_a_class_of_two_keeps_one_to_train_on():
    labels = np.array([0] * 20 + [1] * 2)
    splits = split(labels, NAMES, np.arange(22), np.ones(22, bool), val=0.4, test=0.4)
    assert 1 in labels[splits.train]


def test_a_class_without_training_image_is_an_error():
    given = np.array(["train"] * 150 + ["test"] * 50)
    with pytest.raises(
        DataError, match=r"none is left for 'eel' \(50 of its 50 images can be read\)"
    ):
        split(LABELS, NAMES, ALONE, USABLE, given=given)


@pytest.mark.parametrize("others", [("test",), ("val",), ("val", "test")])
def test_a_split_that_copies_the_training_images_is_told(others):
    given = np.tile(["train", *others], 200 // (1 + len(others)))
    clusters = np.arange(len(given)) // (1 + len(others))
    labels = LABELS[clusters]
    with pytest.raises(DataError, match=r"all training images of 'bee' .*, 'cat' .*copies"):
        split(labels, NAMES, clusters, np.ones(len(given), bool), given=given)


def test_images_validate_even_if_val_copies_test():
    given = np.repeat(["train", "val", "test"], [100, 50, 50])
    clusters = np.concatenate([np.arange(150), np.arange(100, 150)])
    labels = np.arange(200) % 2
    splits = split(labels, NAMES, clusters, USABLE, given=given)
    assert [len(splits.train), len(splits.val), len(splits.test)] == [80, 20, 50]
    assert "every image of val is in test" in splits.notes[1]


def test_a_class_of_damaged_images_is_named():
    # Trained on the other classes only, a classifier would never predict this one.
    usable = LABELS != 1
    with pytest.raises(DataError, match=r"'cat' \(0 of its 50 images can be read\)"):
        split(LABELS, NAMES, ALONE, usable)


@pytest.mark.parametrize("num_groups", [5, 10, 50])
@pytest.mark.parametrize("num_classes", [2, 10])
def test_groups_that_hold_every_class_keep_the_shares(num_groups, num_classes):
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(num_classes), 1000 // num_classes)
    clusters = rng.permutation(np.repeat(np.arange(num_groups), 1000 // num_groups))
    for seed in range(5):
        splits = split(
            labels, "abcdefghij", clusters, np.ones(1000, bool), val=0.2, test=0.2, seed=seed
        )
        assert 0.15 <= len(splits.test) / 1000 <= 0.3
        assert 0.1 <= len(splits.val) / 1000 <= 0.3
        assert not set(clusters[splits.test]) & set(clusters[splits.train])
        assert set(labels[splits.train]) == set(range(num_classes))


def test_a_large_group_does_not_blow_up_a_share():
    # Of the 50 images of a class, 30 are one group.
    clusters = np.where(ALONE % 50 < 30, LABELS, ALONE + 10)
    for seed in range(5):
        assert len(split(LABELS, NAMES, clusters, USABLE, seed=seed).test) == 40


@pytest.mark.parametrize(
    ("size", "sets"), [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (4, (2, 1, 1))]
)
def test_tiny_classes_train_first_then_test_then_validate(size, sets):
    labels = np.repeat([0, 1, 2], size)
    splits = split(labels, NAMES, np.arange(3 * size), np.ones(3 * size, bool))
    found = [
        np.bincount(labels[part], minlength=3).tolist()
        for part in (splits.train, splits.val, splits.test)
    ]
    assert found == [[n] * 3 for n in sets]


def test_more_folds_than_different_images_of_a_class_are_refused():
    dataset = Dataset("here", "made", np.zeros((200, 2, 2), np.uint8), LABELS, NAMES)
    pool = ALONE[:190]
    refuse_few_images(dataset, ALONE, pool, 40)
    copies = np.where(ALONE < 20, 0, ALONE)
    with pytest.raises(DataError) as error:
        refuse_few_images(dataset, copies, pool, 41)
    assert str(error.value) == (
        "here: with --folds 41, every class needs 41 different images or more, one for each fold; "
        "too few in 'bee' (31), 'eel' (40). Give fewer folds, or add images."
    )


def test_classes_of_a_classifier_that_have_no_image_here_need_none_for_the_folds():
    dataset = Dataset("here", "made", np.zeros((200, 2, 2), np.uint8), LABELS, NAMES)
    refuse_few_images(dataset.with_classes(("ant", *NAMES, "fox")), ALONE, ALONE, 40)


def test_folds_hold_every_image_out_once():
    held = np.concatenate([held for _, held in folds(LABELS, ALONE // 2, ALONE, 5, seed=0)])
    assert np.array_equal(np.sort(held), ALONE)
    for rest, out in folds(LABELS, ALONE // 2, ALONE, 5, seed=0):
        assert not set(rest.tolist() // np.int64(2)) & set(out.tolist() // np.int64(2))
        assert np.bincount(LABELS[out]).min() >= 9
