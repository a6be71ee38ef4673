"""The score without images that leak, and what may be said of the difference."""

import json
import shutil

import numpy as np
import pytest
from scipy.stats import fisher_exact

from convlens.config import Config
from convlens.data.prepared import prepare_data
from convlens.data.sources import load_data
from convlens.data.splits import Splits
from convlens.report.leak_free import compare_leak, leaking_other, leaking_own, show_leak
from tests.audit.photographs import make_set
from tests.trainings import recording


def test_the_gain_is_the_difference_of_both_scores():
    correct = np.array([True] * 56 + [False] * 14 + [True] * 48 + [False] * 32)
    leaks = np.arange(150) < 70
    found = compare_leak(correct, leaks, ("a",) * 70)
    assert found.gain.value == pytest.approx(found.given.value - found.without.value)
    # Newcombe (1998), table II, contrast (a), method 10: 56 of 70 less 48 of 80.
    assert found.gain.low / (70 / 150) == pytest.approx(0.0524, abs=1e-4)
    assert found.gain.high / (70 / 150) == pytest.approx(0.3339, abs=1e-4)
    assert found.p == fisher_exact([[56, 14], [48, 32]]).pvalue
    assert (found.leaked.n, found.without.n, found.given.n) == (70, 80, 150)


def test_where_nothing_leaks_both_scores_are_the_same():
    found = compare_leak(np.arange(20) < 15, np.zeros(20, bool))
    assert found.given == found.without
    assert (found.gain.value, found.p) == (0.0, 1.0)
    screen, said = recording()
    show_leak(found, screen)
    assert "no scored image has a copy" in said.getvalue()


def test_where_all_images_leak_nothing_is_said_of_a_difference():
    found = compare_leak(np.arange(20) < 15, np.ones(20, bool))
    assert (found.without.n, found.p, found.gain.defined) == (0, None, False)
    json.dumps(found.to_dict(), allow_nan=False)
    screen, said = recording()
    show_leak(found, screen)
    assert "All scored images leak" in said.getvalue()
    assert "Fisher" not in said.getvalue()


def test_a_leak_may_lower_the_accuracy():
    found = compare_leak(np.arange(40) < 20, np.arange(40) >= 30)
    screen, said = recording()
    show_leak(found, screen)
    assert "The images that leak change the accuracy by -16.7 points [" in said.getvalue()


def test_copies_of_images_that_were_learned_leak(tmp_path):
    folder = make_set(tmp_path / "set", 12)
    shutil.copy(folder / "cat" / "0.jpg", folder / "cat" / "11.jpg")
    prepared = prepare_data(load_data(folder), Config())
    names = [prepared.dataset.file_name(i) for i in range(24)]
    test = np.array([names.index("cat/11.jpg"), names.index("dog/5.jpg")])
    train = np.setdiff1d(np.arange(20), test)
    object.__setattr__(prepared, "splits", Splits(train, train[:0], test))
    leaks = leaking_own(prepared)
    assert leaks[test].tolist() == [True, False]
    other = make_set(tmp_path / "other", 3, first=500)
    shutil.copy(folder / "dog" / "1.jpg", other / "dog" / "x.jpg")
    scored = prepare_data(load_data(other), Config())
    leaking = np.flatnonzero(leaking_other(scored, prepared))
    assert [scored.dataset.file_name(int(i)) for i in leaking] == ["dog/x.jpg"]
