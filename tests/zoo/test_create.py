"""Building a model of the registry: sizes, heads, numbers of classes, and the small stem.

With the small stem, the first layers have a stride of 1 where those of the paper shrink an image to
a quarter. The rest of the network stays as it was.
"""

import json
import zipfile

import keras
import numpy as np
import pytest

from convlens.anatomy.summary import count_multiply_adds, layer_table
from convlens.cli import main
from convlens.config import Config, ModelConfig
from convlens.errors import ModelError
from convlens.zoo.create import LEAST_WITH_STEM, build, create_model
from convlens.zoo.registry import list_models, model_info


@pytest.mark.parametrize(
    ("name", "shape", "least"),
    [
        ("mnist_4conv", (3, 28, 1), 4),  # pooled to 0
        ("cats_dogs_3conv", (64, 7, 3), 8),
        ("lenet_sigmoid", (15, 15, 1), 16),  # 16 -> 12 -> 6 -> 2 -> 1
        ("mnist_tanh", (13, 28, 1), 14),  # 14 -> 10 -> 8 -> 4 -> 2 -> 1
        ("mnist_conv_3x3", (5, 5, 1), 6),
    ],
)
def test_too_small_says_the_least(name, shape, least):
    with pytest.raises(
        ModelError, match=f"at least {least} x {least} pixels; found {shape[0]} x {shape[1]}"
    ):
        create_model(name, input_shape=shape)
    with pytest.raises(ModelError, match=f"at least {least} x {least}"):
        build(name, keras.Input(shape), 2)
    assert create_model(name, input_shape=(least, least, shape[2]))


def test_build_on_a_tensor_of_a_graph():
    inputs = keras.Input((28, 28, 1), dtype="uint8")
    logits = build("mnist_2conv", keras.layers.Rescaling(1 / 255)(inputs), 10)
    model = keras.Model(inputs, logits)
    assert model.count_params() == model_info("mnist_2conv").num_params
    assert {"conv1", "pool1", "dropout2", "flatten", "dense1", "logits"} <= {
        layer.name for layer in model.layers
    }


def test_own_head_only_for_two_classes():
    assert create_model("cats_dogs_3conv", num_classes=3).output_shape == (None, 3)
    assert create_model("cats_dogs_3conv", head="softmax").output_shape == (None, 2)
    assert create_model("cifar_4conv", num_classes=2).output_shape == (None, 2)
    with pytest.raises(ModelError, match="two classes apart; found 10"):
        create_model("cifar_4conv", head="sigmoid")
    with pytest.raises(ModelError, match="one of softmax, sigmoid; found 'tanh'"):
        create_model("cifar_4conv", head="tanh")


@pytest.mark.parametrize("num_classes", [1, 0, -3, 2.0, True, "10"])
def test_bad_num_classes(num_classes):
    with pytest.raises(ModelError, match="num_classes must be a whole number of at least 2"):
        create_model("mnist_2conv", num_classes=num_classes)


@pytest.mark.parametrize(
    "shape", [(28, 28), (28, 28, 0), (28, -1, 1), (28.0, 28, 1), (None, None, 3)]
)
def test_bad_shape(shape):
    with pytest.raises(ModelError, match="must be \\(height, width, channels\\)"):
        create_model("mnist_2conv", input_shape=shape)


SMALL = ModelConfig(stem="small")
CLASSICS = [
    name for name in list_models() if min(model_info(name).input_shape[:2]) >= LEAST_WITH_STEM
]
STEMS = {  # the layers that bring the overall stride to 2 and to 4
    "alexnet": {"conv1"},  # one step of 4
    "resnet18": {"stem_conv", "stem_pool"},
    "vgg11": {"block1_pool", "block2_pool"},
    "xception": {"block1_conv1", "block2_pool", "conv1"},  # in the block, and beside it
}


def steps_of(model):
    return {row.name: row.step for row in layer_table(model) if row.step is not None}


def last_map(model):
    rows = layer_table(keras.Model(model.inputs, model.outputs[0]))
    return [row for row in rows if row.stride is not None][-1].output_shape


@pytest.fixture(scope="module")
def resnet():
    return create_model("resnet18", input_shape=(32, 32, 3), num_classes=10, config=SMALL)


def test_resnet18_on_32_pixels(resnet):
    paper = create_model("resnet18", input_shape=(32, 32, 3), num_classes=10)
    before, after = steps_of(paper), steps_of(resnet)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == STEMS["resnet18"]
    assert {after[name] for name in changed} == {(1, 1)}
    assert [w.shape for w in resnet.weights] == [w.shape for w in paper.weights]
    assert [w.path for w in resnet.weights] == [w.path for w in paper.weights]
    assert last_map(paper) == (1, 1, 512)
    assert last_map(resnet) == (4, 4, 512)
    assert resnet(np.zeros((2, 32, 32, 3), np.float32), training=False).shape == (2, 10)


