import json

import numpy as np
import pytest

from convlens.errors import DataError
from convlens.evaluation.evaluate import EXPLANATIONS, evaluate

LABELS = np.array([0, 1, 2, 0])
PROBABILITIES = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.05, 0.9, 0.05], [0.5, 0.3, 0.2]])
NAMES = ["cat", "dog", "owl"]


def uniform(n, classes):
    return np.random.default_rng(0).dirichlet(np.ones(classes), n)


@pytest.mark.parametrize(
    ("classes", "top"), [(2, []), (3, []), (4, ["top_3"]), (9, ["top_3"]), (10, ["top_3", "top_5"])]
)
def test_top_k_is_there_where_it_says_something(classes, top):
    scores = evaluate([0, 1, 1], uniform(3, classes), [str(i) for i in range(classes)]).scores
    assert [name for name in scores if name.startswith("top")] == top
    assert set(scores) <= set(EXPLANATIONS)


def test_the_dict_is_strict_json_with_every_score():
    found = json.loads(
        json.dumps(evaluate(LABELS, PROBABILITIES, NAMES).to_dict(), allow_nan=False)
    )
    assert found["metrics"]["accuracy"] == pytest.approx(
        {"value": 0.5, "low": 0.15004, "high": 0.84996, "n": 4}, abs=1e-5
    )
    assert found["confusion"] == [[2, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert found["classes"][2]["precision"] == {"value": None, "low": None, "high": None, "n": 0}
    assert found["baseline"] == 0.5
    assert sum(one["accuracy"]["n"] for one in found["calibration"]) == 4


def test_worst_are_the_most_confident_mistakes_and_correct_never_one():
    evaluation = evaluate(LABELS, PROBABILITIES, NAMES)
    assert evaluation.worst(5).tolist() == [2, 1]
    assert evaluation.worst(1).tolist() == [2]
    assert evaluation.correct(5).tolist() == [0, 3]
    assert evaluation.correct(0).tolist() == []
    assert evaluate([0], [[0.1, 0.9]], ["a", "b"]).correct(3).tolist() == []


def test_confusions_name_the_true_class_first():
    evaluation = evaluate([0, 0, 1, 0], np.eye(3)[[1, 1, 2, 0]], NAMES)
    assert evaluation.confusions(9) == [("cat", "dog", 2), ("dog", "owl", 1)]


@pytest.mark.parametrize(
    ("labels", "probabilities", "said"),
    [
        ([], np.empty((0, 3)), "at least one image"),
        ([0], [[0.5, 0.5]], r"\(1, 3\); found \(1, 2\)"),
        ([0, 3], [[1, 0, 0], [1, 0, 0]], "found 3 for image 1"),
        ([0, -1], [[1, 0, 0], [1, 0, 0]], "found -1 for image 1"),
        ([0], [[np.nan, 0, 1]], "0 to 1"),
        ([0], [[4.0, -2.0, 1.0]], "softmax"),
        ([0], [[0.9, 0.9, 0.9]], "sum to 1"),
    ],
)
def test_what_cannot_be_scored_is_said_in_one_line(labels, probabilities, said):
    with pytest.raises(DataError, match=said) as error:
        evaluate(labels, probabilities, NAMES)
    assert "\n" not in str(error.value)
