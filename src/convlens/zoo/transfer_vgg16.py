"""Transfer VGG16: transfer learning as lecture 004 does it, with a new head on frozen convolutions.

Lecture       004, its last program
Introduced    Nothing new: it uses Simonyan, Zisserman 2014 (arXiv:1409.1556) from
              keras.applications, and `layer.trainable`.
Input         (224, 224, 3)
Parameters    There are 27,560,769: 14,714,688 of VGG16 without its top and 12,846,081 of the head;
              19,925,505 are trainable.
Departures    The sigmoid comes after the logit, as everywhere here.
Error         The lecture feeds pixels divided by 255, which is kept. The trained weights were made
              for blue, green and red minus the mean, as our `vgg16` scales them. `--backbone vgg16`
              is the right way, with which this can be compared.
"""

import keras
from keras import layers

from convlens.zoo.classics import APPLICATIONS
from convlens.zoo.registry import Weights, register_model

# The layers of VGG16 that continue to learn.
TRAINED = ("block5_conv1", "block5_conv2", "block5_conv3")
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
    """Lecture 004: VGG16 frozen except for its last three convolutions, for cats and dogs.

    Recipe: RMSprop 1e-5, batch size 10, 10 epochs, 25 % of the training folder; shift of 0.2, shear
    of 0.2 degrees, zoom of 0.2, horizontal flip. Result: test 95.00 %.
    """
    body = keras.applications.VGG16(weights=None, include_top=False, input_tensor=inputs)
    for layer in body.layers:
        # The other layers come before VGG16 and belong to the caller.
        if layer.name.startswith("block"):
            layer.trainable = layer.name in TRAINED
    x = layers.Flatten(name="flatten")(body.output)
    x = layers.Dense(UNITS, "relu", name="dense1")(x)
    return layers.Dense(num_classes, name="logits")(x)
