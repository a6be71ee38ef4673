"""The layer table against published numbers, and on graphs of every kind."""

import math

import keras
import pytest
from keras import layers, ops

from convlens.anatomy.summary import brief, count_multiply_adds, layer_table, rounded
from convlens.errors import ModelError
from convlens.zoo.create import create_model

# The side of the image, the multiply-adds in billions as published, and the receptive field of the
# last map. The receptive fields are those of Araujo, Norris and Sim, who publish a table with their
# article (github.com/google-research/receptive_field); they count an addition as an operation of
# its own. None stands for the whole image (squeeze and excitation), and ... for a value that is not
# published.
PUBLISHED = {
    "ResNet50": (224, 3.8, 483),  # He et al. 2015, table 1
    "ResNet101": (224, 7.6, 1027),
    "ResNet152": (224, 11.3, 1507),
    "MobileNet": (224, 0.569, 315),  # Howard et al. 2017, table 8
    "InceptionV3": (224, 5.69 / 2, 1311),  # Araujo et al.
    "InceptionResNetV2": (299, ..., 3039),
    "MobileNetV2": (224, 0.300, ...),  # Sandler et al. 2018, table 4
    "MobileNetV3Large": (224, 0.219, None),  # Howard et al. 2019, table 3: 219 million
    "MobileNetV3Small": (224, 0.056, None),  # the same
    "EfficientNetB0": (224, 0.39, None),  # Tan, Le 2019, table 2
    "ConvNeXtTiny": (224, 4.5, ...),  # Liu et al. 2022, table 1
}
QUICK = ("ResNet50", "MobileNet", "MobileNetV3Small")
# Araujo et al.: receptive field and stride after each end point.
ALONG_THE_WAY = {
    "VGG16": {
        "block1_conv1": (3, 1), "block1_pool": (6, 2), "block2_conv1": (10, 2),
        "block2_pool": (16, 4), "block3_conv1": (24, 4), "block3_conv2": (32, 4),
        "block3_pool": (44, 8), "block4_conv1": (60, 8), "block4_conv2": (76, 8),
        "block4_pool": (100, 16), "block5_conv1": (132, 16), "block5_conv2": (164, 16),
        "block5_pool": (212, 32),
    },
    "InceptionV3": {
        "conv2d": (3, 2), "conv2d_1": (7, 2), "conv2d_2": (11, 2), "max_pooling2d": (15, 4),
        "conv2d_3": (15, 4), "conv2d_4": (23, 4), "max_pooling2d_1": (31, 8), "mixed0": (63, 8),
        "mixed1": (95, 8), "mixed2": (127, 8), "mixed3": (159, 16), "mixed4": (351, 16),
        "mixed5": (543, 16), "mixed6": (735, 16), "mixed7": (927, 16), "mixed8": (1055, 32),
        "mixed9": (1183, 32), "mixed10": (1311, 32),
    },
    "MobileNet": {
        "conv1": (3, 2), "conv_pw_1": (7, 2), "conv_pw_2": (11, 4), "conv_pw_3": (19, 4),
        "conv_pw_4": (27, 8), "conv_pw_5": (43, 8), "conv_pw_6": (59, 16), "conv_pw_7": (91, 16),
        "conv_pw_11": (219, 16), "conv_pw_12": (251, 32), "conv_pw_13": (315, 32),
    },
    # The strides are those of Keras, which halves the map where a stage begins; the original
    # network halves it where a stage ends.
    "ResNet50": {
        "conv2_block3_out": (35, 4), "conv3_block4_out": (99, 8), "conv4_block6_out": (291, 16),
        "conv5_block3_out": (483, 32),
    },
}  # fmt: skip


def build(name, side):
    keras.backend.clear_session()  # names without numbers of earlier models
    return getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3))


def rows_of(model):
    return {row.name: row for row in layer_table(model)}


def square(pair):
    assert pair is None or pair[0] == pair[1]
    return pair and pair[0]


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in PUBLISHED],
)
def test_published_multiply_adds_and_receptive_fields(name):
    side, billions, field = PUBLISHED[name]
    model = build(name, side)
    assert billions is ... or count_multiply_adds(model) / 1e9 == pytest.approx(billions, rel=0.02)
    rows = layer_table(model)
    last = [row for row in rows if row.stride is not None][-1]
    assert field is ... or square(last.receptive_field) == field
    assert sum(row.params for row in rows) == model.count_params()
    assert sum(row.trainable for row in rows) == sum(
        math.prod(w.shape) for w in model.trainable_weights
    )
    assert sum(row.multiply_adds for row in rows) == count_multiply_adds(model)
    assert sum(row.params for row in brief(rows)) == model.count_params()
    assert sum(row.multiply_adds for row in brief(rows)) == count_multiply_adds(model)


