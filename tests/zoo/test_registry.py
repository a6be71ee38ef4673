"""Tests of every model of the registry: its stated parameters, other sizes, and training.

Plain Keras opens the file of each model.
"""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from convlens.anatomy.summary import count_multiply_adds
from convlens.errors import ModelError
from convlens.zoo import registry
from convlens.zoo.create import create_model
from convlens.zoo.names import NAMES
from convlens.zoo.registry import list_models, model_info, register_model, variant

LECTURES = {  # ../shared/lectures/README.md: counts confirmed by building each
    "mnist_4conv": 1_676_266,
    "cifar_4conv": 2_168_362,
    "mnist_2conv": 242_062,
    "mnist_3conv": 64_158,
    "fashion_mlp": 101_770,
    "mlp_256_128": 235_146,
    "mnist_conv_3x3": 1_199_882,
    "mnist_tanh": 35_754,
    "cats_dogs_3conv": 4_288_577,
    "lenet_sigmoid": 155_606,
    "logistic": 785,
    "transfer_vgg16_cats_dogs": 27_560_769,
}


def quick(name):
    """Return whether every test of this model takes seconds only.

    The large classics run under `make test-all`.
    """
    info = model_info(name)
    return info.num_params < 3_000_000 and info.multiply_adds < 60_000_000 and info.name not in DEEP


DEEP = (
    "resnet32",
    "resnet44",
    "resnet56",
    "resnet110",
    "densenet_bc_100_12",
)  # small, but slow to build
QUICK = [name for name in list_models() if quick(name)]
LARGE = [name for name in list_models() if not quick(name)]
EVERY = [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)]


def third(number):
    """Return all models, of which a third are in `make test`.

    A training step takes seconds to compile. Three tests take one, and each quick model is in one
    of them; `make test-all` takes all steps.
    """
    chosen = QUICK[number::3]
    return [
        name if name in chosen else pytest.param(name, marks=pytest.mark.slow)
        for name in list_models()
    ]


OPEN_PLAINLY = """
import json, sys
sys.modules["convlens"] = None
try:
    import convlens
    sys.exit("convlens must not be importable here")
except ImportError:
    pass
import keras, numpy as np
for path, pixels, expected in json.load(open(sys.argv[1])):
    found = keras.models.load_model(path)(np.load(pixels), training=False)
    np.testing.assert_allclose(found, np.load(expected), atol=1e-4, err_msg=path)
"""


def images(shape, n=4):
    return np.random.default_rng(0).random((n, *shape), dtype=np.float32)


def answer(model):
    """Return the tensor of the logits that count; auxiliary heads come after it."""
    return model.outputs[0]


def learn(model, head, n=2):
    """Make one step on noise; return which of the trainable weights it moved."""
    logits = answer(model)
    model = keras.Model(model.input, logits)
    losses = {
        "softmax": keras.losses.SparseCategoricalCrossentropy,
        "sigmoid": keras.losses.BinaryCrossentropy,
    }
    before = [keras.ops.convert_to_numpy(w).copy() for w in model.trainable_weights]
    # For a single step, a graph would take longer to build than it saves.
    model.compile(keras.optimizers.SGD(0.1), losses[head](from_logits=True), run_eagerly=True)
    pixels = images(model.input_shape[1:], n)
    history = model.fit(pixels, np.arange(n) % 2, epochs=1, batch_size=n, verbose=0)
    assert np.isfinite(history.history["loss"][0])
    after = [keras.ops.convert_to_numpy(w) for w in model.trainable_weights]
    return [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]


@pytest.mark.parametrize("name", EVERY)
def test_stated_facts(name):
    info = model_info(name)
    model = create_model(name)
    assert model.count_params() == info.num_params
    assert count_multiply_adds(model) == info.multiply_adds
    assert model.input_shape == (None, *info.input_shape)
    assert answer(model).shape == (None, 1 if info.head == "sigmoid" else info.num_classes)
    assert model.name == name
    assert info.summary.endswith(".")
    # trained networks scale pixels themselves; the deck feeds VGG16 what it was not trained on
    assert info.weights is None or info.scale == (
        1 / 255 if name == "transfer_vgg16_cats_dogs" else 1.0
    )


@pytest.mark.parametrize("name", third(0))
def test_runs_at_its_own_size(name):
    info = model_info(name)
    model = create_model(name)
    logits = keras.Model(model.input, answer(model))(images(info.input_shape, 1))
    assert np.isfinite(keras.ops.convert_to_numpy(logits)).all()
    assert any(learn(model, info.head, n=1))


@pytest.mark.parametrize("name", third(1))
def test_runs_at_its_least_size(name):
    info = model_info(name)
    least = info.least_side
    if least is None:
        assert name == "custom_cnn"  # its configuration decides
        least = 8
    channels = info.input_shape[2]
    model = create_model(name, input_shape=(least, least, channels), num_classes=3)
    assert any(learn(model, "softmax"))
    if least > 1:
        with pytest.raises(
            ModelError, match=f"at least {least} x {least} pixels; found {least} x {least - 1}"
        ):
            create_model(name, input_shape=(least, least - 1, channels))


