"""Versions: classifiers on the images that all of them were tested on."""

import numpy as np

from convlens.evaluation.paired import compare_pairs
from convlens.evaluation.predictions import Predictions
from convlens.evaluation.versions import compare_versions


def version(files, labels, answers, names=("cat", "dog")):
    predicted = np.array(answers)
    rows = np.full((len(files), len(names)), 0.1)
    rows[np.arange(len(files)), predicted] = np.linspace(0.5, 0.9, len(files))
    return Predictions(names, tuple(files), np.array(labels), predicted, rows)


def test_only_common_images_count_and_the_paired_test_is_that_of_a_comparison():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 60)
    answers = [np.where(rng.random(60) < share, labels, 1 - labels) for share in (0.6, 0.95, 0.8)]
    names = [str(n) for n in range(60)]
    spans = [slice(0, 50), slice(5, 60), slice(0, 60)]
    found = compare_versions(
        {
            name: version(names[span], labels[span], answer[span])
            for name, span, answer in zip("abc", spans, answers, strict=True)
        }
    )
    assert found.tested == (50, 55, 60)
    assert found.files == tuple(names[5:50])
    correct = np.array([(answer == labels)[5:50] for answer in answers])
    assert (found.correct == correct).all()
    assert list(found.pairs) == compare_pairs("abc", correct)
    assert [score.value for score in found.accuracies] == correct.mean(1).tolist()


def test_the_classes_may_stand_in_another_order_and_the_last_label_counts():
    first = version("1234", [0, 0, 1, 1], [0, 1, 1, 0])
    last = version("4321", [1, 1, 1, 1], [1, 1, 0, 1], names=("dog", "cat"))
    found = compare_versions({"first": first, "last": last})
    assert found.files == tuple("4321")
    assert found.labels == ("cat", "cat", "cat", "cat")
    assert found.relabelled == 2  # images 3 and 4
    assert found.correct.tolist() == [[True, False, False, True], [True, True, False, True]]


def test_each_cell_has_its_images_the_surest_first():
    labels = [0] * 6
    first = version("abcdef", labels, [0, 0, 1, 1, 0, 0])
    last = version("abcdef", labels, [0, 1, 0, 1, 1, 0])
    found = compare_versions({"first": first, "last": last})
    cells = {
        (one, other): [
            found.files[place] for place in found.cell(0, 1, is_first=one, is_second=other)
        ]
        for one in (True, False)
        for other in (True, False)
    }
    assert cells == {
        (True, True): ["f", "a"],
        (True, False): ["e", "b"],
        (False, True): ["c"],
        (False, False): ["d"],
    }


def test_without_common_images_there_is_no_test():
    one = version("ab", [0, 1], [0, 1])
    assert compare_versions({"one": one, "other": version("cd", [0, 1], [0, 1])}).pairs == ()
    assert compare_versions({"one": one, "other": one}, same_images=False).files == ()
