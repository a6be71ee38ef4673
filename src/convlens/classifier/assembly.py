"""Assembly: the graph around a network, and copies of a network in another precision."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.anatomy.graph import graph_of, parents, producer, run_graph
from convlens.errors import ModelError
from convlens.language import _
from convlens.preprocess import Preprocessing
from convlens.zoo.registry import Logits

Network = Callable[[keras.KerasTensor], Logits]
# TensorFlow computes them more slowly in bfloat16 than in float32.
DEPTHWISE = (keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)


def assemble(
    network: Network, preprocessing: Preprocessing, num_classes: int, name: str
) -> keras.Model:
    """Return a model from uint8 images to (batch, num_classes) logits, which scales its input.

    Auxiliary heads of the network become further outputs of the model, of the same shape.

    A network with a single logit z and p = sigmoid(z) gets the two logits [0, z]. Their softmax is
    [1 - p, p] and their cross-entropy is the binary cross-entropy, so that all other code can rely
    on one column for each class.

    Args:
        network: A Keras model or a builder of the zoo. It is called with the scaled images and
            returns logits.
        preprocessing: Gives the shape of the input and the scaling.
        num_classes: The number of columns of the output.
        name: The name of the model.

    Raises:
        ModelError: If the network does not output one logit for each class.
    """
    inputs = keras.Input(preprocessing.shape, dtype="uint8", name="images")
    scaling = keras.layers.Rescaling(preprocessing.scale, preprocessing.offset, name="scaling")
    logits = network(scaling(inputs))
    heads = logits if isinstance(logits, list) else [logits]
    outputs = [_one_logit_a_class(head, num_classes) for head in heads]
    return keras.Model(inputs, outputs if len(outputs) > 1 else outputs[0], name=name)


def _one_logit_a_class(logits: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    if num_classes == 2 and tuple(logits.shape) == (None, 1):
        logits = keras.ops.concatenate([keras.ops.zeros_like(logits), logits], axis=-1)
    if tuple(logits.shape) != (None, num_classes):
        raise ModelError(
            _(
                "the network must output one logit for each class, (batch, {num_classes}); it "
                "outputs {shape}."
            ).format(num_classes=num_classes, shape=tuple(logits.shape))
        )
    return logits


def with_precision(
    model: keras.Model,
    policy: str,
    *,
    seed: int | None = None,
    kinds: Mapping[type[keras.layers.Layer], type[keras.layers.Layer]] = MappingProxyType({}),
) -> keras.Model:
    """Return a copy of a model, weights included, whose layers use another dtype policy.

    Under a mixed policy, the last layer with weights of each output and everything after it stay
    in float32, and so do depthwise and separable convolutions.

    Args:
        model: A functional or sequential model. Nested models are copied as well.
        policy: "float32" or "mixed_bfloat16".
        seed: The seed of the first random layer without one; it grows by one with each such layer.
            On PyTorch, a dropout layer without a seed draws from the global generator, which no
            checkpoint contains. With a seed, the state of its generator is a variable of the model.
        kinds: Classes of layers, and the classes that compute the same with the same settings and
            weights and take their places.
    """
    last = {id(layer) for layer in _ending(model)}
    seeds = itertools.count(seed or 0)

    def rebuild(layer: keras.Layer) -> keras.Layer:
        settings = layer.get_config()
        is_exact = id(layer) in last or isinstance(layer, DEPTHWISE)
        settings["dtype"] = "float32" if is_exact else policy
        if seed is not None and settings.get("seed", 0) is None:
            settings["seed"] = next(seeds)
        return kinds.get(type(layer), type(layer)).from_config(settings)

    return copy_model(model, lambda node: rebuild(node) if isinstance(node, keras.Layer) else node)


def copy_model(model: keras.Model, rebuild: Callable[[keras.Operation], Any]) -> keras.Model:
    """Return a copy of a functional or sequential model, weights included.

    Args:
        model: The model to copy. Nested models are copied as well.
        rebuild: Returns a new layer for a layer. An operation of `keras.ops` has no state and may
            be returned as it is.
    """
    twin = keras.models.clone_model(model, clone_function=rebuild, recursive=True)
    set_weights(twin, model.get_weights())
    return twin


def flat_copy(model: keras.Model) -> keras.Model:
    """Return a copy with its weights, in which the layers of nested models take their place.

    It is a copy because all folds of a cross-validation begin with the weights of the file.
    """
    copies: dict[int, tuple[keras.Layer, keras.Layer]] = {}
    names: Counter[str] = Counter()

    def rebuild(node: keras.Operation) -> Any:
        if graph_of(node) is not None:
            return lambda *inputs, **_: run_graph(node, keras.tree.flatten(inputs), rebuild)
        if not isinstance(node, keras.Layer):
            return node
        if id(node) not in copies:
            names[node.name] += 1
            name = node.name if names[node.name] == 1 else f"{node.name}_{names[node.name]}"
            copies[id(node)] = (node, node.from_config(node.get_config() | {"name": name}))
        return copies[id(node)][1]

    inputs = keras.Input(model.input_shape[1:], dtype=model.input.dtype, name="images")
    copied = keras.Model(inputs, rebuild(model)(inputs), name=model.name)
    for old, new in copies.values():
        new.set_weights(old.get_weights())
    finalize(copied)
    return copied


def set_weights(model: keras.Model, weights: Sequence[NDArray[np.generic]]) -> None:
    """Set the weights of a model, in the order of `model.get_weights()`, and finalize it."""
    model.set_weights(weights)
    finalize(model)


def finalize(model: keras.Model) -> None:
    """Make adapted layers compute with the weights that were just set.

    `Normalization` computes with constants that it derives from its weights only when asked to.
    """
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def all_layers(model: keras.Model) -> Iterator[keras.Layer]:
    """Yield the layers of a model and of the models nested in it."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from all_layers(layer)


def last_layers(model: keras.Model) -> list[keras.Layer]:
    """Return the last layer with weights before each output of a model."""
    return [one for one in _ending(model) if getattr(one, "weights", None)]


def _ending(model: keras.Model) -> Iterator[keras.Operation]:
    """Yield the operations from each output back to the first one with weights."""
    waiting = list(model.outputs)
    while waiting:
        tensor = waiting.pop()
        operation = producer(tensor)
        if isinstance(operation, keras.Model):
            yield from _ending(operation)
        else:
            yield operation
            if not getattr(operation, "weights", None):
                waiting += parents(tensor)
