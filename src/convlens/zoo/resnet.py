"""ResNet with basic blocks: every two convolutions learn a correction to what comes in, so that depth helps.

Paper       He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, arXiv:1512.03385
Introduced  the residual block x + F(x); networks of more than a hundred layers
Input       (224, 224, 3): resnet18, resnet34; (32, 32, 3): the others
Parameters  moving statistics of the normalisations included, and without them (as PyTorch's libraries count):
            resnet18   11,699,112 with 1000 classes    11,689,512 trainable
            resnet34   21,814,696                      21,797,672
            resnet20      271,098 with 10 classes         269,722
            resnet32      466,426                         464,154
            resnet44      661,754                         658,586
            resnet56      857,082                         853,018
            resnet110   1,736,058                       1,727,962
Departures  resnet18 and resnet34 have shortcuts B, as in torchvision; the paper's results of the two are with A. Where
            a window moves by two, the border is the same on both sides, as in the authors' Caffe files (Keras' "same"
            puts it to the right and below); also for the pooling, as in torchvision, where Caffe keeps partial
            windows. No mean is taken off the pixels. The paper gives neither epsilon nor momentum of the
            normalisation: 1e-5 is Caffe's and PyTorch's (Keras': 1e-3), moving statistics at 0.9 are PyTorch's. The
            zeros of shortcut A follow the channels, as in fb.resnet.torch; some put half of them on each side.

Shortcuts   Where the map is halved and the channels double, x cannot simply be added. A: every second value of x, and
            zeros for the new channels, without parameters; B: a 1x1 convolution of stride 2.
Training    (paper) SGD with momentum 0.9; He's initialiser; weight decay 1e-4, which belongs to the optimizer and not
            to the layers. ImageNet: batch 256, learning rate 0.1, a tenth at each plateau. CIFAR-10: batch 128, 0.1, a
            tenth after 32,000 and 48,000 of 64,000 steps, images shifted by up to 4 pixels and mirrored; resnet110
            starts with 0.01 for some 400 steps.
Brought     Plain networks get worse with depth, even on their training images: top-1 error on ImageNet 27.94 % with
            18 layers, 28.54 % with 34. With shortcuts: 27.88 and 25.03 % (ten crops). A block with nothing to add
            leaves x as it is, and gradients have a short way back.
Strength    Depth pays; one simple block; trains with almost any recipe; the usual yardstick.
Weakness    Much arithmetic for its accuracy today, and shortcuts keep maps in memory. Without trained weights it wants
            many images.
Take it     as the first serious network: the small ones for images of about 32 pixels, resnet18 and 34 for
            photographs when there are many. Not on a phone (MobileNet, EfficientNet-Lite), and not from scratch on few
            photographs: resnet50 comes with trained weights.
Checked     against torchvision 0.29.1 on PyTorch 2.14.1: random weights and statistics copied, two random images.
            The largest difference of a logit was 6.5e-6 (resnet18), 2.2e-5 (resnet34); 1.4e-6 (resnet20) and 6.5e-6
            (resnet110) from torchvision's basic blocks with a shortcut A. Logits spread by 1.3 to 5.5 (standard
            deviation).
"""

import keras
from keras import layers

from convlens.zoo.registry import register_model

FILTERS = (64, 128, 256, 512)  # table 1, conv2_x to conv5_x: maps of 56, 28, 14 and 7 pixels
BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
SMALL_FILTERS = (
    16,
    32,
    64,
)  # section 4.2: maps of 32, 16 and 8 pixels, n blocks each, 6n + 2 layers
SMALL_BLOCKS = {"resnet20": 3, "resnet32": 5, "resnet44": 7, "resnet56": 9, "resnet110": 18}
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
    """Return relu(x + F(x)), F two 3x3 convolutions, each normalised, with a ReLU between.

    Args:
        x: (batch, height, width, channels).
        filters: channels of the answer, at least those of x.
        name: begins the names of the layers.
        strides: of the first convolution.
        projection: True for shortcut B, False for A, where the answer has another shape than x.
    """
    y = convolution(x, filters, f"{name}_conv1", strides=strides)
    y = layers.ReLU(name=f"{name}_relu1")(y)
    y = convolution(y, filters, f"{name}_conv2")
    if strides > 1 or x.shape[-1] != filters:
        if projection:
            x = convolution(x, filters, f"{name}_shortcut", kernel_size=1, strides=strides)
        else:
            zeros = filters - x.shape[-1]
            x = layers.AveragePooling2D(1, strides, name=f"{name}_skip")(
                x
            )  # the mean of one value is the value
            # "channels_first" pads the last two axes: of our maps width and channels. `ops.pad` would have no name.
            x = layers.ZeroPadding2D(
                ((0, 0), (0, zeros)), data_format="channels_first", name=f"{name}_zeros"
            )(x)
    x = layers.Add(name=f"{name}_add")([x, y])
    return layers.ReLU(name=f"{name}_relu2")(x)


