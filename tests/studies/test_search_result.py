"""The table of trials in the terminal, and what a search says at its end."""

import io
from types import SimpleNamespace

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState
from rich.console import Console

from convlens.evaluation.metrics import wilson
from convlens.screen import Screen
from convlens.studies.search_result import _describe_best, train_longer
from convlens.studies.space import Choices, Range
from convlens.studies.trial_table import TrialTable

SPACE = {"dropout": Range(0.0, 0.5), "optimizer": Choices(("adam", "momentum"))}
DISTRIBUTIONS = {
    "dropout": FloatDistribution(0.0, 0.5),
    "optimizer": CategoricalDistribution(("adam", "momentum")),
    "learning_rate_adam": FloatDistribution(1e-4, 5e-3),
}
PARAMS = {"dropout": 0.1234, "optimizer": "adam", "learning_rate_adam": 0.00213}


def printed(*rows, width=200):
    """Return the lines of a table of trials on a terminal of a width."""
    out = io.StringIO()
    out.isatty = lambda: True
    console = Console(record=True, file=out, width=width, soft_wrap=True, force_terminal=True)
    table = TrialTable(SPACE, Screen(console=console))
    table.heading()
    for state, scores, attributes in rows:
        trial = optuna.trial.create_trial(
            state=state,
            value=max(scores) if state == TrialState.COMPLETE else None,
            params=PARAMS,
            distributions=DISTRIBUTIONS,
            intermediate_values=dict(enumerate(scores, 1)),
            user_attrs={"seconds": 12.34} | attributes,
        )
        trial.number = attributes.get("number", 0)
        table.row(trial)
    return console.export_text().strip("\n").splitlines()


def test_a_row_has_the_best_epoch_and_the_drawn_settings():
    heading, row = printed((TrialState.COMPLETE, [0.5, 0.75, 0.6], {}))
    assert heading == "trial     val  epochs  seconds  dropout  optimizer  learning_rate"
    assert row == "    0  75.0 %       3     12.3     0.12       adam         0.0021"


def test_a_row_that_is_wider_than_the_terminal_goes_on_in_another_line():
    median = {"epoch": 1, "accuracy": 0.456, "trials": 6}
    lines = printed((TrialState.PRUNED, [0.25], {"median": median}), width=50)
    assert lines == [
        "trial     val  epochs  seconds  dropout  optimizer",
        "  learning_rate",
        "    0  25.0 %       1     12.3     0.12       adam",
        "         0.0021",
        "  stopped early: the median of 6 trials was 45.6 %",
    ]


def test_a_wide_cell_moves_no_columns_into_another_line():
    lines = printed((TrialState.COMPLETE, [0.75], {"number": 1_000_000}), width=50)
    assert lines == [
        "trial     val  epochs  seconds  dropout  optimizer",
        "  learning_rate",
        "1000000  75.0 %       1     12.3     0.12       adam",
        "         0.0021",
    ]


def test_pruned_and_failed_trials_say_so():
    _, old, pruned, failed, note = printed(
        (TrialState.PRUNED, [0.25], {}),
        (TrialState.PRUNED, [0.25], {"median": {"epoch": 1, "accuracy": 0.456, "trials": 6}}),
        (TrialState.FAIL, [], {"failure": "the loss is infinite"}),
    )
    assert old.endswith("0.0021  stopped early")
    assert pruned.endswith("0.0021  stopped early: the median of 6 trials was 45.6 %")
    assert failed.split()[:3] == ["0", "-", "0"]
    assert note == "note  the loss is infinite"


def test_what_to_do_next_fits_the_images(tmp_path, monkeypatch):
    settings = tmp_path / "run.toml"
    assert (
        train_longer("digits", settings) == f"convlens train digits --config {settings} --epochs 40"
    )
    assert train_longer(str(tmp_path), settings).startswith(f"convlens train {tmp_path} ")
    monkeypatch.chdir(tmp_path.parent)  # a path stays as it was given
    assert train_longer(tmp_path.name, settings).startswith(f"convlens train {tmp_path.name} ")
    assert train_longer("3s and 5s of mnist5k", settings).startswith("convlens.train(dataset, ")


def test_an_accuracy_that_differs_from_the_one_in_training_is_explained():
    score = wilson(50, 200)
    same = _describe_best(SimpleNamespace(number=3, value=0.25), score)
    assert same == "trial 3: 25.0 % [19.5, 31.4] of 200 validation images."
    other = _describe_best(SimpleNamespace(number=3, value=0.26), score)
    assert "in float32 as it is saved (26.0 % above: in bfloat16, while it trained)." in other
