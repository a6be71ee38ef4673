"""Gradients by the chain rule: they equal those of the engine, for every class with weights."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from convlens.backend import ENGINES
from convlens.errors import ConfigError
from convlens.explain.microscope.gradient import differentiate
from convlens.explain.microscope.weights import LEARNING, find_weight
from tests.explain.networks import every, look_at, look_at_zoo, odd_network

# The weights that are tried of each class of layers in a network.
PLACES = 2


def random_place(layer, unit, rng):
    """Return a random weight of a layer as a user would write it."""
    operation = layer.call.operation
    names = [
        name for name in ("bias", "gamma", "beta") if getattr(operation, name, None) is not None
    ]
    if isinstance(operation, LEARNING[-2:]) or (names and rng.random() < 0.2):
        return names[rng.integers(len(names))]
    if isinstance(operation, layers.SeparableConv2D) and rng.random() < 0.5:
        size = (*operation.depthwise_kernel.shape[:2], operation.pointwise_kernel.shape[2])
    elif isinstance(operation, layers.SeparableConv2D):
        size = operation.pointwise_kernel.shape[2:3]
    else:
        size = operation.kernel.shape[: 2 if isinstance(operation, layers.DepthwiseConv2D) else -1]
    return tuple(int(rng.integers(count)) for count in size)


def check(microscope, rng, count=PLACES):
    by_kind = {}
    for layer in microscope.layers:
        if isinstance(layer.call.operation, LEARNING):
            by_kind.setdefault(layer.kind, []).append(layer)
    for kind, found in by_kind.items():
        for number in range(count):
            layer = found[rng.integers(len(found))]
            unit = int(rng.integers(layer.shape[-1]))
            place = None if number == 0 else random_place(layer, unit, rng)
            names = microscope.classifier.class_names
            one = differentiate(microscope, layer, unit, place, names[rng.integers(len(names))])
            assert np.isfinite(one.total)
            assert one.agrees, (
                kind,
                layer.name,
                unit,
                one.weight.place,
                one.total,
                one.network,
                one.scale,
            )
    return by_kind


@pytest.mark.parametrize("name", every("lenet5", "mobilenet_v3_small"))
def test_every_class_of_the_registry(name):
    check(look_at_zoo(name), np.random.default_rng(4))


@pytest.fixture(scope="module")
def microscope():
    return look_at(odd_network, (15, 13, 3), 3)


@pytest.mark.slow
def test_odd_shapes_and_a_layer_used_twice(microscope):
    kinds = check(microscope, np.random.default_rng(5), 8)
    assert set(kinds) == {kind.__name__ for kind in LEARNING}
    one = differentiate(microscope, microscope.layer("again"), 3, (2,))
    assert one.terms.shape[0] == 2
    assert one.agrees


def test_a_grouped_convolution():
    def network(x):
        x = layers.Conv2D(8, 3, padding="same", activation="relu", name="whole")(x)
        return layers.Dense(2)(layers.Flatten()(layers.Conv2D(6, 3, groups=2, name="grouped")(x)))

    microscope = look_at(network, (8, 8, 3), 2)
    layer = microscope.layer("grouped")
    assert all(differentiate(microscope, layer, unit, (2, 1, 3)).agrees for unit in (0, 5))
    with pytest.raises(ConfigError, match="0 to 2, 0 to 2, 0 to 3"):
        find_weight(layer, 0, (0, 0, 4))


def test_the_derivative_is_that_of_a_small_step(microscope):
    """Compare the loss with the weight a little larger and a little smaller."""
    from convlens.explain.microscope.microscope import Microscope

    layer = microscope.layer("shares")
    one = differentiate(microscope, layer, 2, None, "class 1")
    kernel = layer.call.operation.kernel
    kept, losses, step = keras.ops.convert_to_numpy(kernel), [], 1e-2
    for side in (1, -1):
        moved = kept.copy()
        moved[one.weight.index] += side * step
        kernel.assign(moved)
        losses.append(
            -np.log(
                Microscope.look(microscope.classifier, microscope.pixels).prediction.probabilities[
                    1
                ]
            )
        )
    kernel.assign(kept)
    assert abs(one.total) > 1e-3
    assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(one.total, rel=0.02)
    assert one.chosen
    assert one.loss == pytest.approx(-np.log(microscope.prediction.probabilities[1]), rel=1e-5)


def test_a_dense_layer_has_one_term(microscope):
    one = differentiate(microscope, microscope.layer("logits"), 0, (4,), "class 0")
    probability = microscope.prediction.probabilities[0]
    assert one.outputs.shape == (1,)
    # This is the derivative of softmax and cross-entropy together.
    assert one.outputs[0] == pytest.approx(probability - 1, rel=1e-5)
    assert one.total == pytest.approx(
        (probability - 1) * microscope.layer("shares").output[4], rel=1e-5
    )


@pytest.mark.parametrize(
    ("layer", "unit", "place", "label", "said"),
    [
        ("flat", 0, None, None, "no weight to differentiate by"),
        ("same", None, None, None, "has 6 filters: say which with --filter 0 to 5"),
        ("same", 6, None, None, "no filter 6"),
        ("same", 0, (3, 0, 0), None, "ROW,COL,CHANNEL, within 0 to 2, 0 to 1, 0 to 2; found 3,0,0"),
        ("same", 0, (0,), None, "ROW,COL,CHANNEL"),
        ("same", 0, "gamma", None, "has no gamma"),
        ("norm", 0, (0, 0, 0), None, "must be gamma or beta"),
        ("same", 0, None, "cat", "found 'cat'. It knows class 0, class 1, class 2"),
    ],
)
def test_mistakes(microscope, layer, unit, place, label, said):
    with pytest.raises(ConfigError, match=said):
        differentiate(microscope, microscope.layer(layer), unit, place, label)


@pytest.mark.backends
@pytest.mark.parametrize("engine", ENGINES)
def test_on_every_engine(engine):
    # Keras 3.15 on PyTorch repeats the edge where the border of an average pooling is uneven;
    # mended in keras#23233.
    code = (
        f"UNEVEN = {{'AveragePooling2D'}} if {engine!r} == 'torch' else set()\n"
        "import numpy as np\n"
        "from tests.explain.networks import each_class, look_at, odd_network\n"
        "from tests.explain.microscope.test_gradient import check\n"
        "from tests.explain.microscope.test_microscope import cells_of\n"
        "print(sorted(check(look_at(odd_network, (15, 13, 3), 3), np.random.default_rng(6), 8)))\n"
        "opened, closed = cells_of(look_at(each_class, (15, 13, 3), 3), np.random.default_rng(7))\n"
        "wrong = {kind for kind, cells in opened.items() if not all(one.agrees for one in cells)}\n"
        "assert not closed and wrong <= UNEVEN, (closed, wrong)\n"
    )
    env = os.environ | {"KERAS_BACKEND": engine}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    assert "SeparableConv2D" in done.stdout
