"""One training of a search, and when it is pruned."""

import optuna
import pytest

from convlens.studies.trial import Pruner


def begun(*earlier):
    """Return a study with finished trials that reached these accuracies, and a new trial."""
    study = optuna.create_study(
        direction="maximize", pruner=optuna.pruners.MedianPruner(n_startup_trials=2)
    )
    for value in earlier:
        trial = study.ask()
        for epoch in (1, 2, 3):
            trial.report(value, epoch)
        study.tell(trial, value)
    return study, study.ask()


def follow(pruner, *accuracies, first=1):
    for epoch, accuracy in enumerate(accuracies, first):
        pruner({"epoch": epoch, "val_accuracy": accuracy}, best=False)


def scores_of(study, trial):
    return study.get_trials()[trial.number].intermediate_values


def test_the_best_accuracy_so_far_is_reported():
    study, trial = begun()
    follow(Pruner(trial, 3), 0.5, 0.4, 0.6)
    assert scores_of(study, trial) == {1: 0.5, 2: 0.5, 3: 0.6}


def test_a_trial_below_the_median_is_pruned_but_not_after_its_last_epoch():
    study, trial = begun(0.5, 0.6)
    with pytest.raises(optuna.TrialPruned):
        follow(Pruner(trial, 3), 0.4)
    study, trial = begun(0.5, 0.6)
    follow(Pruner(trial, 1), 0.4)
    assert scores_of(study, trial) == {1: 0.4}


def test_a_resumed_trial_reports_nothing_twice(monkeypatch):
    study, trial = begun()
    follow(Pruner(trial, 3), 0.5, 0.4)
    asked = []
    monkeypatch.setattr(trial, "should_prune", lambda: asked.append(True))
    follow(Pruner(trial, 4), 0.5, 0.4, 0.3)
    assert (
        len(asked) == 2
    )  # whether it was answered after the last epoch before the stop is unknown
    assert scores_of(study, trial) == {1: 0.5, 2: 0.5, 3: 0.5}
