"""predictions.csv: what is predicted for each image, written and read."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from convlens.errors import RunError
from convlens.evaluation.evaluate import evaluate
from convlens.report.predictions import PREDICTIONS, read_predictions, write_predictions

NAMES = ('貓, "big"', "file", "n\udcf6n")
FILES = ["cat/1.jpg", "a, b/2.jpg", "gr\udcf6.png", "cat/4.jpg"]


@pytest.fixture
def evaluation():
    rows = np.array([[0.7, 0.2, 0.1], [0.1, 0.9, 0], [0.2, 0.2, 0.6], [1 / 3, 1 / 3, 1 / 3]])
    return evaluate([0, 0, 1, 2], rows, NAMES)


def test_what_is_written_is_read_again(evaluation, tmp_path):
    write_predictions(tmp_path, evaluation, FILES)
    found = read_predictions(tmp_path)
    assert found.class_names == NAMES
    assert list(found.files) == FILES
    assert found.labels.tolist() == [0, 0, 1, 2]
    assert found.predicted.tolist() == evaluation.predicted.tolist() == [0, 1, 2, 0]
    np.testing.assert_allclose(found.probabilities, evaluation.probabilities, rtol=1e-5)
    assert (found.confusion == evaluation.confusion).all()
    assert found.confidence.tolist() == [0.7, 0.9, 0.6, 0.333333]


def test_names_that_a_spreadsheet_would_compute_are_read_again(evaluation, tmp_path):
    names = ("=cmd|' /C calc'!A0", "'=quoted", "-5")
    files = ["@home/1.jpg", "-left/2.jpg", "'plain/3.jpg", "＋/4.jpg"]
    write_predictions(tmp_path, replace(evaluation, class_names=names), files)
    lines = (tmp_path / PREDICTIONS).read_text(encoding="utf-8-sig").splitlines()
    cells = [cell for line in lines for cell in next(csv.reader([line]))]
    assert not [cell for cell in cells if cell[0] in "=+@＋" or cell.startswith("-left")]
    found = read_predictions(tmp_path)
    assert (found.class_names, list(found.files)) == (names, files)


def test_the_columns_are_those_that_the_page_names(evaluation, tmp_path):
    write_predictions(tmp_path, evaluation, FILES)
    lines = (tmp_path / PREDICTIONS).read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == 'file,true,predicted,"貓, ""big""",file,n\\udcf6n'
    assert lines[2] == '"a, b/2.jpg","貓, ""big""",file,0.1,0.9,0'


def test_mistakes_are_in_the_order_of_the_report(tmp_path):
    rng = np.random.default_rng(0)
    rows = rng.dirichlet([1, 1, 1], 200).astype(np.float32)
    evaluation = evaluate(rng.integers(0, 3, 200), rows, ("a", "b", "c"))
    write_predictions(tmp_path, evaluation, [str(n) for n in range(200)])
    found = read_predictions(tmp_path)
    worst = found.worst_first(found.labels != found.predicted)
    assert worst.tolist() == evaluation.worst(200).tolist()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "file,true\n",
        "file,true,predicted\n",
        "file,true,predicted,a,b\n1.png,a,b,0.5\n",
        "file,true,predicted,a,b\n1.png,a,c,0.5,0.5\n",
        "file,true,predicted,a,b\n1.png,a,b,0.5,nan\n",
        "file,true,predicted,a,b\n1.png,a,b,0.5,7\n",
        "file,true,predicted,a,b\n1.png,a\n",
        'file,true,predicted,a,b\n"1.png,a,b,0.5,0.5\n',
        None,
    ],
)
def test_a_damaged_file_is_told_in_one_line(content, tmp_path):
    if content is not None:
        (tmp_path / PREDICTIONS).write_text(content, encoding="utf-8")
    with pytest.raises(RunError, match=r"predictions\.csv: this file of the run cannot be read"):
        read_predictions(tmp_path)