def test_the_work_is_that_of_the_maps(resnet):
    at_224 = model_info("resnet18").multiply_adds
    stem, logits = 7 * 7 * 3 * 64, 512 * 1000
    blocks = at_224 - stem * 112**2 - logits  # on maps of 56, 28, 14, 7 pixels; here 32, 16, 8, 4
    assert count_multiply_adds(resnet) == stem * 32**2 + blocks * 4**2 // 7**2 + 512 * 10
    assert count_multiply_adds(resnet) == pytest.approx(0.56e9, rel=0.01)


def test_it_learns(resnet):
    model = keras.models.clone_model(resnet)
    model.compile(
        keras.optimizers.SGD(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    rng = np.random.default_rng(0)
    images, labels = rng.random((4, 32, 32, 3), dtype=np.float32), np.arange(4)
    before = keras.ops.convert_to_numpy(model.get_layer("stem_conv").kernel)
    assert np.isfinite(model.train_on_batch(images, labels))
    assert not np.array_equal(
        before, keras.ops.convert_to_numpy(model.get_layer("stem_conv").kernel)
    )


def test_plain_keras_opens_its_file(resnet, tmp_path):
    resnet.save(tmp_path / "small.keras")
    with zipfile.ZipFile(tmp_path / "small.keras") as archive:
        assert "convlens" not in archive.read("config.json").decode()
    again = keras.models.load_model(tmp_path / "small.keras")
    images = np.random.default_rng(0).random((2, 32, 32, 3), dtype=np.float32)
    np.testing.assert_allclose(
        again(images, training=False), resnet(images, training=False), atol=1e-6
    )


def test_networks_for_small_images_refuse_it():
    for name in ("cifar_4conv", "small_resnet", "custom_cnn", "resnet20"):
        with pytest.raises(
            ModelError, match=f"made for images of 128 pixels or more; {name} is made for 32 x 32"
        ):
            create_model(name, config=SMALL)


def test_too_small_even_so_says_the_least():
    with pytest.raises(ModelError, match="alexnet needs images of at least ") as refused:
        create_model("alexnet", input_shape=(8, 8, 1), num_classes=2, config=SMALL)
    least = int(str(refused.value).split("at least ")[1].split()[0])
    assert least < model_info("alexnet").least_side // 2
    assert create_model("alexnet", input_shape=(least, least, 1), num_classes=2, config=SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSICS)
def test_every_classic(name):
    small = create_model(name, input_shape=(48, 40, 3), num_classes=5, config=SMALL)
    paper = create_model(
        name, input_shape=(192, 160, 3), num_classes=5
    )  # takes the same layers to as many values
    before, after = steps_of(paper), steps_of(small)
    changed = {name for name in before if before[name] != after[name]}
    assert changed
    assert changed == STEMS.get(name, changed)
    strides = {row.name: row.stride for row in layer_table(paper)}
    assert all(strides[name] is not None and max(strides[name]) <= 4 for name in changed)
    assert {after[name] for name in changed} == {(1, 1)}
    kernels = [[w.shape for w in model.weights if len(w.shape) == 4] for model in (small, paper)]
    assert kernels[0] == kernels[1]
    for side, of_paper in zip(last_map(small)[:2], last_map(paper)[:2], strict=True):
        assert of_paper - 1 <= side <= of_paper  # without a border a step of 1 loses a little more
    outputs = small.predict(np.zeros((1, 48, 40, 3), np.float32), verbose=0)
    assert all(
        np.isfinite(output).all()
        for output in (outputs if isinstance(outputs, list) else [outputs])
    )


@pytest.mark.slow
def test_train_says_that_it_is_used(shapes, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [
        "train",
        str(shapes),
        "--model",
        "resnet18",
        "--size",
        "16",
        "--limit",
        "40",
        "--epochs",
        "1",
        "--run",
    ]
    with pytest.raises(SystemExit) as stopped:
        main([*words, "small", "--stem", "small"])
    assert not stopped.value.code
    said = capsys.readouterr().out
    assert "parameters, small stem" in said
    assert "shrinks" not in said
    assert Config.from_toml("runs/small/run.toml").model.stem == "small"
    archive = zipfile.ZipFile("runs/small/classifier.keras")
    layers = json.loads(archive.read("config.json"))["config"]["layers"]
    assert next(one for one in layers if one["name"] == "stem_conv")["config"]["strides"] == [1, 1]
    with pytest.raises(SystemExit) as stopped:
        main([*words, "paper"])
    assert not stopped.value.code
    said = capsys.readouterr().out
    assert "small stem" not in said.replace("--stem small", "")
    assert "note  resnet18 shrinks 16 x 16 to 1 x 1; --stem small keeps 2 x 2, at " in said
