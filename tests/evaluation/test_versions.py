"""Versions: classifiers, each two on the images that both of them were tested on."""

import numpy as np

from convlens.evaluation.paired import compare_pairs, holm, mcnemar
from convlens.evaluation.predictions import Predictions
from convlens.evaluation.versions import compare_versions


def version(files, labels, answers, names=("cat", "dog")):
    predicted = np.array(answers)
    rows = np.full((len(files), len(names)), 0.1)
    rows[np.arange(len(files)), predicted] = np.linspace(0.5, 0.9, len(files))
    return Predictions(names, tuple(files), np.array(labels), predicted, rows)


def test_each_two_are_tested_on_all_images_that_they_have_in_common():
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
    right = dict(zip("abc", [answer == labels for answer in answers], strict=True))
    values = []
    for pair, both in (("ab", slice(5, 50)), ("ac", slice(0, 50)), ("bc", slice(5, 60))):
        common = found.common[pair[0], pair[1]]
        assert common.files == tuple(names[both])
        correct = np.array([right[name][both] for name in pair])
        assert (common.correct == correct).all()
        assert [score.value for score in common.accuracies] == correct.mean(1).tolist()
        one, other = correct
        values.append((mcnemar((one & ~other).sum(), (other & ~one).sum()), len(one)))
    assert [(pair.p, pair.n) for pair in found.pairs] == values
    assert [pair.p_corrected for pair in found.pairs] == holm([p for p, _n in values])


def test_a_version_with_few_common_images_takes_none_from_the_others():
    labels = [0] * 16
    names = [str(n) for n in range(19)]
    old = version(names[:16], labels, [0] * 7 + [1] * 9)
    new = version(names[:16], labels, labels)
    odd = version(names[13:], [0] * 6, [0] * 6)
    found = compare_versions({"old": old, "new": new, "odd": odd})
    assert [(pair.first, pair.second, pair.n) for pair in found.pairs] == [
        ("old", "new", 16),
        ("old", "odd", 3),
        ("new", "odd", 3),
    ]
    assert found.common["old", "new"].accuracies[0].value == 7 / 16
    assert found.pairs[0].p == mcnemar(0, 9)
    assert found.pairs[0].p_corrected == 3 * mcnemar(0, 9)


def test_with_the_same_images_the_test_is_that_of_a_comparison():
    rng = np.random.default_rng(2)
    answers = rng.integers(0, 2, (3, 40))
    files = [str(n) for n in range(40)]
    found = compare_versions(
        {name: version(files, [0] * 40, row) for name, row in zip("abc", answers, strict=True)}
    )
    assert list(found.pairs) == compare_pairs("abc", answers == 0)


def test_the_classes_may_stand_in_another_order_and_the_last_label_counts():
    first = version("1234", [0, 0, 1, 1], [0, 1, 1, 0])
    last = version("4321", [1, 1, 1, 1], [1, 1, 0, 1], names=("dog", "cat"))
    found = compare_versions({"first": first, "last": last, "again": last})
    assert found.relabelled == 2  # images 3 and 4, each counted once
    common = found.common["first", "last"]
    assert common.files == tuple("4321")
    assert common.labels == ("cat", "cat", "cat", "cat")
    assert common.correct.tolist() == [[True, False, False, True], [True, True, False, True]]


def test_each_cell_has_its_images_the_surest_first():
    labels = [0] * 6
    first = version("abcdef", labels, [0, 0, 1, 1, 0, 0])
    last = version("abcdef", labels, [0, 1, 0, 1, 1, 0])
    found = compare_versions({"first": first, "last": last}).common["first", "last"]
    cells = {
        (one, other): [found.files[place] for place in found.cell(is_first=one, is_second=other)]
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
    apart = compare_versions({"one": one, "other": one}, same_images=lambda *names: False)
    assert (apart.pairs, apart.common["one", "other"].files) == ((), ())
