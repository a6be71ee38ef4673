import numpy as np
from rich.console import Console

from convlens.evaluation.evaluate import evaluate
from convlens.report.scores_table import scores_table

LABELS = np.array([0, 1, 2, 0])
PROBABILITIES = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.05, 0.9, 0.05], [0.5, 0.3, 0.2]])


def test_the_table_shows_value_interval_and_images(capsys):
    Console(width=80).print(scores_table(evaluate(LABELS, PROBABILITIES, ["cat", "dog", "owl"])))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["score", "value", "95", "%", "interval", "images"]
    assert lines[1].split() == ["Accuracy", "50.0", "%", "[15.0,", "85.0]", "4"]
    assert lines[-1].split()[:2] == ["Calibration", "error"]
