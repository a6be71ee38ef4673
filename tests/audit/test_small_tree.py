"""The tree is that of scikit-learn, which is slow to import."""

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from convlens.audit.small_tree import grow


@pytest.mark.parametrize("classes", [2, 5])
def test_it_predicts_as_the_tree_of_scikit_learn_does(classes):
    rng = np.random.default_rng(classes)
    values = rng.normal(size=(400, 4))
    values[:, 3] = values[:, 3] > 0.3  # a word that an image has or has not
    labels = np.digitize(values[:, 0] + 2 * values[:, 3], np.linspace(-1, 2, classes - 1))
    labels = np.where(rng.random(400) < 0.2, rng.integers(0, classes, 400), labels)
    known = DecisionTreeClassifier(max_depth=3, min_samples_leaf=10).fit(values, labels)
    tree = grow(values, labels, 3, 10)
    others = rng.normal(size=(1000, 4))
    assert tree.predict(others).tolist() == known.predict(others).tolist()
    gains = np.zeros(4)
    for split in tree.splits():
        gains[split.column] += split.gain
    assert gains / gains.sum() == pytest.approx(known.feature_importances_)


def test_a_leaf_has_enough_images_and_no_question_that_tells_nothing_is_asked():
    labels = np.repeat([0, 1], [5, 45])
    values = np.arange(50.0)[:, None]
    tree = grow(values, labels, 1, 10)
    assert tree.split.limit == 9.5  # not 4.5, which would leave five images
    assert [branch.counts.sum() for branch in tree.branches] == [10, 40]
    assert grow(np.ones((50, 1)), labels, 3, 10).split is None
    assert grow(values, np.zeros(50, np.int64), 3, 10).split is None
    assert grow(values[:15], labels[:15], 3, 10).split is None


def test_classes_that_a_branch_lacks_keep_their_numbers():
    labels = np.repeat([0, 2], 20)
    tree = grow(labels[:, None] * 1.0, labels, 2, 10)
    assert tree.branches[0].counts.tolist() == [20, 0, 0]
    assert tree.predict(np.array([[2.0], [0.0]])).tolist() == [2, 0]
