"""The table of trials in the terminal."""

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState
from rich.console import Console

from convlens.screen import Screen
from convlens.studies.space import Choices, Range
from convlens.studies.trial_table import TrialTable

SPACE = {"dropout": Range(0.0, 0.5), "optimizer": Choices(("adam", "momentum"))}
DISTRIBUTIONS = {
    "dropout": FloatDistribution(0.0, 0.5),
    "optimizer": CategoricalDistribution(("adam", "momentum")),
    "learning_rate_adam": FloatDistribution(1e-4, 5e-3),
}
PARAMS = {"dropout": 0.1234, "optimizer": "adam", "learning_rate_adam": 0.00213}


def printed(*rows):
    console = Console(record=True, width=200, soft_wrap=True, highlight=False)
    table = TrialTable(SPACE, Screen(console=console))
    table.heading()
    for state, scores, ending in rows:
        trial = optuna.trial.create_trial(
            state=state,
            value=max(scores) if state == TrialState.COMPLETE else None,
            params=PARAMS,
            distributions=DISTRIBUTIONS,
            intermediate_values=dict(enumerate(scores, 1)),
            user_attrs={"seconds": 12.34},
        )
        trial.number = 0
        table.row(trial, ending)
    return console.export_text().strip("\n").splitlines()


def test_a_row_has_the_best_epoch_and_the_drawn_settings():
    heading, row = printed((TrialState.COMPLETE, [0.5, 0.75, 0.6], ""))
    assert heading == "trial     val  epochs  seconds  dropout  optimizer  learning_rate"
    assert row == "    0  75.0 %       3     12.3     0.12       adam         0.0021"


def test_pruned_and_failed_trials_say_so():
    _, pruned, failed, note = printed(
        (TrialState.PRUNED, [0.25], "not printed"), (TrialState.FAIL, [], "the loss is infinite")
    )
    assert pruned.endswith("0.0021  stopped early")
    assert failed.split()[:3] == ["0", "-", "0"]
    assert note == "note  the loss is infinite"