@pytest.mark.parametrize(
    "name",
    [
        "MobileNet",
        "ResNet50",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("VGG16", "InceptionV3")),
    ],
)
def test_published_fields_and_strides_layer_by_layer(name):
    rows = rows_of(build(name, 299 if name == "InceptionV3" else 224))
    found = {
        end: (square(rows[end].receptive_field), square(rows[end].stride))
        for end in ALONG_THE_WAY[name]
    }
    assert found == ALONG_THE_WAY[name]


@pytest.mark.slow
def test_vgg16_and_alexnet_by_hand():
    vgg = (
        3 * 64 * 224**2
        + 64 * 64 * 224**2
        + (64 * 128 + 128 * 128) * 112**2
        + (128 * 256 + 2 * 256**2) * 56**2
    )
    vgg += (256 * 512 + 2 * 512**2) * 28**2 + 3 * 512**2 * 14**2
    dense = 7 * 7 * 512 * 4096 + 4096**2 + 4096 * 1000
    assert 9 * vgg + dense == 15_470_264_320  # "15.5 billion" of every comparison
    assert count_multiply_adds(build("VGG16", 224)) == 9 * vgg + dense
    towers = 11 * 11 * 3 * 96 * 55**2 + 5 * 5 * 48 * 256 * 27**2
    towers += (
        3 * 3 * (256 * 384 + 192 * 384 + 192 * 256) * 13**2
        + 6 * 6 * 256 * 4096
        + 4096**2
        + 4096 * 1000
    )
    model = create_model("alexnet_2towers")
    assert count_multiply_adds(model) == towers == 724_406_816
    last = [row for row in layer_table(model) if row.stride is not None][-1]
    assert (last.receptive_field, last.stride) == (
        (195, 195),
        (32, 32),
    )  # Araujo et al., alexnet_v2 at pool5


def one(layer, shape=(16, 12, 6)):
    inputs = keras.Input(shape)
    return layer_table(keras.Model(inputs, layer(inputs)))[-1]


@pytest.mark.parametrize(
    ("layer", "multiply_adds"),
    [
        (layers.Conv2D(8, 3, padding="same"), 16 * 12 * 9 * 6 * 8),
        (layers.Conv2D(8, (3, 5), strides=(2, 1)), 7 * 8 * 15 * 6 * 8),
        (layers.Conv2D(8, 3, groups=2), 14 * 10 * 9 * 3 * 8),
        (layers.Conv2D(8, 3, dilation_rate=2), 12 * 8 * 9 * 6 * 8),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), 14 * 10 * 9 * 6 * 2),
        (layers.SeparableConv2D(8, 3), 14 * 10 * (9 * 6 + 6 * 8)),
        (layers.Conv2DTranspose(8, 3, strides=2), 16 * 12 * 9 * 6 * 8),
        (layers.Dense(5), 16 * 12 * 6 * 5),
        (layers.TimeDistributed(layers.Conv1D(4, 3)), 0),
        (layers.MaxPooling2D(3), 0),
        (layers.BatchNormalization(), 0),
        (lambda x: ops.matmul(x, ops.ones((6, 5))), 0),
    ],
)
def test_multiply_adds_of_a_layer(layer, multiply_adds):
    assert one(layer).multiply_adds == multiply_adds


def test_sequences_and_volumes_are_counted_too():
    assert one(layers.Conv1D(4, 3), (20, 6)).multiply_adds == 18 * 3 * 6 * 4
    assert one(layers.SeparableConv1D(4, 3), (20, 6)).multiply_adds == 18 * (3 * 6 + 6 * 4)
    assert one(layers.Conv3D(4, 3), (8, 8, 8, 2)).multiply_adds == 6**3 * 27 * 2 * 4
    assert one(layers.Conv1D(4, 3), (20, 6)).stride is None
    assert (
        one(layers.Conv2D(4, 3, data_format="channels_first"), (2, 8, 9)).multiply_adds
        == 6 * 7 * 9 * 2 * 4
    )


