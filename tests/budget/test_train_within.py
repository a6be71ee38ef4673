import re
from dataclasses import replace
from types import SimpleNamespace

import keras
import pytest

from convlens.budget import deadline, measure, timed_run
from convlens.budget import train_within as module
from convlens.budget.plan import Costs, parse_duration
from convlens.budget.train_within import train_within
from convlens.classifier.classifier import Classifier
from convlens.config import Config
from convlens.data.sources import load_data
from convlens.errors import ConfigError, Interrupted
from convlens.report import results
from convlens.training import fit as fit_module
from convlens.training.network import choose_network
from tests.budget.conftest import QUIET, SMALL
from tests.trainings import recording


def test_from_scratch_as_planned(digits, tmp_path, monkeypatch, quick):
    """With made-up costs the plan can be checked by hand: 95 % of what is left are two passes."""
    monkeypatch.setattr(timed_run, "measure_costs", lambda *_: Costs(100.0))
    monkeypatch.setattr(module, "rehearse_ending", lambda *_: (5.0, 0.1))
    run = train_within(digits, SMALL, 640.0, run=tmp_path / "run", screen=QUIET)
    assert len(run.history) == run.config.training.epochs == 2
    assert run.config.training.steps_per_epoch == 3
    assert run.data["budget"] == 640.0


@pytest.mark.parametrize("name", ["model", "recipe"])
def test_no_backbone_where_another_network_is_asked_for(name):
    config = replace(Config().replace(recipe="fast"), given=frozenset([name]))
    timed = SimpleNamespace(config=config, facts={})
    assert module._choose_backbone(timed) is None
    assert timed.facts["backbone"] == "not taken: another network is asked for"


def test_no_backbone_with_the_small_stem():
    timed = SimpleNamespace(config=Config().replace(stem="small"), facts={})
    assert module._choose_backbone(timed) is None
    assert timed.facts["backbone"] == "not taken: another network is asked for"


def test_a_time_too_short_names_the_least(digits, backbone, tmp_path, monkeypatch, quick):
    monkeypatch.setattr(timed_run, "measure_costs", lambda *_: Costs(10.0, 6.0))
    monkeypatch.setattr(module, "rehearse_ending", lambda *_: (5.0, 0.1))
    with pytest.raises(
        ConfigError, match=r"--budget must be about 54 s at least for one pass .* found 20 s"
    ):
        train_within(digits, SMALL, 20.0, run=tmp_path / "run", screen=QUIET)
    with pytest.raises(
        ConfigError, match=r"--budget must be .* at least for a head on .*trained.keras: "
    ):
        train_within(
            digits, SMALL.replace(backbone=str(backbone)), 0.01, run=tmp_path / "run", screen=QUIET
        )
    assert not (tmp_path / "run").exists()


def test_a_time_that_is_over_is_refused_before_anything_is_measured(digits, monkeypatch, quick):
    def refuse(*_):
        raise AssertionError

    monkeypatch.setattr(module, "_choose_backbone", refuse)
    with pytest.raises(ConfigError, match=r"--budget must leave time .* 7 s here.* found 5 s\."):
        train_within(digits, SMALL, 5.0, began=43.0, screen=QUIET)


def test_nothing_is_decoded_where_measuring_the_backbone_has_taken_all_time(monkeypatch, quick):
    monkeypatch.setattr(module, "_require_decoding", None)
    clock = deadline.Clock(5.0, began=43.0)
    clock.prefer(20.0, "a head on a backbone")
    with pytest.raises(ConfigError, match="must be about 34 s at least for a head on a backbone"):
        module._train_from_scratch(SimpleNamespace(clock=clock), None)


def test_the_budget_that_is_named_before_decoding_is_accepted(shapes, tmp_path, monkeypatch, quick):
    """What comes after decoding counts, too, though the images are not decoded for it."""
    monkeypatch.setattr(module, "decode_some", lambda *_: (None, 1.0))  # 120 s for all of them
    monkeypatch.setattr(timed_run, "measure_costs", lambda *_: Costs(10.0, 6.0))
    monkeypatch.setattr(module, "rehearse_ending", lambda *_: (5.0, 0.1))
    images = load_data(str(shapes))
    config = SMALL.replace(limit=None, size="16")
    with pytest.raises(ConfigError, match="for decoding the images and one pass") as caught:
        train_within(images, config, 1.0, run=tmp_path / "run", screen=QUIET)
    named = parse_duration(re.search(r"Give --budget (\w+)", str(caught.value))[1])
    assert 120 < named < 400
    run = train_within(images, config, named, run=tmp_path / "run", screen=QUIET)
    assert run.history


