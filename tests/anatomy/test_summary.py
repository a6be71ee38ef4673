"""The layer table on layers and graphs of every kind."""

import keras
import pytest
from keras import layers, ops

from convlens.anatomy.summary import brief, count_multiply_adds, layer_table, rounded
from convlens.errors import ModelError


def rows_of(model):
    return {row.name: row for row in layer_table(model)}


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