@pytest.mark.parametrize(
    ("layer", "stride", "field"),
    [
        (layers.Conv2D(8, (3, 5), strides=(2, 1)), (2, 1), (3, 5)),
        (layers.Conv2D(8, 3, dilation_rate=(2, 3)), (1, 1), (5, 7)),
        (layers.AveragePooling2D((2, 4)), (2, 4), (2, 4)),
        (layers.SeparableConv2D(8, 5, strides=2), (2, 2), (5, 5)),
        (layers.Dense(3), (1, 1), (1, 1)),
        (layers.LayerNormalization(), (1, 1), (1, 1)),
        (layers.GlobalAveragePooling2D(), None, None),
        (layers.GlobalMaxPooling2D(keepdims=True), None, None),
        (lambda x: ops.mean(x, axis=(1, 2), keepdims=True), None, None),
        (layers.Flatten(), None, None),
        (layers.Reshape((16, 12, 3, 2)), (1, 1), (1, 1)),
    ],
)
def test_what_a_layer_sees(layer, stride, field):
    row = one(layer)
    assert (row.stride, row.receptive_field) == (stride, field)


def test_enlarging_layers():
    x = inputs = keras.Input((32, 32, 1))
    for layer in (
        layers.MaxPooling2D(4, name="a"),
        layers.Conv2DTranspose(
            1, 3, strides=2, name="b"
        ),  # an answer has one or two neighbours under the kernel
        layers.UpSampling2D(2, name="c"),
        layers.UpSampling2D(2, interpolation="bilinear", name="d"),
    ):
        x = layer(x)
    rows = rows_of(keras.Model(inputs, x))
    assert [rows[name].stride[0] for name in "abcd"] == [4, 2, 1, 1]
    assert [rows[name].receptive_field[0] for name in "abcd"] == [4, 8, 8, 9]


def test_branches_give_the_union():
    inputs = keras.Input((32, 32, 2))
    wide = layers.Conv2D(2, (1, 7), padding="same")(inputs)
    high = layers.Conv2D(2, (5, 1), padding="same")(inputs)
    rows = layer_table(keras.Model(inputs, layers.Concatenate(name="both")([wide, high, inputs])))
    assert rows[-1].receptive_field == (5, 7)
    assert {rows[number].kind for number in rows[-1].inputs} == {"Conv2D", "InputLayer"}


