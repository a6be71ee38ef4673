"""The time machine: every number at a moment is that of the network with the weights of then."""

import itertools
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from convlens.errors import RunError
from convlens.explain.pages.time_machine_figure import way_figure
from convlens.explain.pages.time_machine_views import shown_classes
from convlens.explain.time_machine.machine import TimeMachine
from convlens.pipeline import train
from convlens.run import Run
from tests.conftest import without_charts
from tests.trainings import CONFIG, QUIET

SETTINGS = CONFIG.replace(epochs=2, limit=300, precision="float32", learning_rate=0.01, snapshots=7)


@pytest.fixture(scope="module")
def machine(digits, tmp_path_factory):
    """Return the time machine of a run with seven states."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    with without_charts():
        return TimeMachine.open(train(digits, SETTINGS, run=folder, screen=QUIET))


@pytest.fixture
def image(digits):
    """Return a digit."""
    return digits.images[3]


def test_the_way_ends_with_the_answer_of_the_classifier(machine, image):
    way = machine.way(image)
    assert way.probabilities.shape == (len(machine.moments), 10)
    np.testing.assert_allclose(way.probabilities.sum(axis=1), 1, atol=1e-6)
    assert np.abs(np.diff(way.probabilities, axis=0)).max(axis=1).min() > 0
    best = next(place for place, moment in enumerate(machine.moments) if moment.is_best)
    final = machine.states.run.classifier().recalibrated(1.0, None)
    np.testing.assert_allclose(
        way.probabilities[best], final.predict(image)[0].probabilities, atol=1e-6
    )
    assert way.predicted[best] == final.predict(image)[0].label


def test_the_exact_updates_give_the_kept_weights(machine, image):
    """They follow from the gradient of the batch, by the rule of the optimizer."""
    exact = [moment for moment in machine.moments if moment.has_update]
    assert [moment.step for moment in exact] == [0, 1]
    for layer, unit, place in (
        ("block1_conv1", 1, (2, 0, 0)),
        ("block1_conv1", 3, "bias"),
        ("dense1", 5, (17,)),
        ("logits", 4, "bias"),
    ):
        for at in machine.weight(image, layer, unit, place, "1", exact):
            update = at.update
            assert update.agrees
            assert update.allowed < max(1e-2 * abs(update.update.change), 2e-7)
            assert update.update.before == at.value
            assert update.kept == pytest.approx(at.value + at.change, abs=1e-7)
            assert update.rule.learning_rate == pytest.approx(at.moment.learning_rate)


def test_a_wrong_rule_does_not_agree(machine, image, monkeypatch):
    optimizer = machine.states.optimizer
    monkeypatch.setitem(optimizer, "beta_1", 0.5)
    second = [moment for moment in machine.moments if moment.step == 1]
    [at] = machine.weight(image, "logits", 4, "bias", "1", second)
    assert not at.update.agrees


def test_the_chain_rule_is_that_of_the_moment(machine, image):
    found = machine.weight(image, "block1_conv1", 0, None, "1")
    assert all(at.gradient.agrees for at in found)
    assert len({at.gradient.weight.place for at in found}) == 1
    assert len({at.value for at in found}) == len(found)
    for at in found:
        probabilities = machine.way(image, [at.moment]).probabilities[0]
        assert at.gradient.loss == pytest.approx(-np.log(probabilities[1]), rel=1e-5)
    assert found[-1].change is None
    for one, following in itertools.pairwise(found):
        assert one.value + one.change == pytest.approx(following.value, abs=1e-7)
    assert found[-1].update is None


def test_maps_and_filters_move(machine, image):
    maps = machine.maps(image, "block1_conv1")
    assert maps.shape == (len(machine.moments), 8, 8, 4)
    assert np.abs(np.diff(maps, axis=0)).max() > 0
    filters = machine.filters(image, "block1_conv1", 2)
    assert filters.shape == (len(machine.moments), 3, 3, 1)
    last = machine.look(image, machine.moments[-1]).layer("block1_conv1").operation
    np.testing.assert_array_equal(filters[-1], np.asarray(last.kernel)[..., 2])
    assert machine.filters(image, "dense1", 0).shape == (len(machine.moments), 64)


def test_several_filters_are_read_at_once(machine, image, monkeypatch):
    states = type(machine.states)
    real, read = states.arrays, []
    monkeypatch.setattr(states, "arrays", lambda self, one: read.append(one) or real(self, one))
    machine.look(image, machine.moments[-1])
    looks = len(read)
    read.clear()
    filters = machine.first_filters(image, "block1_conv1", 3)
    assert len(read) == looks + sum(moment.file is not None for moment in machine.moments)
    for unit in range(3):
        one = machine.filters(image, "block1_conv1", unit)
        np.testing.assert_array_equal(filters[:, unit], one)


def test_of_many_states_some_are_looked_at(machine, image):
    few = TimeMachine.open(machine.states.run, most=3)
    steps = [moment.step for moment in few.moments]
    every = [moment.step for moment in machine.moments]
    assert few.count == len(every) > len(steps)
    assert {0, 1, every[-1]} <= set(steps) <= set(every)
    assert any(moment.is_best for moment in few.moments)
    at = few.weight(image, "logits", 4, "bias", "1")
    assert at[1].update.agrees  # also where the next state is not looked at
    assert at[1].value + at[1].change == pytest.approx(at[2].value, abs=1e-7)


def test_an_index_that_is_damaged_says_so(machine, tmp_path):
    run = Run(tmp_path / "run")
    shutil.copytree(machine.states.run.folder, run.folder)
    index = run.folder / "snapshots" / "index.json"
    content = json.loads(index.read_text())
    rows = [{**row, "unknown": 1} for row in content["snapshots"]]
    for damaged in ({"format": 1}, {**content, "snapshots": rows}, {**content, "snapshots": 3}):
        index.write_text(json.dumps(damaged))
        with pytest.raises(RunError, match="the states of this run cannot be read"):
            TimeMachine.open(run)


def test_a_best_epoch_that_was_not_kept_is_that_of_the_classifier(machine, tmp_path):
    run = Run(tmp_path / "run")
    shutil.copytree(machine.states.run.folder, run.folder)
    index = run.folder / "snapshots" / "index.json"
    content = json.loads(index.read_text())
    best = next(moment for moment in machine.moments if moment.is_best)
    content["snapshots"] = [one for one in content["snapshots"] if one["step"] != best.step]
    index.write_text(json.dumps(content))
    again = TimeMachine.open(run)
    [found] = [moment for moment in again.moments if moment.is_best]
    assert (found.step, found.epoch, found.file) == (best.step, best.epoch, None)
    assert found.val_accuracy == best.val_accuracy
    image = np.full((8, 8), 7, np.uint8)
    np.testing.assert_array_equal(
        again.way(image, [found]).probabilities, machine.way(image, [best]).probabilities
    )


def test_runs_without_states_and_damaged_ones_say_so(machine, tmp_path):
    with pytest.raises(RunError, match=r"has kept no states of its network.*--snapshots 20"):
        TimeMachine.open(Run(tmp_path))
    run = Run(tmp_path / "run")
    shutil.copytree(machine.states.run.folder, run.folder)
    (run.folder / "snapshots" / "00000001.npz").write_bytes(b"PK")
    broken = TimeMachine.open(run)
    with pytest.raises(RunError, match=r"00000001\.npz: this state cannot be read"):
        broken.at(broken.moments[1])


def test_every_class_of_the_way_is_in_the_legend(machine, image):
    way = machine.way(image)
    way = replace(way, class_names=tuple(f"_{name}_" for name in way.class_names))
    figure = way_figure(way, np.zeros((8, 8, 1), np.uint8), "a.png")
    texts = figure.axes[1].get_legend().get_texts()
    shown = [way.class_names[one] for one in shown_classes(way)]
    assert [text.get_text() for text in texts] == shown
