"""The network of a training: from the zoo, of the user, or from a classifier."""

import keras
import numpy as np
import pytest

from convlens.classifier.assembly import all_layers, assemble
from convlens.classifier.classifier import Classifier
from convlens.data.dataset import Dataset
from convlens.errors import ConfigError, DataError, ModelError
from convlens.pipeline import train
from convlens.training.network import choose_network
from convlens.zoo.create import build
from tests import trainings
from tests.training.networks import (
    CONFIG,
    DATA,
    IMAGES,
    NAMES,
    SHAPE,
    chosen,
)


@pytest.fixture
def saved(tmp_path):
    keras.utils.set_random_seed(0)
    model = assemble(
        lambda x: build("custom_cnn", x, 3, config=CONFIG.model), SHAPE, 3, "custom_cnn"
    )
    Classifier.from_logits(model, NAMES, SHAPE).save(tmp_path / "classifier.keras")
    return tmp_path / "classifier.keras"


def test_a_classifier_trained_further_stays_flat(saved, tmp_path):
    first = Classifier.load(saved)
    path = saved
    for generation in range(2):
        origin = choose_network(CONFIG, start_from=path)
        model = origin.assemble(origin.prepare(DATA, CONFIG, None), CONFIG)
        path = tmp_path / f"{generation}.keras"
        Classifier.from_logits(model, NAMES, SHAPE).save(path)
    last = Classifier.load(path)
    assert not any(isinstance(layer, keras.Model) for layer in all_layers(last.model))
    assert [layer.name for layer in last.model.layers] == [
        layer.name for layer in first.model.layers
    ]
    assert last.model.name == first.model.name
    assert np.allclose(last.probabilities(IMAGES), first.probabilities(IMAGES), atol=1e-6)


def test_every_fold_begins_with_the_weights_of_the_file(saved):
    origin = choose_network(CONFIG, start_from=saved)
    prepared = origin.prepare(DATA, CONFIG, None)
    first = origin.assemble(prepared, CONFIG)
    before = [value.copy() for value in first.get_weights()]
    first.set_weights(
        [value + 1 for value in before]
    )  # as `keep` does with the best epoch of a fold
    second = origin.assemble(prepared, CONFIG)
    assert all(np.array_equal(a, b) for a, b in zip(before, second.get_weights(), strict=True))


def test_classes_are_numbered_as_the_classifier_numbers_them(saved):
    origin = choose_network(CONFIG, start_from=saved)
    other = Dataset("memory", "arrays", IMAGES, np.arange(24) % 2, ("c", "a"))
    prepared = origin.prepare(other, CONFIG, None)
    assert prepared.dataset.class_names == NAMES
    assert prepared.dataset.labels[:4].tolist() == [2, 0, 2, 0]
    with pytest.raises(DataError, match="found d, too"):
        origin.prepare(
            Dataset("memory", "arrays", IMAGES, np.arange(24) % 2, ("a", "d")), CONFIG, None
        )


def test_images_below_the_least_side_are_enlarged_unless_the_user_gave_a_size():
    origin, prepared, _, model = chosen("lenet_sigmoid", 12)
    assert origin.least_side == 16
    assert prepared.preprocessing.shape == (16, 16, 1)
    assert model.input_shape == (None, 16, 16, 1)
    assert any("12 x 12 the images are too small" in note for note in prepared.notes)
    with pytest.raises(ModelError, match="at least 16 x 16 pixels; found 12 x 12"):
        chosen("lenet_sigmoid", 12, size="12")


def test_the_small_stem_begins_inside_the_graph_after_the_scaling():
    _, _, _, model = chosen("resnet18", 16, stem="small")
    assert model.get_layer("stem_conv").strides == (1, 1)
    assert model.get_layer("stage4_block1_conv1").strides == (2, 2)
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    assert np.asarray(model(IMAGES[:2, :1, :1, :1].repeat(16, 1).repeat(16, 2))).shape == (2, 3)


def test_the_same_images_must_be_split_as_before(finished_run, digits, tmp_path):
    with pytest.raises(ConfigError, match=r"--seed must be as in the first training.*3.*found 4"):
        train(
            digits,
            trainings.CONFIG.replace(seed=4),
            start_from=finished_run.folder,
            run=tmp_path / "run",
            screen=trainings.QUIET,
        )
    assert not (tmp_path / "run").exists()