def test_after_squeeze_and_excitation_the_map_stays_and_sees_the_whole_image():
    inputs = keras.Input((32, 32, 4))
    x = layers.Conv2D(8, 3, strides=2, padding="same")(inputs)
    gate = layers.Dense(8, "sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = layers.Conv2D(8, 3, strides=2)(layers.Multiply()([x, gate]))
    row = layer_table(keras.Model(inputs, x))[-1]
    assert (row.stride, row.receptive_field) == ((4, 4), None)


def head():
    return keras.Sequential(
        [layers.Input((8, 8, 4)), layers.Conv2D(4, 3, padding="same"), layers.Conv2D(4, 3)]
    )


def test_a_nested_model_is_opened_where_it_is_called():
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same")(inputs)
    inner = keras.Input((8, 8, 4))
    deeper = keras.Model(inner, head()(inner), name="deeper")
    model = keras.Model(inputs, layers.Flatten()(deeper(x)))
    rows = layer_table(model)
    assert [row.kind for row in rows] == ["InputLayer", "Conv2D", "Conv2D", "Conv2D", "Flatten"]
    assert [row.inputs for row in rows] == [(), (0,), (1,), (2,), (3,)]
    assert rows[3].receptive_field == (11, 11)
    assert sum(row.params for row in rows) == model.count_params()


def test_a_layer_or_model_used_twice_counts_its_weights_once_and_its_work_twice():
    inputs = keras.Input((16, 16, 4))
    shared, conv = head(), layers.Conv2D(4, 3, padding="same", name="conv")
    small = layers.MaxPooling2D(2)(conv(conv(inputs)))
    both = [shared(small), shared(layers.MaxPooling2D(2)(inputs))]
    model = keras.Model(inputs, layers.Add()(both))
    rows = layer_table(model)
    assert sum(row.params for row in rows) == model.count_params() == 3 * (9 * 4 * 4 + 4)
    per_value = 9 * 4 * 4
    assert count_multiply_adds(model) == per_value * (2 * 256 + 2 * (64 + 36))
    assert rows[-1].receptive_field == (
        6 + 8,
        6 + 8,
    )  # the longer way: two convolutions, pooling, two of double step
    ends = sorted(rows[number].receptive_field for number in rows[-1].inputs)
    assert ends == [(10, 10), (14, 14)]


def test_a_nested_model_for_images_of_any_size_is_counted_at_its_call():
    inner = keras.Input((None, None, 3))
    anywhere = keras.Model(inner, layers.Conv2D(4, 3)(inner))
    inputs = keras.Input((10, 10, 3))
    model = keras.Model(inputs, anywhere(inputs))
    assert layer_table(model)[-1].output_shape == (8, 8, 4)
    assert count_multiply_adds(model) == 64 * 27 * 4
    with pytest.raises(ModelError, match=r"images of one size; it takes \(None, None, 3\)"):
        layer_table(anywhere)


def test_a_nested_model_that_passes_its_input_on():
    inner = keras.Input((8, 8, 4))
    split = keras.Model(inner, [inner, layers.Conv2D(4, 3, padding="same")(inner)])
    inputs = keras.Input((8, 8, 4))
    rows = layer_table(keras.Model(inputs, layers.Add()(split(inputs))))
    assert [row.inputs for row in rows] == [(), (0,), (0, 1)]


def test_several_inputs_and_outputs():
    image, facts = keras.Input((8, 8, 1), name="image"), keras.Input((5,), name="facts")
    x = layers.Flatten()(layers.Conv2D(2, 3)(image))
    x = layers.Concatenate()([x, layers.Dense(3)(facts)])
    model = keras.Model({"image": image, "facts": facts}, [layers.Dense(2)(x), layers.Dense(4)(x)])
    rows = rows_of(model)
    assert rows["facts"].stride is None
    assert rows["image"].receptive_field == (1, 1)
    assert count_multiply_adds(model) == 36 * 9 * 2 + 15 + 75 * 2 + 75 * 4


def test_frozen_layers_and_moving_statistics():
    inputs = keras.Input((8, 8, 1))
    x = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, name="conv")(inputs))
    model = keras.Model(inputs, x)
    model.get_layer("conv").trainable = False
    rows = rows_of(model)
    assert (rows["conv"].params, rows["conv"].trainable) == (40, 0)
    assert (rows["norm"].params, rows["norm"].trainable) == (16, 8)


def test_a_sequential_model_and_one_that_has_no_graph():
    model = keras.Sequential(
        [layers.Input((8, 8, 1)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()]
    )
    assert [row.output_shape for row in layer_table(model)] == [(8, 8, 1), (6, 6, 4), (4,)]

    class Own(keras.Model):
        def call(self, x):
            return x

    for other in (Own(), keras.Sequential([layers.Dense(3)])):
        with pytest.raises(ModelError, match="functional or sequential model that is built"):
            layer_table(other)


def test_brief_keeps_what_works_and_every_number():
    inputs = keras.Input((16, 16, 3))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(inputs)))
    y = layers.MaxPooling2D(3, 1, padding="same")(layers.Dropout(0.5)(x))
    x = layers.Activation("tanh")(layers.Add()([x, y]))
    x = x * ops.sigmoid(x)
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))
    rows = layer_table(model)
    kept = brief(rows)
    assert [row.kind for row in kept] == [
        "InputLayer",
        "Conv2D",
        "MaxPooling2D",
        "Add",
        "Flatten",
        "Dense",
    ]
    assert [row.inputs for row in kept] == [(), (0,), (1,), (1, 2), (3,), (4,)]
    assert sum(row.params for row in kept) == model.count_params()
    assert kept[1].params == 3 * 9 * 4 + 4 + 4 * 4
    assert kept[1].trainable == 3 * 9 * 4 + 4 + 2 * 4


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1000, "1.00 k"), (9_994, "9.99 k"), (9_996, "10.0 k"),
     (99_960, "100 k"), (999_499, "999 k"), (999_500, "1.00 M"), (138_357_544, "138 M"),
     (15_470_264_320, "15.5 G")],
)  # fmt: skip
def test_rounded(number, text):
    assert rounded(number) == text
