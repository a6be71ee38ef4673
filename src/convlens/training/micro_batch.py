"""Micro-batch: how many images of a step are computed at a time, so that they fit into the memory.

Before a training, the memory that it will take is estimated from the layers of the network. Where
a whole batch does not fit, a step computes several micro-batches one after the other and adds up
their gradients. docs/decisions/memory.md compares the estimate with what was measured.
"""

import math
from dataclasses import dataclass

import keras

from convlens.anatomy.summary import steps
from convlens.classifier.assembly import all_layers
from convlens.config import TrainingConfig
from convlens.errors import ModelError
from convlens.language import N_, _

SHARE = 0.8  # of the free memory that a training may take by the estimate
KEPT = 1.5  # times the outputs of all layers, which the backward pass needs, with its gradients
COMPILED = 250e6  # bytes that the engine takes for compiling a training
BYTES = {"float32": 4, "bfloat16": 3}  # of a number; some layers compute in float32 in between
# Arrays of the size of the weights that each optimizer keeps.
SLOTS = {
    "sgd": 0,
    "momentum": 1,
    "adam": 2,
    "adamw": 2,
    "rmsprop": 1,
    "adagrad": 1,
    "adadelta": 2,
    "muon": 2,
}
CHOSEN = N_(
    "a batch of {batch} would take about {need:.1f} GB of memory, and {free:.1f} GB are free, so a "
    "step computes {at_once} images at a time (--micro-batch {micro}; 0 computes all of them)"
)
NORMALISED = N_(
    "a batch of {batch} would take about {need:.1f} GB of memory, and {free:.1f} GB are free, so a "
    "step computes {at_once} images at a time, and batch normalisation sees no more of them "
    "(--micro-batch {micro}; 0 computes all of them)"
)
TOO_LARGE = N_(
    "the training will take about {need:.1f} GB of memory even with one image at a time, and "
    "{free:.1f} GB are free; a smaller --size or network takes less"
)


@dataclass(frozen=True)
class Need:
    """The memory that a training takes besides what its process has already, in bytes.

    Attributes:
        fixed: For the weights, their gradients, the optimizer, and what is saved.
        image: For each image that is computed at a time.
    """

    fixed: float
    image: float

    def of(self, images: int) -> float:
        """Return the bytes that are taken if so many images are computed at a time."""
        return self.fixed + images * self.image


def estimate(network: keras.Model, settings: TrainingConfig) -> Need:
    """Return the memory that the training of a network takes, from the outputs of its layers.

    What is computed before the first layer that learns is not kept for the backward pass.

    Args:
        network: The network that is trained.
        settings: The settings of the training, whose precision is decided.

    Raises:
        ModelError: If the layers of the network cannot be counted, as in a model of one's own.
    """
    kept = 0
    largest = 0
    learns = False
    for operation, _inputs, outputs in steps(network):
        learns = learns or bool(getattr(operation, "trainable_weights", ()))
        numbers = sum(math.prod(tensor.shape[1:]) for tensor in outputs)
        largest = max(largest, numbers)
        kept += numbers if learns else 0
    learned = sum(math.prod(variable.shape) for variable in network.trainable_variables)
    # The copy in which the training computes, the arrays of a saved state, and for what learns its
    # gradients and what the optimizer keeps, averages included.
    slots = SLOTS[settings.optimizer] + settings.average_weights
    numbers = 2 * network.count_params() + (1 + 2 * slots) * learned
    image = BYTES.get(settings.precision, 4) * (KEPT * kept + 2 * largest)
    return Need(COMPILED + 4 * numbers, image)


def choose_micro_batch(
    network: keras.Model, settings: TrainingConfig, free: float, images: int
) -> tuple[int, str]:
    """Return how many images are computed at a time, 0 for the whole batch, and a note on it.

    Args:
        network: The network that is trained.
        settings: The settings of the training.
        free: The bytes of memory that can be had.
        images: The number of training images, which are divided into batches of nearly one size.
    """
    try:
        need = estimate(network, settings)
    except ModelError:
        return 0, ""
    asked = settings.batch_size
    batch = math.ceil(images / math.ceil(images / asked))
    room = SHARE * free
    if need.of(batch) <= room:
        return 0, ""
    facts = {"batch": batch, "free": free / 1e9}
    if need.of(1) > room:
        return (1 if batch > 1 else 0), _(TOO_LARGE).format(need=need.of(1) / 1e9, **facts)
    # The number of parts follows from the size that was asked for, also where a batch is smaller.
    sizes = [math.ceil(asked / parts) for parts in range(2, asked + 1)]
    at_once = {size: math.ceil(batch / math.ceil(asked / size)) for size in sizes}
    micro = next(size for size in sizes if need.of(at_once[size]) <= room)
    kinds = {type(layer) for layer in all_layers(network)}
    template = NORMALISED if keras.layers.BatchNormalization in kinds else CHOSEN
    facts |= {"micro": micro, "at_once": at_once[micro]}
    return micro, _(template).format(need=need.of(batch) / 1e9, **facts)
