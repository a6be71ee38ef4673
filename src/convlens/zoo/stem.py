"""Small stem: use a network that is made for photographs of 224 pixels on images of 32.

Most classics begin by shrinking the image to a quarter of its side, and to a thirty-second in all:
of 32x32 pixels, one is left before the layers that matter most. With the small stem, the first
layers move by single pixels instead. The other layers then work on maps as large as those of an
image of four times the side. Kernels keep their shapes, so that the number of parameters and
trained weights stay valid. (In VGG and AlexNet, whose dense layers follow the map, this holds for
the convolutions only.) The multiply-adds grow up to sixteenfold. He et al. 2015 (section 4.2) and
Huang et al. 2016 (section 4.1) leave out these strides on CIFAR-10 in the same way.
"""

from collections.abc import Callable
from typing import TypeAlias

import keras

from convlens.anatomy.graph import run_graph
from convlens.anatomy.summary import WINDOWED, pair, steps, window_of

# A list holds the logits of the head first, then those of the auxiliary heads.
Logits: TypeAlias = keras.KerasTensor | list[keras.KerasTensor]
# The small stem is for networks that are made for images of at least this side, in pixels.
LEAST_WITH_STEM = 128
# The stem consists of the layers up to this overall stride.
STEM_STRIDE = 4


def apply_small_stem(
    network: Callable[[keras.KerasTensor], Logits], inputs: keras.KerasTensor
) -> Logits:
    """Return the logits of a network with strides of 1 in the layers up to an overall stride of 4.

    Args:
        network: A builder. It is called with images large enough for the paper's own stem.
        inputs: The images, (batch, height, width, channels).

    Raises:
        ValueError: If the images are too small even so.
    """
    height, width, channels = inputs.shape[1:]
    larger = keras.Input((STEM_STRIDE * height, STEM_STRIDE * width, channels))
    model = keras.Model(larger, network(larger))
    stem = _stem_layers(model)
    rebuilt: dict[int, keras.Layer] = {}

    def rebuild(node: keras.Operation) -> keras.Operation:
        if not isinstance(node, keras.Layer):
            return node
        if id(node) not in rebuilt:
            settings = node.get_config()
            if node.name in stem:
                settings["strides"] = 1 if isinstance(settings["strides"], int) else (1, 1)
            rebuilt[id(node)] = node.__class__.from_config(settings)
        return rebuilt[id(node)]

    logits: Logits = run_graph(model, inputs, rebuild)
    return logits


def _stem_layers(model: keras.Model) -> set[str]:
    """Return the names of the layers that bring the overall stride to at most STEM_STRIDE."""
    strides: dict[int, int] = {}
    names = set()
    for operation, inputs, outputs in steps(model):
        stride = max((strides[id(tensor)] for tensor in inputs), default=1)
        if isinstance(operation, WINDOWED) and max(pair(operation.strides)) > 1:
            stride *= max(window_of(operation)[1])
            if stride <= STEM_STRIDE:
                names.add(operation.name)
        strides |= {id(tensor): stride for tensor in outputs}
    return names
