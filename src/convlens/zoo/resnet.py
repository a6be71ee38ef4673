"""ResNet with basic blocks: every two convolutions learn a correction to their input.

Paper         He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015,
              arXiv:1512.03385
Introduced    The residual block x + F(x). Networks of more than a hundred layers.
Input         (224, 224, 3) for resnet18 and resnet34, (32, 32, 3) for the others.
Parameters    VARIANTS states all of them. Without the moving statistics of the normalisations, as
              PyTorch's libraries count, they are 11,689,512 (resnet18), 21,797,672 (resnet34),
              269,722 (resnet20), 464,154 (resnet32), 658,586 (resnet44), 853,018 (resnet56) and
              1,727,962 (resnet110).
Departures    resnet18 and resnet34 have shortcuts of type B, as in torchvision; the paper's results
              for the two are with type A. Where a window moves by two, the border is the same on
              both sides, as in the authors' Caffe files (Keras' "same" puts it to the right and
              below). This holds for the pooling too, as in torchvision, where Caffe keeps partial
              windows. The mean of the pixels is not subtracted. The paper gives neither epsilon nor
              momentum of the normalisation: 1e-5 is that of Caffe and PyTorch (Keras' is 1e-3), and
              0.9 for the moving statistics is PyTorch's. The zeros of shortcut A follow the
              channels, as in fb.resnet.torch; some implementations put half of them on each side.

Shortcuts     Where the map is halved and the channels double, x cannot simply be added. Type A
              takes every second value of x and adds zeros for the new channels, without parameters.
              Type B is a 1x1 convolution of stride 2.
Training      As in the paper: SGD with momentum 0.9, He's initialiser, weight decay 1e-4 (which
              belongs to the optimizer and not to the layers). On ImageNet, the batch size is 256
              and the learning rate 0.1, divided by ten at each plateau. On CIFAR-10, the batch size
              is 128 and the rate 0.1, divided by ten after 32,000 and 48,000 of 64,000 steps;
              images are shifted by up to 4 pixels and mirrored. resnet110 starts with 0.01 for
              about 400 steps.
Contribution  Plain networks get worse with depth, even on their training images: the top-1 error on
              ImageNet is 27.94 % with 18 layers and 28.54 % with 34. With shortcuts it is 27.88 and
              25.03 % (ten crops). A block that has nothing to add leaves x as it is, and gradients
              have a short way back.
Strengths     Depth pays. There is one simple block. It trains with almost any recipe, and is the
              usual standard of comparison.
Weaknesses    By today's standards it computes much for its accuracy, and the shortcuts keep maps in
              memory. Without trained weights it needs many images.
Use it        as the first serious network: the small ones for images of about 32 pixels, resnet18
              and resnet34 for photographs if there are many.
Avoid it      on a mobile phone (use MobileNet or EfficientNet-Lite), and for training from scratch
              on few photographs: resnet50 has trained weights.
Checked       against torchvision 0.29.1 on PyTorch 2.14.1: random weights and statistics were
              copied, and two random images computed. The largest difference of a logit was 6.5e-6
              (resnet18) and 2.2e-5 (resnet34). From torchvision's basic blocks with a shortcut A it
              was 1.4e-6 (resnet20) and 6.5e-6 (resnet110). The standard deviation of the logits was
              1.3 to 5.5.
"""

from typing import NamedTuple

import keras
from keras import layers

from convlens.language import N_
from convlens.zoo.registry import chain, register_model, variant


class Variant(NamedTuple):
    """A column of table 1, or a network of section 4.2.

    Attributes:
        blocks: The number of blocks of each stage.
        num_params: The number of parameters.
        multiply_adds: The multiply-adds on one image.
        summary: One line about it.
        doc: The accuracy that was published.
    """

    blocks: tuple[int, ...]
    num_params: int
    multiply_adds: int
    summary: str
    doc: str


VARIANTS = {
    "resnet18": Variant(
        (2, 2, 2, 2), 11_699_112, 1_814_073_344,
        N_("ResNet of 18 layers for photographs."),
        doc="ImageNet top-1 69.76 %, top-5 89.08 %, with torchvision's weights",
    ),
    "resnet34": Variant(
        (3, 4, 6, 3), 21_814_696, 3_663_761_408,
        N_("ResNet of 34 layers for photographs."),
        doc="ImageNet top-1 73.31 %, top-5 91.42 %, with torchvision's weights",
    ),
    "resnet20": Variant(
        (3, 3, 3), 271_098, 40_551_040,
        N_("ResNet of 20 layers for images of about 32 pixels."),
        doc="CIFAR-10 test 91.25 % (paper)",
    ),
    "resnet32": Variant(
        (5, 5, 5), 466_426, 68_862_592,
        N_("ResNet of 32 layers for images of about 32 pixels."),
        doc="CIFAR-10 test 92.49 % (paper)",
    ),
    "resnet44": Variant(
        (7, 7, 7), 661_754, 97_174_144,
        N_("ResNet of 44 layers for images of about 32 pixels."),
        doc="CIFAR-10 test 92.83 % (paper)",
    ),
    "resnet56": Variant(
        (9, 9, 9), 857_082, 125_485_696,
        N_("ResNet of 56 layers for images of about 32 pixels."),
        doc="CIFAR-10 test 93.03 % (paper)",
    ),
    "resnet110": Variant(
        (18, 18, 18), 1_736_058, 252_887_680,
        N_("ResNet of 110 layers for images of about 32 pixels."),
        doc="CIFAR-10 test 93.57 % at best, 93.39 % on average of five runs (paper)",
    ),
}  # fmt: skip
# Table 1, conv2_x to conv5_x, on maps of 56, 28, 14 and 7 pixels.
FILTERS = (64, 128, 256, 512)
# Section 4.2, on maps of 32, 16 and 8 pixels.
SMALL_FILTERS = (16, 32, 64)
MOMENTUM = 0.9
EPSILON = 1e-5


