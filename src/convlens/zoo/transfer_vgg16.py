"""Transfer as lecture 004 does it: VGG16's convolutions, nearly all frozen, under a head of one's own.

Deck        004, its last program
Introduced  nothing: Simonyan, Zisserman 2014 (arXiv:1409.1556) by keras.applications, and `layer.trainable`
Input       (224, 224, 3)
Parameters  27,560,769: 14,714,688 of VGG16 without its top and 12,846,081 of the head; 19,925,505 are trainable
Departures  the sigmoid comes after the logit, as everywhere here
Slip        The deck feeds pixels divided by 255, which is kept. The trained weights were made for blue, green, red
            minus the mean, as our `vgg16` scales them: `--backbone vgg16` is the right way, to be compared.
"""

import keras
from keras import layers

from convlens.zoo.classics import APPLICATIONS
from convlens.zoo.registry import Weights, register_model

TRAINED = ("block5_conv1", "block5_conv2", "block5_conv3")  # layers of VGG16 that go on learning
UNITS = 512
VGG16 = APPLICATIONS["vgg16"]


@register_model(
    year=2019,
    input_shape=(224, 224, 3),
    num_params=27_560_769,
    multiply_adds=15_359_476_224,
    least_side=32,
    num_classes=2,
    head="sigmoid",
    weights=Weights(VGG16.files.named("vgg16"), head=2, other_head=VGG16.files.head),
)
def transfer_vgg16_cats_dogs(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Lecture 004: VGG16 frozen but for its last three convolutions, for photographs of cats and dogs.

    Recipe: RMSprop 1e-5, batch 10, 10 epochs, 25 % of the training folder; shift 0.2, shear 0.2 degrees, zoom 0.2,
    horizontal flip. Result: test 95.00 %.
    """
    body = keras.applications.VGG16(weights=None, include_top=False, input_tensor=inputs)
    for layer in body.layers:
        if layer.name.startswith("block"):  # the others are the caller's, in front of it
            layer.trainable = layer.name in TRAINED
    x = layers.Flatten(name="flatten")(body.output)
    x = layers.Dense(UNITS, "relu", name="dense1")(x)
    return layers.Dense(num_classes, name="logits")(x)
