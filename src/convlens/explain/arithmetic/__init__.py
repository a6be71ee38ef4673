"""Arithmetic: what each layer computes, with every intermediate number.

Whole numbers and Fractions stay exact. This package is `convlens.arithmetic`.
"""

from convlens.explain.arithmetic.calculations import Softmax
from convlens.explain.arithmetic.convolution import (
    Cell,
    Convolution,
    SeparableConvolution,
    convolve,
    depthwise_convolve,
    separable_convolve,
)
from convlens.explain.arithmetic.functions import (
    ACTIVATIONS,
    LOSSES,
    Activation,
    Loss,
    activate,
    loss,
)
from convlens.explain.arithmetic.layers import (
    BatchNormalization,
    Dense,
    Dropout,
    add,
    batch_normalize,
    concatenate,
    dense,
    dropout,
    flatten,
    softmax,
)
from convlens.explain.arithmetic.pooling import PoolCell, Pooling, global_average, pool

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "BatchNormalization",
    "Cell",
    "Convolution",
    "Dense",
    "Dropout",
    "LOSSES",
    "Loss",
    "PoolCell",
    "Pooling",
    "SeparableConvolution",
    "Softmax",
    "activate",
    "add",
    "batch_normalize",
    "concatenate",
    "convolve",
    "dense",
    "depthwise_convolve",
    "dropout",
    "flatten",
    "global_average",
    "loss",
    "pool",
    "separable_convolve",
    "softmax",
]
