"""Every class is divided in the same way."""

import numpy as np

from convlens.audit.strata import places_in_class, stratified_folds


def test_images_are_numbered_in_each_class():
    assert places_in_class(np.array([3, 1, 3, 3, 1])).tolist() == [0, 0, 1, 2, 1]
    assert places_in_class(np.array([], np.int64)).tolist() == []


def test_each_fold_has_an_equal_share_of_each_class_and_is_drawn():
    labels = np.repeat([0, 1], [50, 23])
    folds = stratified_folds(labels, 5, np.random.default_rng(0))
    assert np.bincount(folds[labels == 0]).tolist() == [10] * 5
    assert sorted(np.bincount(folds[labels == 1])) == [4, 4, 5, 5, 5]
    again = stratified_folds(labels, 5, np.random.default_rng(0))
    assert again.tolist() == folds.tolist()
    assert stratified_folds(labels, 5, np.random.default_rng(1)).tolist() != folds.tolist()