def test_ctrl_c_while_measuring(digits, tmp_path, monkeypatch, quick):
    def pressed(*_):
        raise Interrupted("To go on: a run that is not kept")

    monkeypatch.setattr(timed_run, "measure_costs", pressed)
    with pytest.raises(Interrupted, match="Nothing was trained yet"):
        train_within(digits, SMALL, 60.0, run=tmp_path / "run", screen=QUIET)


def test_a_pattern_that_fits_no_layer_is_refused_before_anything_is_trained(
    digits, backbone, tmp_path, quick
):
    config = SMALL.replace(backbone=str(backbone), unfreeze="block9*")
    with pytest.raises(ConfigError, match="must name layers of"):
        train_within(digits, config, 300.0, run=tmp_path / "run", screen=QUIET)
    assert not (tmp_path / "run").exists()


def test_a_backbone_that_learned_from_test_images_is_refused(digits, backbone, tmp_path, quick):
    config = SMALL.replace(backbone=str(backbone))
    own, path = Classifier.load(backbone), tmp_path / "own.keras"
    prepared = choose_network(SMALL).prepare(digits, SMALL, None)
    own.provenance = {"data": prepared.summary(), "config": config.to_dict()}
    own.save(path)
    with pytest.raises(ConfigError, match="--seed must be as in the first training"):
        train_within(
            digits,
            config.replace(backbone=str(path), seed=1),
            300.0,
            run=tmp_path / "run",
            screen=QUIET,
        )
    assert not (tmp_path / "run").exists()


def test_a_head_with_hidden_layers_is_refused(digits, backbone):
    with pytest.raises(ConfigError, match="--budget and --head exclude each other"):
        train_within(digits, SMALL.replace(backbone=str(backbone), head=(16,)), 300.0, screen=QUIET)


class Made:
    """A clock that only work turns: each step, validation batch, prediction and file costs time."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        for place in (deadline, measure):
            patched = SimpleNamespace(monotonic=lambda: self.now, time=lambda: self.now)
            monkeypatch.setattr(place, "time", patched)
        work = [
            (fit_module._Checkpoint, "on_train_batch_end", lambda *_, **__: 0.05),
            (keras.Model, "evaluate", lambda _, x, steps=None, **__: 0.01 * (steps or x.steps)),
            (Classifier, "save", lambda *_, **__: 0.1),
            (
                Classifier,
                "probabilities",
                lambda _, images, indices=None, **__: (
                    0.001 * len(images if indices is None else indices)
                ),
            ),
            (measure, "write_evaluation", lambda *_: 1.0),
            (results, "write_evaluation", lambda *_: 1.0),
        ]
        for place, name, seconds in work:
            monkeypatch.setattr(place, name, self.timed(getattr(place, name), seconds))

    def timed(self, function, seconds):
        def call(*args, **options):
            self.now += seconds(*args, **options)
            return function(*args, **options)

        return call


@pytest.mark.parametrize(("used", "is_over"), [(60.0, False), (101.0, True)])
def test_a_budget_that_was_exceeded_is_told_and_its_report_has_no_maps(monkeypatch, used, is_over):
    now = 1000.0
    patched = SimpleNamespace(monotonic=lambda: now, time=lambda: now)
    monkeypatch.setattr(deadline, "time", patched)
    explained = []

    class Ending:
        def finish(self, run, *, explain):
            nonlocal now
            now += 30.0
            explained.append(explain)

    monkeypatch.setattr(module, "_choose_backbone", lambda timed: None)
    monkeypatch.setattr(module, "_train_from_scratch", lambda timed, name: (Ending(), None))
    screen, text = recording()
    timed = timed_run.TimedRun(None, None, deadline.Clock(100.0, began=now - used), screen)
    module._train(timed, None)
    assert explained == [not is_over]
    assert ("this took longer than its budget" in text.getvalue()) is is_over


@pytest.mark.slow
def test_twenty_seconds_are_kept_to(digits, tmp_path, monkeypatch):
    clock = Made(monkeypatch)
    began = clock.now
    clock.now += 3  # for starting
    run = train_within(
        digits,
        Config().replace(model="custom_cnn"),
        20.0,
        run=tmp_path / "run",
        screen=QUIET,
        began=began,
    )
    assert clock.now - began == pytest.approx(20.0, rel=0.1)
    assert run.report["metrics"]["accuracy"]["value"] > 0.9
