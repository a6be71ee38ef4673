import tempfile
import time
from types import SimpleNamespace

import numpy as np
import pytest

from convlens.budget import measure
from convlens.budget.measure import (
    decode_some,
    measure_backbone,
    measure_costs,
    rehearse_ending,
    trial_folder,
)
from convlens.config import Config
from convlens.data.cache import cache_folder
from convlens.data.sources import load_data
from convlens.errors import StorageError
from convlens.preprocess import Preprocessing
from convlens.screen import Screen
from convlens.training import fit as fit_module
from convlens.training import trainer as trainer_module
from convlens.training.network import choose_network
from convlens.training.setup import Setup
from convlens.training.trainer import Trainer
from convlens.transfer.head_stage import HeadStage
from convlens.transfer.origin import choose_backbone

QUIET = Screen(quiet=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(measure, "SPENT", 0.02)


def test_some_images_of_all_are_decoded(shapes):
    dataset = load_data(str(shapes))
    images, seconds = decode_some(dataset, Preprocessing(24, 24, 3))
    assert images.shape == (measure.SAMPLED, 24, 24, 3)
    assert images.any((1, 2, 3)).all()
    assert 0 < seconds < 1


def test_an_image_that_cannot_be_read_does_not_matter(shapes, tmp_path):
    for kind in ("a", "b"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "whole.png").write_bytes((shapes / "bar" / "0.png").read_bytes())
        (tmp_path / kind / "zut.png").write_bytes((shapes / "bar" / "0.png").read_bytes()[:90])
    images, _ = decode_some(load_data(str(tmp_path)), Preprocessing(24, 24, 3))
    assert images.any((1, 2, 3)).tolist() == [True, False, True, False]


def test_a_backbone_is_measured_without_a_trace(shapes, backbone):
    config, dataset = Config().replace(backbone=str(backbone), limit=50), load_data(str(shapes))
    origin = choose_backbone(config)
    found = measure_backbone(origin, dataset, config)
    assert (found.wanted, found.missing) == (50, None)
    assert 0 < found.feature < 1
    assert 0 < found.decode < 1
    assert found.rest > 0
    assert not (cache_folder() / "features").exists()
    assert measure_backbone(origin, dataset, config.replace(limit=None)).wanted == 120


def test_what_earlier_runs_have_kept_is_counted(digits, backbone):
    config = Config().replace(backbone=str(backbone), limit=240)
    origin = choose_backbone(config)
    prepared = origin.prepare(digits, config, None)
    head = HeadStage(Setup.create(prepared, config, origin), QUIET)
    found = measure_backbone(origin, digits, config)
    assert 230 <= found.missing <= 240  # twins count once
    head.features.compute(head.compiled, prepared.store, prepared.splits.train)
    left = measure_backbone(origin, digits, config).missing
    assert left == found.missing - len(prepared.splits.train)


def test_a_head_takes_time_by_images_and_within_reason():
    assert 0 < measure._head_seconds(500, 64, 3) < 10
    clock = SimpleNamespace(now=0.0)
    ticks = iter(range(1000))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            measure, "time", SimpleNamespace(monotonic=lambda: clock.now + 0.001 * next(ticks))
        )
        assert measure._head_seconds(measure.ROWS, 4, 2) == pytest.approx(
            0.001 * measure.ITERATIONS
        )
        assert measure._head_seconds(10 * measure.ROWS, 4, 2) == pytest.approx(
            0.01 * measure.ITERATIONS
        )


def made(digits, **settings) -> Trainer:
    config = Config().replace(
        model="custom_cnn",
        filters=(4,),
        dense=(),
        limit=120,
        optimizer="momentum",
        precision="float32",
        backend="auto",
        **settings,
    )
    origin = choose_network(config)
    setup = Setup.create(origin.prepare(digits, config, None), config, origin)
    return Trainer(setup, QUIET)


def test_the_end_of_a_run_is_rehearsed_and_nothing_of_it_kept(digits, monkeypatch, tmp_path):
    written = []
    monkeypatch.setattr(measure, "write_evaluation", lambda run, *_: written.append(run.folder))
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    trainer = made(digits)
    before = trainer.model.get_weights()
    seconds, answer = rehearse_ending(trainer.setup)
    assert seconds > answer > 0
    assert len(written) == 1
    assert not written[0].exists()
    assert list(place.iterdir()) == []
    assert all(
        np.array_equal(a, b) for a, b in zip(before, trainer.model.get_weights(), strict=True)
    )


def test_measuring_times_a_step_a_validation_and_a_writing(digits, monkeypatch):
    real = fit_module._Checkpoint.on_train_batch_end

    def slow(self, batch, logs=None):
        time.sleep(0.05)  # every step at least
        real(self, batch, logs)

    monkeypatch.setattr(fit_module._Checkpoint, "on_train_batch_end", slow)
    costs = measure_costs(made(digits), 0.4)
    assert 0.05 < costs.step < 1
    assert 0 < costs.validation < 5
    assert 0 < costs.keep < 5
    assert measure_costs(made(digits, val=0.0), 0.1).validation == 0


def test_snapshots_are_counted_once_and_not_as_a_part_of_each_step(digits, monkeypatch):
    monkeypatch.setattr(trainer_module, "Snapshots", None)  # keeping one would fail
    trainer = made(digits, snapshots=1000)
    plain = measure_costs(made(digits), 0.1)
    costs = measure_costs(trainer, 0.1)
    assert costs.start > 1000 * costs.keep
    assert costs.step < plain.step + 500 * costs.keep


def test_measuring_leaves_the_network_as_it_was(digits):
    trainer = made(digits)
    before = trainer.model.get_weights()
    steps = trainer.train.steps
    costs = measure_costs(trainer, 0.1)
    assert costs.start > 0
    assert trainer.train.steps == steps
    after = trainer.model.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_without_images_to_score_there_is_no_end(digits):
    assert rehearse_ending(made(digits, val=0.0, test=0.0).setup) == (0.0, 0.0)


def test_without_a_place_for_temporary_files_one_line_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with (
        pytest.raises(
            StorageError, match="measuring needs a folder for temporary files; No such file"
        ),
        trial_folder(),
    ):
        pass
