import numpy as np

from convlens.evaluation.metrics import wilson
from convlens.history import HISTORY_COLUMNS
from convlens.run import Run
from convlens.studies.comparison_shown import show_result
from convlens.studies.ranking import Entry, rank
from tests.trainings import recording

RANDOM = np.random.default_rng(0)


def entry(name: str, val: int, test: int, multiply_adds: int = 1000) -> Entry:
    right = np.arange(1000) < test
    return Entry(
        name,
        50_000,
        multiply_adds,
        8,
        7.9,
        118.2,
        1.26,
        wilson(val, 500),
        wilson(test, 1000),
        right,
    )


def test_the_validation_images_rank_and_the_test_images_do_not():
    ranking = rank(
        [entry("a", 400, 990), entry("b", 450, 700), entry("c", 450, 800, multiply_adds=10)]
    )
    assert [one.name for one in ranking.entries] == [
        "c",
        "b",
        "a",
    ]  # of equals the one that computes less


def test_every_number_is_in_the_json_and_the_matrices_agree_with_the_pairs():
    ranking = rank([entry("a", 400, 900), entry("b", 450, 930), entry("c", 460, 931)])
    found = ranking.to_dict()
    assert [row["model"] for row in found["ranking"]] == ["c", "b", "a"]
    row = found["ranking"][0]
    assert set(row["validation"]) == {"value", "low", "high", "n"}
    assert (row["validation"]["value"], row["validation"]["n"]) == (0.92, 500)
    assert (row["parameters"], row["multiply_adds"], row["seconds"], row["milliseconds"]) == (
        50_000,
        1000,
        118.2,
        1.26,
    )
    test = found["paired_test"]
    assert test["models"] == ["c", "b", "a"]
    assert test["only_row_right"] == [[0, 1, 31], [0, 0, 30], [0, 0, 0]]
    corrected = np.array(test["p_corrected"])
    assert np.array_equal(corrected, corrected.T)
    assert np.array_equal(np.diag(corrected), np.ones(3))
    assert corrected[0, 2] < 0.001 < 0.05 < corrected[0, 1]
    assert test["verdicts"][0].startswith("c and b cannot be told apart")
    assert test["verdicts"][1].startswith("c is better than a")


def test_of_many_pairs_those_with_the_first_are_said():
    assert len(rank([entry(name, 400, 900) for name in "abcde"]).said) == 10
    many = rank([entry(name, 400 + i, 900) for i, name in enumerate("abcdef")])
    assert [(pair.first, pair.second) for pair in many.said] == [("f", name) for name in "edcba"]
    assert len(many.pairs) == 15


def test_the_table_has_a_row_a_network():
    headings, row = rank([entry("a", 450, 900)]).rows()
    assert headings[0] == "model"
    assert row[:5] == ("a", "50.0 k", "1.00 k", "118 s", "1.3")
    assert row[5].startswith("90.0 % [87.1, 92.3]")
    assert len(headings) == len(row)


def test_an_accuracy_that_is_another_one_than_during_the_training_is_explained(tmp_path):
    ranking = rank([entry("a", 400, 900), entry("b", 450, 930)])
    for reported, is_explained in ((0.8, False), (0.802, True)):
        for one, best in (("a", reported), ("b", 0.9)):
            (tmp_path / one).mkdir(exist_ok=True)
            row = dict.fromkeys(HISTORY_COLUMNS, 0.5) | {"epoch": 1, "val_accuracy": best}
            lines = [",".join(row), ",".join(map(str, row.values()))]
            (tmp_path / one / "history.csv").write_text("\n".join(lines) + "\n")
        screen, said = recording()
        show_result(Run(tmp_path), ranking, screen)
        words = "were measured in bfloat16"
        assert (words in " ".join(said.getvalue().split())) == is_explained