def convolution(
    x: keras.KerasTensor, filters: int, name: str, *, kernel_size: int = 3, strides: int = 1
) -> keras.KerasTensor:
    """Return a convolution without bias and its batch normalisation."""
    if strides > 1 and kernel_size > 1:
        x = layers.ZeroPadding2D(kernel_size // 2, name=f"{name}_border")(x)
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding="same" if strides == 1 else "valid",
        use_bias=False,  # the normalisation has one
        kernel_initializer="he_normal",
        name=name,
    )(x)
    return layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=f"{name}_norm")(x)


def basic_block(
    x: keras.KerasTensor, filters: int, name: str, *, strides: int = 1, projection: bool = True
) -> keras.KerasTensor:
    """Return relu(x + F(x)), where F is two normalised 3x3 convolutions with a ReLU between them.

    Args:
        x: The map, (batch, height, width, channels).
        filters: The number of channels of the output, at least that of x.
        name: The beginning of the names of the layers.
        strides: The strides of the first convolution.
        projection: Where the output has another shape than x, True for a shortcut of type B, False
            for type A.
    """
    y = convolution(x, filters, f"{name}_conv1", strides=strides)
    y = layers.ReLU(name=f"{name}_relu1")(y)
    y = convolution(y, filters, f"{name}_conv2")
    if strides > 1 or x.shape[-1] != filters:
        if projection:
            x = convolution(x, filters, f"{name}_shortcut", kernel_size=1, strides=strides)
        else:
            zeros = filters - x.shape[-1]
            # The mean of one value is the value.
            x = layers.AveragePooling2D(1, strides, name=f"{name}_skip")(x)
            # "channels_first" pads the last two axes, which are the width and the channels of our
            # maps. `ops.pad` would have no name.
            x = layers.ZeroPadding2D(
                ((0, 0), (0, zeros)), data_format="channels_first", name=f"{name}_zeros"
            )(x)
    x = layers.Add(name=f"{name}_add")([x, y])
    return layers.ReLU(name=f"{name}_relu2")(x)


def stages(
    x: keras.KerasTensor, filters: tuple[int, ...], blocks: tuple[int, ...], *, projection: bool
) -> keras.KerasTensor:
    """Return the map after all stages. Each stage but the first begins by halving the map."""
    for stage, (width, count) in enumerate(zip(filters, blocks, strict=True), start=1):
        for block in range(1, count + 1):
            x = basic_block(
                x,
                width,
                f"stage{stage}_block{block}",
                strides=2 if stage > 1 and block == 1 else 1,
                projection=projection,
            )
    return x


def head(x: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return the logits (batch, num_classes) from the mean of each channel."""
    return chain(
        x,
        layers.GlobalAveragePooling2D(name="average"),
        layers.Dense(num_classes, kernel_initializer="he_normal", name="logits"),
    )


def for_photographs(
    inputs: keras.KerasTensor, num_classes: int, blocks: tuple[int, ...]
) -> keras.KerasTensor:
    """Return the logits of a network of table 1.

    It has a stem that shrinks the image to a quarter, four stages, and shortcuts of type B.
    """
    x = chain(
        convolution(inputs, 64, "stem_conv", kernel_size=7, strides=2),
        layers.ReLU(name="stem_relu"),
        # The zeros of the border are never the maximum: after a ReLU, nothing is negative.
        layers.ZeroPadding2D(1, name="stem_pool_border"),
        layers.MaxPooling2D(3, strides=2, name="stem_pool"),
    )
    return head(stages(x, FILTERS, blocks, projection=True), num_classes)


def for_small_images(
    inputs: keras.KerasTensor, num_classes: int, blocks: tuple[int, ...]
) -> keras.KerasTensor:
    """Return the logits of a network of section 4.2.

    It has a stem that keeps the size, three stages, and shortcuts of type A.
    """
    x = convolution(inputs, SMALL_FILTERS[0], "stem_conv")
    x = layers.ReLU(name="stem_relu")(x)
    return head(stages(x, SMALL_FILTERS, blocks, projection=False), num_classes)


KINDS = {  # number of stages: builder, side of the images, classes
    4: (for_photographs, 224, 1000),
    3: (for_small_images, 32, 10),
}

for _name, _row in VARIANTS.items():
    _build, _side, _classes = KINDS[len(_row.blocks)]
    register_model(
        summary=_row.summary,
        year=2015,
        input_shape=(_side, _side, 3),
        num_params=_row.num_params,
        multiply_adds=_row.multiply_adds,
        least_side=1,
        num_classes=_classes,
    )(variant(_build, _name, _row.blocks, doc=f"Return the logits.\n\nResult: {_row.doc}."))
