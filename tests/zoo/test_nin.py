"""NiN: the lecture's model and the two that the authors published, layer by layer."""

import keras
import numpy as np
import pytest

from convlens.classifier.assembly import with_precision
from convlens.config import ModelConfig
from convlens.zoo.create import create_model

LECTURE = {  # map after each block's convolutions and after its pooling
    "block1_conv3": (54, 54, 96),
    "pool1": (26, 26, 96),
    "block2_conv3": (26, 26, 256),
    "pool2": (12, 12, 256),
    "block3_conv3": (12, 12, 384),
    "pool3": (5, 5, 384),
    "head_conv3": (5, 5, 10),
}
IMAGENET = {  # Caffe's sizes, which end in the 6x6 that the published model averages
    "block1_conv3": (54, 54, 96),
    "pool1": (27, 27, 96),
    "block2_conv3": (27, 27, 256),
    "pool2": (13, 13, 256),
    "block3_conv3": (13, 13, 384),
    "pool3": (6, 6, 384),
    "head_conv1": (6, 6, 1024),
    "head_conv2": (6, 6, 1024),
    "head_conv3": (6, 6, 1000),
}
CIFAR = {  # likewise, ending in 8x8
    "block1_conv1": (32, 32, 192),
    "block1_conv2": (32, 32, 160),
    "block1_conv3": (32, 32, 96),
    "pool1": (16, 16, 96),
    "block2_conv3": (16, 16, 192),
    "pool2": (8, 8, 192),
    "head_conv2": (8, 8, 192),
    "head_conv3": (8, 8, 10),
}
SMALL = (67, 67, 3)


def answers(model, images):
    return keras.ops.convert_to_numpy(model(images, training=False))


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


@pytest.mark.parametrize(
    ("name", "shapes", "convolutions"),
    [("nin", LECTURE, 12), ("nin_imagenet", IMAGENET, 12), ("nin_cifar", CIFAR, 9)],
)
def test_shapes(name, shapes, convolutions):
    model = create_model(name)
    assert {layer: model.get_layer(layer).output.shape[1:] for layer in shapes} == shapes
    assert kinds(model).count("Conv2D") == convolutions
    assert "Dense" not in kinds(model)
    assert sum(np.prod(w.shape) for w in model.trainable_weights) == model.count_params()
    assert all(
        model.get_layer(f"head_conv{n}").activation is keras.activations.relu for n in (1, 2, 3)
    )


def test_lecture_counts():
    assert create_model("nin").count_params() == 2_015_398
    assert create_model("nin", input_shape=(224, 224, 1)).count_params() == 1_992_166


def test_poolings_and_dropouts():
    cifar, lecture = create_model("nin_cifar"), create_model("nin", input_shape=SMALL)
    poolings = ["MaxPooling2D", "Dropout", "AveragePooling2D", "Dropout", "GlobalAveragePooling2D"]
    assert [kind for kind in kinds(cifar) if "Pool" in kind or kind == "Dropout"] == poolings
    assert kinds(lecture).count("MaxPooling2D") == 3
    assert kinds(lecture).count("Dropout") == 1


def test_starts_of_the_published_models():
    imagenet = create_model("nin_imagenet", input_shape=SMALL)
    small = {"block1_conv1", "block3_conv1", "head_conv3"}
    for layer in imagenet.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            assert kernel.std() == pytest.approx(0.01 if layer.name in small else 0.05, rel=0.05)
            assert not bias.any()
    for layer in create_model("nin_cifar").layers:
        if layer.weights:
            assert layer.get_weights()[0].std() == pytest.approx(0.05, rel=0.05)


@pytest.mark.parametrize(
    ("num_classes", "last"), [(2, "linear"), (9, "linear"), (10, "relu"), (12, "relu")]
)
def test_last_relu_from_ten_classes_on(num_classes, last):
    for name, width in (("nin", max(10, num_classes)), ("nin_cifar", 192)):
        model = create_model(name, input_shape=SMALL, num_classes=num_classes)
        assert model.get_layer("head_conv2").output.shape[-1] == width
        assert model.get_layer("head_conv3").activation is keras.activations.get(last)
        assert model.output_shape == (None, num_classes)


def test_two_classes_can_always_learn():
    """As printed, one start in three gives logits of zero for every image; here none does."""
    pixels = np.random.default_rng(0).random((2, *SMALL), dtype="float32")
    for seed in range(4):
        keras.utils.set_random_seed(seed)
        assert abs(answers(create_model("nin", input_shape=SMALL, num_classes=2), pixels)).min() > 0


def test_pixels_are_centred():
    ends = {
        "nin_imagenet": ("subtract_mean", 123.68, 131.32),
        "nin_cifar": ("standardize", 0.5, 2.0),
    }
    for name, (layer, middle, highest) in ends.items():
        model = create_model(name, input_shape=SMALL)
        centred = keras.Model(model.input, model.get_layer(layer).output)
        assert answers(centred, np.full((1, *SMALL), middle, "float32"))[
            ..., 0
        ].max() == pytest.approx(0, abs=1e-5)
        white = np.full((1, *SMALL), 255.0 if name == "nin_imagenet" else 1.0, "float32")
        assert answers(centred, white)[..., 0].max() == pytest.approx(highest)


@pytest.mark.parametrize("name", ["nin", "nin_imagenet", "nin_cifar"])
def test_saving_precision_and_other_sizes(name, tmp_path):
    model = create_model(name, input_shape=(70, 67, 1), num_classes=3)
    pixels = np.random.default_rng(0).random((2, 70, 67, 1), dtype="float32") * (
        255 if name == "nin_imagenet" else 1
    )
    expected = answers(model, pixels)
    model.save(tmp_path / "nin.keras")
    np.testing.assert_allclose(
        answers(keras.models.load_model(tmp_path / "nin.keras"), pixels), expected
    )
    rough = answers(with_precision(model, "mixed_bfloat16"), pixels)
    np.testing.assert_allclose(rough, expected, atol=0.05 * abs(expected).max())


@pytest.mark.parametrize("name", ["nin", "nin_imagenet"])
def test_small_stem(name):
    model = create_model(
        name, input_shape=(32, 32, 3), num_classes=10, config=ModelConfig(stem="small")
    )
    assert model.get_layer("block1_conv1").output.shape[1:3] == (22, 22)
    assert model.output_shape == (None, 10)


def test_least_sides():
    assert create_model("nin_cifar", input_shape=(1, 1, 3)).output_shape == (None, 10)
    assert create_model("nin_imagenet", input_shape=(59, 59, 3)).output_shape == (None, 1000)
