"""What a trial may know of other trials, and when it is stopped early."""

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from convlens.config import Config
from convlens.language import _, recalled
from convlens.language_choice import using
from convlens.studies import journal
from convlens.studies.generations import (
    BelowMedian,
    Judge,
    Median,
    Outcome,
    earlier_trials,
    generation_begin,
    medians,
)
from convlens.studies.journal import MEDIAN, Search, suggest
from convlens.studies.space import Choices, Range

CURVES = ((0.3, 0.5, 0.7), (0.2, 0.6, 0.8), (0.4, 0.4, 0.5), (0.1, 0.2, 0.9))
SPACE = {"dropout": Range(0.0, 0.5), "batch_size": Choices((16, 32, 64))}


def ended(*curves, state=TrialState.COMPLETE):
    """Return trials that reached these accuracies."""
    return [
        optuna.trial.create_trial(
            state=state,
            value=max(curve) if state == TrialState.COMPLETE else None,
            intermediate_values=dict(enumerate(curve, 1)),
        )
        for curve in curves
    ]


def follow(judge, *accuracies):
    for epoch, accuracy in enumerate(accuracies, 1):
        judge({"epoch": float(epoch), "val_accuracy": accuracy}, best=False)


def test_the_best_accuracy_so_far_is_kept():
    judge = Judge({})
    follow(judge, 0.5, 0.4, 0.6)
    assert judge.scores == {1: 0.5, 2: 0.5, 3: 0.6}


def test_a_trial_below_the_median_ends_and_says_of_what():
    limit = Median(2, 0.45, 4)
    judge = Judge({2: limit})
    with pytest.raises(BelowMedian) as end:
        follow(judge, 0.3, 0.4, 0.9)
    assert end.value.median == limit
    assert judge.scores == {1: 0.3, 2: 0.4}
    follow(Judge({2: limit}), 0.3, 0.45, 0.1)  # as high as the median is enough


@pytest.mark.parametrize("curve", [(0.3, 0.44, 0.9), (0.1, 0.46, 0.5), (0.46, 0.1, 0.1), (0, 0, 0)])
@pytest.mark.parametrize("count", [3, 4])
def test_the_rule_is_that_of_the_median_pruner_of_optuna(curve, count):
    earlier = [*ended(*CURVES[:count]), *ended((0.0, 0.0), state=TrialState.PRUNED)]
    study = optuna.create_study(
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=2),
    )
    study.add_trials(earlier)
    trial = study.ask()
    judge = Judge(medians(study.get_trials()[:-1], epochs=4, startup=3))
    for epoch, accuracy in enumerate(curve, 1):
        trial.report(max(curve[:epoch]), epoch)
        row = {"epoch": epoch, "val_accuracy": accuracy}
        if trial.should_prune():
            with pytest.raises(BelowMedian):
                judge(row, best=False)
            return
        judge(row, best=False)


def test_nothing_is_stopped_before_enough_trials_nor_after_the_first_or_the_last_epoch():
    assert medians(ended(*CURVES[:2]), epochs=3, startup=3) == {}
    assert medians([], epochs=3, startup=0) == {}
    assert medians(ended(*CURVES), epochs=3, startup=3) == {2: Median(2, 0.45, 4)}


def test_trials_of_the_own_generation_are_not_known():
    assert [generation_begin(number, 3) for number in range(7)] == [0, 0, 0, 3, 3, 3, 6]
    trials = ended(*CURVES)
    for number, trial in enumerate(trials):
        trial.number = number
    assert [trial.number for trial in earlier_trials(trials, 3, 2)] == [0, 1]


def drawn(folder, order):
    """Return what the third generation draws, if the trials of the others end in this order."""
    found = Search.open(folder, seed=1, generation=4)
    asked = [found.study.ask() for _number in range(8)]
    configs = [suggest(trial, SPACE, Config()) for trial in asked]
    for number in order:
        dropout = configs[number].model.dropout
        found.tell(asked[number], Outcome(1.0, {1: dropout}))
    last = [found.study.ask() for _number in range(4)]
    return [suggest(trial, SPACE, Config()) for trial in last]


def test_the_order_in_which_trials_end_changes_no_draw(tmp_path):
    orders = {"a": (0, 1, 2, 3, 4, 5, 6, 7), "b": (6, 2, 7, 0, 1, 3, 5, 4)}
    found = []
    for name, order in orders.items():
        (tmp_path / name).mkdir()
        found.append(drawn(tmp_path / name, order))
    assert found[0] == found[1]


def drawn_last(folder, told):
    """Return what the last trial of the second generation draws, and what those before it do."""
    folder.mkdir()
    found = Search.open(folder, seed=1, generation=8)
    configs = []
    for number in range(16):
        trial = found.study.ask()
        configs.append(suggest(trial, SPACE, Config()))
        if number < 8 or (told and number < 15):
            found.tell(trial, Outcome(1.0, {1: configs[-1].model.dropout}))
    return configs[-1], configs[8:-1]


def test_a_draw_knows_no_score_of_its_own_generation_but_its_settings(tmp_path):
    last, others = drawn_last(tmp_path / "told", told=True)
    assert drawn_last(tmp_path / "untold", told=False) == (last, others)
    assert len({config.training.batch_size for config in [*others, last]}) == 3


def test_the_trials_of_a_generation_differ(tmp_path, monkeypatch):
    """Without what is known of each other's settings, they are nearly the same."""
    _last, others = drawn_last(tmp_path / "liar", told=False)
    spread = np.std([config.model.dropout for config in others])
    monkeypatch.setattr(journal, "known_to", earlier_trials)
    _last, others = drawn_last(tmp_path / "greedy", told=False)
    assert spread > 2 * np.std([config.model.dropout for config in others])


def test_how_a_trial_ended_is_recorded(tmp_path):
    found = Search.open(tmp_path, seed=0)
    trial = found.tell(found.study.ask(), Outcome(2.0, {1: 0.5, 2: 0.5}, Median(2, 0.6, 5)))
    assert trial.state == TrialState.PRUNED
    assert trial.user_attrs[MEDIAN] == {"epoch": 2, "accuracy": 0.6, "trials": 5}
    failed = found.tell(found.study.ask(), Outcome(1.0, failure="too small"))
    assert (failed.state, failed.user_attrs["failure"]) == (TrialState.FAIL, "too small")
    with using("zh"):
        said = _("draw {number}").format(number=np.int64(3))
        failed = found.tell(found.study.ask(), Outcome(0.0, failure=said))
    assert said != "draw 3"
    assert recalled(failed.user_attrs["failure"]) == "draw 3"
    whole = found.tell(found.study.ask(), Outcome(3.0, {1: 0.5, 2: 0.7}))
    assert (whole.state, whole.value, found.seconds) == (TrialState.COMPLETE, 0.7, 6.0)


def test_a_record_that_was_cut_off_is_completed(tmp_path):
    found = Search.open(tmp_path, seed=0)
    trial = found.study.ask()
    trial.report(0.5, 1)
    ended_ = found.tell(trial, Outcome(1.0, {1: 0.5, 2: 0.7}))
    assert ended_.intermediate_values == {1: 0.5, 2: 0.7}
