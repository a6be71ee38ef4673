"""Auxiliary heads have a share of the loss and are removed after the training."""

import keras
import numpy as np
import pytest

import convlens
from convlens.training.losses import AnswerAccuracy, HeadsCrossentropy, join_heads
from convlens.zoo import registry
from convlens.zoo.create import build
from convlens.zoo.registry import register_model


@pytest.fixture
def three_heads(monkeypatch):
    registry.list_models()
    monkeypatch.setattr(registry, "_registry", dict(registry._registry))

    @register_model(
        year=2014,
        input_shape=(8, 8, 1),
        num_params=1,
        multiply_adds=0,
        least_side=1,
        num_classes=10,
    )
    def three_heads(inputs, num_classes):
        """Return three heads."""
        x = keras.layers.Flatten()(inputs)
        return [
            keras.layers.Dense(num_classes, name=name)(x) for name in ("answer", "first", "second")
        ]

    return "three_heads"


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_counts_each_head(smoothing):
    rng = np.random.default_rng(0)
    labels = np.eye(4, dtype=np.float32)[rng.integers(4, size=5)]
    logits = rng.normal(size=(5, 12)).astype(np.float32)
    one = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    parts = [float(one(labels, logits[:, start : start + 4])) for start in (0, 4, 8)]
    found = float(HeadsCrossentropy(3, smoothing)(labels, logits))
    assert found == pytest.approx(parts[0] + 0.3 * (parts[1] + parts[2]), rel=1e-6)
    assert float(HeadsCrossentropy(1, smoothing)(labels, logits[:, :4])) == pytest.approx(
        parts[0], rel=1e-6
    )


def test_accuracy_is_of_the_first_head():
    labels = np.eye(2, dtype=np.float32)[[0, 1, 1]]
    own, other = np.array([[2, 0], [0, 1], [1, 0]]), np.array([[0, 2], [0, 1], [0, 1]])
    accuracy = AnswerAccuracy()
    accuracy.update_state(labels, np.concatenate([own, other], axis=1).astype(np.float32))
    assert float(accuracy.result()) == pytest.approx(2 / 3)


def test_join_leaves_one_head_alone():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    assert join_heads(model) is model


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_heads_train_and_are_removed(three_heads, tmp_path, precision, no_charts):
    assert len(build(three_heads, keras.Input((8, 8, 1)), 10)) == 3
    config = convlens.Config().replace(
        model=three_heads, epochs=4, learning_rate=0.02, precision=precision
    )
    run = convlens.train(convlens.load_data("digits"), config, run=tmp_path / "run")
    model = run.classifier().model
    assert model.output_shape == (None, 10)
    assert "answer" in [layer.name for layer in model.layers]
    assert "first" not in [layer.name for layer in model.layers]
    assert run.history[-1]["loss"] < run.history[0]["loss"]
    assert run.history[-1]["val_accuracy"] > 0.5
