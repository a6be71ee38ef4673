"""Small stem: a classic made for photographs of 224 pixels, on images of 32.

Most classics begin by shrinking the image to a quarter of its side, and to a thirty-second in all: of 32x32 pixels
one is left before the hard layers begin. With the small stem those first layers move by single pixels instead, so that
an image is seen as one four times as wide would be, and the rest works on maps as large as on 128x128. Kernels keep
their shapes, so counts and trained weights stay as they are (of VGG and AlexNet, whose dense layers follow the map,
only those of the convolutions); multiply-adds grow up to sixteenfold. He et al. 2015
(section 4.2) and Huang et al. 2016 (section 4.1) leave those strides out on CIFAR-10 in the same way.
"""

from collections.abc import Callable
from typing import TypeAlias

import keras

from convlens.anatomy.graph import run_graph
from convlens.anatomy.summary import WINDOWED, pair, steps, window_of

Logits: TypeAlias = (
    keras.KerasTensor | list[keras.KerasTensor]
)  # a list: the answer's, then auxiliary heads'
STEM_STRIDE = 4  # layers up to this stride belong to the stem


def apply_small_stem(
    network: Callable[[keras.KerasTensor], Logits], inputs: keras.KerasTensor
) -> Logits:
    """Return the network's answer on `inputs`, with strides of 1 in the layers up to an overall stride of 4.

    Args:
        network: a builder; it is called with images large enough for the paper's own stem.
        inputs: (batch, height, width, channels).

    Raises:
        ValueError: the images are too small even so.
    """
    height, width, channels = inputs.shape[1:]
    larger = keras.Input((STEM_STRIDE * height, STEM_STRIDE * width, channels))
    model = keras.Model(larger, network(larger))
    kept = _stem_layers(model)

    rebuilt: dict[int, keras.Layer] = {}

    def rebuild(node: keras.Operation) -> keras.Operation:
        if not isinstance(node, keras.Layer):
            return node
        if id(node) not in rebuilt:
            settings = node.get_config()
            if node.name in kept:
                settings["strides"] = 1 if isinstance(settings["strides"], int) else (1, 1)
            rebuilt[id(node)] = node.__class__.from_config(settings)
        return rebuilt[id(node)]

    answers: Logits = run_graph(model, inputs, rebuild)
    return answers


def _stem_layers(model: keras.Model) -> set[str]:
    """Return the names of the convolutions and poolings that bring the overall stride to at most 4."""
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