def stages(
    x: keras.KerasTensor, filters: tuple[int, ...], blocks: tuple[int, ...], *, projection: bool
) -> keras.KerasTensor:
    """Return the map after all stages; each but the first begins by halving it."""
    for stage, (width, count) in enumerate(zip(filters, blocks, strict=True), start=1):
        for block in range(1, count + 1):
            strides = 2 if stage > 1 and block == 1 else 1
            x = basic_block(
                x, width, f"stage{stage}_block{block}", strides=strides, projection=projection
            )
    return x


def head(x: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return logits (batch, num_classes) from the mean of each channel."""
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return layers.Dense(num_classes, kernel_initializer="he_normal", name="logits")(x)


def for_photographs(inputs: keras.KerasTensor, num_classes: int, name: str) -> keras.KerasTensor:
    """Return the logits of a network of table 1: a stem that quarters the image, four stages, shortcuts B."""
    x = convolution(inputs, 64, "stem_conv", kernel_size=7, strides=2)
    x = layers.ReLU(name="stem_relu")(x)
    x = layers.ZeroPadding2D(1, name="stem_pool_border")(
        x
    )  # zeros never win: there is nothing negative after a ReLU
    x = layers.MaxPooling2D(3, strides=2, name="stem_pool")(x)
    return head(stages(x, FILTERS, BLOCKS[name], projection=True), num_classes)


def for_small_images(inputs: keras.KerasTensor, num_classes: int, name: str) -> keras.KerasTensor:
    """Return the logits of a network of section 4.2: a stem that keeps the size, three stages, shortcuts A."""
    x = convolution(inputs, SMALL_FILTERS[0], "stem_conv")
    x = layers.ReLU(name="stem_relu")(x)
    return head(stages(x, SMALL_FILTERS, (SMALL_BLOCKS[name],) * 3, projection=False), num_classes)


@register_model(
    year=2015,
    input_shape=(224, 224, 3),
    num_params=11_699_112,
    multiply_adds=1_814_073_344,
    least_side=1,
)
def resnet18(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """ResNet of 18 layers for photographs.

    Result (torchvision's weights): ImageNet top-1 69.76 %, top-5 89.08 %.
    """
    return for_photographs(inputs, num_classes, "resnet18")


@register_model(
    year=2015,
    input_shape=(224, 224, 3),
    num_params=21_814_696,
    multiply_adds=3_663_761_408,
    least_side=1,
)
def resnet34(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """ResNet of 34 layers for photographs.

    Result (torchvision's weights): ImageNet top-1 73.31 %, top-5 91.42 %.
    """
    return for_photographs(inputs, num_classes, "resnet34")


@register_model(
    year=2015,
    input_shape=(32, 32, 3),
    num_params=271_098,
    multiply_adds=40_551_040,
    least_side=1,
    num_classes=10,
)
def resnet20(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """ResNet of 20 layers for images of about 32 pixels.

    Result (paper): CIFAR-10 test 91.25 %.
    """
    return for_small_images(inputs, num_classes, "resnet20")


@register_model(
    year=2015,
    input_shape=(32, 32, 3),
    num_params=466_426,
    multiply_adds=68_862_592,
    least_side=1,
    num_classes=10,
)
def resnet32(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """ResNet of 32 layers for images of about 32 pixels.

    Result (paper): CIFAR-10 test 92.49 %.
    """
    return for_small_images(inputs, num_classes, "resnet32")


@register_model(
    year=2015,
    input_shape=(32, 32, 3),
    num_params=661_754,
    multiply_adds=97_174_144,
    least_side=1,
    num_classes=10,
)
def resnet44(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """ResNet of 44 layers for images of about 32 pixels.

    Result (paper): CIFAR-10 test 92.83 %.
    """
    return for_small_images(inputs, num_classes, "resnet44")


@register_model(
    year=2015,
    input_shape=(32, 32, 3),
    num_params=857_082,
    multiply_adds=125_485_696,
    least_side=1,
    num_classes=10,
)
def resnet56(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """ResNet of 56 layers for images of about 32 pixels.

    Result (paper): CIFAR-10 test 93.03 %.
    """
    return for_small_images(inputs, num_classes, "resnet56")


@register_model(
    year=2015,
    input_shape=(32, 32, 3),
    num_params=1_736_058,
    multiply_adds=252_887_680,
    least_side=1,
    num_classes=10,
)
def resnet110(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """ResNet of 110 layers for images of about 32 pixels.

    Result (paper): CIFAR-10 test 93.57 % at best, 93.39 % on average of five runs.
    """
    return for_small_images(inputs, num_classes, "resnet110")