def test_lecture_counts():
    assert {name: model_info(name).num_params for name in LECTURES} == LECTURES
    assert model_info("cats_dogs_3conv").head == "sigmoid"
    assert model_info("mnist_tanh").scale == 1.0
    assert {model_info(name).scale for name in set(LECTURES) - {"mnist_tanh"}} == {1 / 255}


@pytest.mark.parametrize("name", third(2))
@pytest.mark.parametrize(("head", "channels"), [("softmax", 2), ("sigmoid", 1)])
def test_learns_at_another_size(name, head, channels):
    least = model_info(name).least_side or 8
    shape = (max(40, least + 8), max(36, least + 1), channels)
    model = create_model(name, input_shape=shape, num_classes=2, head=head)
    assert answer(model).shape == (None, 2 if head == "softmax" else 1)
    moved = learn(model, head, n=4)
    assert moved[-1]
    if quick(name) and model_info(name).scale != 1.0:
        assert (
            sum(moved) >= len(moved) - 2
        )  # a gradient may be zero by chance, in a bias before dead ReLUs


@pytest.mark.parametrize(
    "names",
    [
        QUICK[::8],
        pytest.param(QUICK, marks=pytest.mark.slow),
        pytest.param(LARGE, marks=pytest.mark.slow),
    ],
    ids=["some", "quick", "large"],
)
def test_plain_keras_opens_every_model(tmp_path, names):
    table = []
    for name in names:
        model = create_model(name)
        model = keras.Model(model.input, answer(model), name=name)
        pixels = images(model.input_shape[1:], n=1)
        paths = [str(tmp_path / f"{name}{end}") for end in (".keras", "_pixels.npy", "_logits.npy")]
        model.save(paths[0])
        np.save(paths[1], pixels)
        np.save(paths[2], model(pixels, training=False))
        table.append(paths)
    (tmp_path / "table.json").write_text(json.dumps(table))
    command = [sys.executable, "-c", OPEN_PLAINLY, str(tmp_path / "table.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", EVERY)
def test_stock_layers_and_stable_names(name):
    first, second = create_model(name), create_model(name)
    for layer in first.layers:
        assert type(layer).__module__.startswith("keras."), layer
        assert not isinstance(layer, keras.layers.Lambda | keras.Model)
    assert [layer.name for layer in first.layers if layer.weights] == [
        layer.name for layer in second.layers if layer.weights
    ]


def test_near_names():
    with pytest.raises(ModelError, match="no model 'mnist_2con'; did you mean mnist_2conv"):
        model_info("mnist_2con")
    with pytest.raises(ModelError, match="did you mean small_resnet"):
        create_model("Small_ResNet")
    with pytest.raises(ModelError, match="'zzz'; `convlens models` lists all that there are"):
        model_info("zzz")


def test_the_names_are_known_without_the_engine():
    assert sorted(NAMES) == list_models()


def test_refuses_a_second_model_of_the_name(monkeypatch):
    list_models()
    monkeypatch.setattr(registry, "_registry", dict(registry._registry))
    facts = {
        "summary": "A tiny one.",
        "year": 2025,
        "input_shape": (8, 8, 1),
        "num_params": 130,
        "num_classes": 2,
    }
    facts |= {"multiply_adds": 128, "least_side": 1}

    def tiny(inputs, num_classes):
        return keras.layers.Dense(num_classes)(keras.layers.Flatten()(inputs))

    assert register_model(**facts)(tiny) is tiny
    assert model_info("tiny").summary == "A tiny one."
    assert create_model("tiny").count_params() == 130
    with pytest.raises(ValueError, match="'tiny' is registered already"):
        register_model(**facts)(tiny)
    tiny.__name__ = "tinier"
    with pytest.raises(ValueError, match="head of 'tinier'"):
        register_model(**facts, head="hinge")(tiny)


def test_a_variant_is_a_row_of_a_table(monkeypatch):
    list_models()
    monkeypatch.setattr(registry, "_registry", dict(registry._registry))

    def dense(inputs, num_classes, units, *, activation):
        x = keras.layers.Dense(units, activation)(keras.layers.Flatten()(inputs))
        return keras.layers.Dense(num_classes)(x)

    builder = variant(dense, "dense_3", 3, doc="Three units.", activation="tanh")
    register_model(
        summary="Three units.",
        year=2025,
        input_shape=(2, 2, 1),
        num_params=23,
        multiply_adds=18,
        least_side=1,
        num_classes=2,
    )(builder)
    info = model_info("dense_3")
    assert (info.summary, info.builder.__module__) == ("Three units.", __name__)
    model = create_model("dense_3")
    assert model.count_params() == 23
    assert model.layers[-2].activation is keras.activations.tanh
