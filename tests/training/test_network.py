"""The network of a training: from the zoo, of the user, or from a classifier."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.classifier.assembly import all_layers, assemble, set_weights, with_precision
from convlens.classifier.classifier import Classifier
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.errors import ConfigError, DataError, ModelError
from convlens.pipeline import train
from convlens.training.network import choose_network
from convlens.zoo.create import build
from convlens.zoo.fast import whiten
from tests import trainings
from tests.training.networks import (
    CONFIG,
    DATA,
    IMAGES,
    NAMES,
    SHAPE,
    assembled,
    chosen,
    own,
    softmax,
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
    assert origin.demands.least_side == 16
    assert prepared.preprocessing.shape == (16, 16, 1)
    assert model.input_shape == (None, 16, 16, 1)
    assert any("12 x 12 the images are too small" in note for note in prepared.notes)
    with pytest.raises(ModelError, match="at least 16 x 16 pixels; found 12 x 12"):
        chosen("lenet_sigmoid", 12, size="12")


def test_a_first_layer_is_computed_from_the_training_images_alone():
    origin, prepared, config, model = chosen("fast_cnn", 16)
    train = np.asarray(prepared.store.images[np.sort(prepared.splits.train)])
    expected = keras.models.clone_model(model)
    whiten(expected, train)
    found = model.get_layer("whiten").get_weights()
    for one, other in zip(found, expected.get_layer("whiten").get_weights(), strict=True):
        assert np.allclose(np.abs(one), np.abs(other), atol=1e-3)  # a component has no sign
    assert origin.notes(prepared, config, model) == []


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


def nested(x):
    head = keras.Sequential(
        [layers.Input((4,)), layers.Dense(5), layers.Dense(3, activation="softmax")]
    )
    return head(x)


SOFTMAX = {
    "activation of the last layer": lambda x: layers.Dense(3, activation="softmax")(x),
    "Activation layer": lambda x: layers.Activation("softmax")(layers.Dense(3)(x)),
    "Softmax layer": lambda x: layers.Softmax()(layers.Dense(3)(x)),
    "keras.ops": lambda x: keras.ops.softmax(layers.Dense(3)(x)),
    "keras.activations": lambda x: keras.activations.softmax(layers.Dense(3)(x)),
    "nested model": nested,
    "nested Softmax layer": lambda x: keras.Sequential(
        [layers.Input((4,)), layers.Dense(3), layers.Softmax()]
    )(x),
}


@pytest.mark.parametrize("end", SOFTMAX.values(), ids=SOFTMAX)
def test_a_closing_softmax_is_taken_off_and_the_trained_weights_go_back(end):
    model = own(end)
    logits = assembled(model)
    rows = np.asarray(logits(IMAGES))
    assert np.abs(rows.sum(1) - 1).min() > 1e-3  # They are logits, not probabilities.
    assert np.allclose(softmax(rows), np.asarray(model(IMAGES / 255.0)), atol=1e-5)
    trained = with_precision(logits, "float32", seed=1)
    trained.set_weights([value + 0.1 for value in trained.get_weights()])
    set_weights(model, trained.get_weights())
    assert np.allclose(softmax(trained(IMAGES)), np.asarray(model(IMAGES / 255.0)), atol=1e-5)


@pytest.mark.parametrize(
    "end",
    [
        lambda x: layers.Dense(1, activation="sigmoid")(x),
        lambda x: keras.ops.sigmoid(layers.Dense(1)(x)),
        lambda x: layers.Activation("sigmoid")(layers.Dense(1)(x)),
    ],
)
def test_a_closing_sigmoid_is_taken_off(end):
    model = own(end)
    data = Dataset("memory", "arrays", IMAGES, np.arange(24) % 2, ("a", "b"))
    probabilities = softmax(assembled(model, data)(IMAGES))
    assert np.allclose(probabilities[:, 1:], np.asarray(model(IMAGES / 255.0)), atol=1e-5)


def test_a_sequential_model_may_end_in_a_softmax_layer(tmp_path):
    model = keras.Sequential(
        [layers.Input((12, 12, 3)), layers.Flatten(), layers.Dense(3), layers.Softmax()]
    )
    logits = assembled(model)
    expected = np.asarray(model(IMAGES / 255.0))
    assert np.allclose(softmax(logits(IMAGES)), expected, atol=1e-5)
    Classifier.from_logits(logits, NAMES, SHAPE).save(tmp_path / "own.keras")
    assert np.allclose(
        Classifier.load(tmp_path / "own.keras").probabilities(IMAGES), expected, atol=1e-5
    )


@pytest.mark.parametrize("end", ["Softmax layer", "logits"])
def test_a_model_compiled_with_a_loss_of_ones_own_is_copied(tmp_path, end):
    model = own(SOFTMAX.get(end, layers.Dense(3)))
    model.compile("adam", loss=lambda true, found: keras.ops.mean((true - found) ** 2))
    logits = with_precision(assembled(model), "float32", seed=0)
    Classifier.from_logits(logits, NAMES, SHAPE).save(tmp_path / "own.keras")
    loaded = Classifier.load(tmp_path / "own.keras")
    assert np.allclose(loaded.probabilities(IMAGES), softmax(logits(IMAGES)), atol=1e-6)


def test_other_endings_stay():
    model = own(lambda x: layers.Dense(3, activation="tanh")(x))
    assert np.allclose(
        np.asarray(assembled(model)(IMAGES)), np.asarray(model(IMAGES / 255.0)), atol=1e-5
    )


def test_a_model_that_scales_in_a_nested_model_gets_pixels():
    front = keras.Sequential([layers.Input((12, 12, 3)), layers.Rescaling(1 / 255)])
    deeper = keras.Sequential([layers.Input((12, 12, 3)), front])
    model = own(front=deeper)
    assert choose_network(CONFIG, model).demands.scale == 1.0
    assert np.allclose(
        np.asarray(assembled(model)(IMAGES)),
        np.asarray(model(IMAGES.astype("float32"))),
        atol=1e-5,
    )


@pytest.mark.parametrize("wrap", [False, True])
def test_a_copy_of_a_model_with_an_adapted_normalization_normalises(wrap):
    normalization = layers.Normalization()
    normalization.adapt(IMAGES.astype("float32"))
    front = keras.Sequential([layers.Input((12, 12, 3)), normalization]) if wrap else normalization
    model = own(SOFTMAX["Softmax layer"], front)
    expected = np.asarray(model(IMAGES.astype("float32")))
    logits = assembled(model)
    assert np.allclose(softmax(logits(IMAGES)), expected, atol=1e-5)
    assert np.allclose(
        softmax(with_precision(logits, "float32", seed=0)(IMAGES)), expected, atol=1e-5
    )


@pytest.mark.parametrize("channels", [2, 4])
def test_a_model_of_other_channels_is_refused(channels):
    with pytest.raises(
        ModelError, match=rf"1 \(grey\) or 3 \(RGB\) channels; own takes {channels}"
    ):
        choose_network(CONFIG, own(channels=channels))


def test_a_model_of_two_outputs_is_refused():
    with pytest.raises(ModelError, match="one output"):
        choose_network(CONFIG, own(lambda x: [layers.Dense(3)(x), layers.Dense(3)(x)]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "side", "said"),
    [
        (
            "resnet18",
            32,
            "resnet18 shrinks 32 x 32 to 1 x 1; --stem small keeps 4 x 4, "
            "at 16 times the multiply-adds",
        ),
        (
            "resnet18",
            8,
            "resnet18 shrinks 8 x 8 to 1 x 1, and no less with --stem small; "
            "a larger --size leaves more",
        ),
        (
            "inception_v3",
            32,
            "inception_v3 shrinks 75 x 75 to 1 x 1; --stem small keeps 2 x 2 of 32 x 32, at ",
        ),
        ("resnet18", 64, None),
        ("resnet20", 8, None),  # made for small images: there is no other stem
        ("googlenet_auxiliary", 65, None),
    ],
)
def test_what_the_small_stem_would_keep(name, side, said):
    origin, prepared, config, model = chosen(name, side)
    notes = origin.notes(prepared, config, model)
    assert len(notes) == (said is not None)
    assert all(note.startswith(said) for note in notes)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model": "lenet5", "stem": "small"}, "lenet5 is made for 32 x 32. Leave --stem out"),
        ({"weights": "imagenet"}, "small_resnet has no trained weights; there are some for "),
    ],
)
def test_what_a_network_lacks_is_said_before_an_image_is_decoded(settings, said):
    with pytest.raises(ModelError, match=said):
        choose_network(Config().replace(**settings))


def test_no_word_of_the_stem_for_a_small_stem_or_a_model_of_ones_own():
    origin, prepared, config, model = chosen("resnet18", 16, stem="small")
    assert origin.demands.least_side is None
    assert origin.notes(prepared, config, model) == []
    mine = choose_network(CONFIG, own())
    prepared = mine.prepare(DATA, CONFIG, None)
    assert mine.notes(prepared, CONFIG, mine.assemble(prepared, CONFIG)) == []


@pytest.mark.parametrize(("weights", "count"), [(None, 0), ("imagenet", 1)])
def test_trained_weights_with_another_stem_are_noted(weights, count):
    config = Config().replace(model="resnet50", stem="small", size="16", weights=weights)
    prepared = choose_network(config).prepare(DATA, config, None)
    notes = [note for note in prepared.notes if "first layers of resnet50 are not those" in note]
    assert len(notes) == count
