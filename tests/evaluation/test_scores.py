"""How scores are shown and stored."""

import math

from convlens.evaluation import metrics
from convlens.evaluation.scores import Bin, ClassScores, Score


def test_a_score_prints_with_interval_and_images():
    assert str(metrics.wilson(973, 1000)) == "97.3 % [96.1, 98.1] n=1,000"
    assert str(Score(0.09124, 0.08, 0.1, 1200, percent=False)) == "0.091 [0.080, 0.100] n=1,200"
    assert str(metrics.wilson(0, 0)) == "not defined n=0"
    assert metrics.wilson(0, 0).to_dict() == {"value": None, "low": None, "high": None, "n": 0}


def test_a_score_that_is_no_proportion_has_three_digits():
    score = Score(1.23456, 1.0, 1.5, 10, percent=False)
    assert (score.value_text, score.interval_text) == ("1.235", "[1.000, 1.500]")
    assert "percent" not in score.to_dict()


def test_the_scores_of_a_class_as_plain_data():
    perfect = metrics.wilson(4, 4)
    plain = ClassScores("cat", 4, 5, metrics.wilson(4, 5), perfect, perfect).to_dict()
    assert list(plain) == ["name", "images", "predicted", "precision", "recall", "f1"]
    assert (plain["name"], plain["images"], plain["predicted"]) == ("cat", 4, 5)
    assert plain["precision"] == metrics.wilson(4, 5).to_dict()


def test_an_empty_bin_has_no_confidence():
    empty = Bin(0.0, 0.5, math.nan, metrics.wilson(0, 0)).to_dict()
    assert (empty["confidence"], empty["accuracy"]["value"]) == (None, None)
    filled = Bin(0.5, 1.0, 0.75, metrics.wilson(3, 4)).to_dict()
    assert (filled["low"], filled["high"], filled["confidence"]) == (0.5, 1.0, 0.75)
