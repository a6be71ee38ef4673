"""The folder of a comparison."""

import pytest

from convlens.errors import RunError
from convlens.studies.comparison import Comparison


def test_a_comparison_is_opened_by_its_name_and_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    made = Comparison(folder)
    made.write({"models": ["a", "b"], "minutes": 2})
    assert Comparison.open("mine").facts == Comparison.open(folder).facts == made.facts
    assert made.run("a").folder == folder / "a"
    assert made.how_to_go_on() == f"To go on: convlens compare --run {folder} --resume"


def test_comparisons_that_exist_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match=r"with compare.json\.$"):
        Comparison.open("none")
    for name in ("two", "one"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        Comparison(tmp_path / "runs" / name).write({})
    with pytest.raises(RunError, match=r"Comparisons here: one, two\.$"):
        Comparison.open("none")
