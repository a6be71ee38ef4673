"""What TensorBoard shows of a trial."""

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from convlens.studies.trial import write_hparams

DISTRIBUTIONS = {
    "dropout": FloatDistribution(0.0, 0.5),
    "filters": CategoricalDistribution(("4", "4,8")),
    "learning_rate_adam": FloatDistribution(1e-4, 5e-3),
}
COLUMNS = ("epoch", "seconds", "loss", "accuracy", "val_loss", "val_accuracy")
ROWS = ((1.0, 2.0, 2.0, 0.2, 1.9, 0.25), (2.0, 3.0, 1.5, 0.4, None, 0.5))
HISTORY = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]


def finished(**params):
    params = {"dropout": 0.25, "filters": "4,8", "learning_rate_adam": 0.002} | params
    made = optuna.trial.create_trial(value=0.5, params=params, distributions=DISTRIBUTIONS)
    made.number = 0
    return made


def test_a_trial_has_its_settings_and_its_epochs(tmp_path):
    write_hparams(tmp_path, finished(dropout=0.1), HISTORY)  # an earlier attempt, which is replaced
    write_hparams(tmp_path, finished(), HISTORY)
    place = tmp_path / "trial-000"
    assert len(list(place.glob("events.*"))) == 1
    events = EventAccumulator(str(place)).Reload()
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    start = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
    assert start.hparams["dropout"].number_value == 0.25
    assert start.hparams["learning_rate"].number_value == 0.002
    assert start.hparams["filters"].string_value == "4,8"
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(1, 2.0), (2, 1.5)]
    assert [event.value for event in events.Scalars("val_accuracy")] == [0.25, 0.5]
    assert [event.value for event in events.Scalars("val_loss")] == pytest.approx([1.9])
    times = [event.wall_time for event in events.Scalars("loss")]
    assert times[1] - times[0] == pytest.approx(3.0)
