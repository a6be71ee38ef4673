import keras
import numpy as np
import pytest
from PIL import Image

from convlens.classifier.classifier import Classifier
from convlens.classifier.pretrained import pretrained_classifier
from convlens.errors import ConfigError, ModelError
from convlens.zoo.create import create_model
from convlens.zoo.imagenet import imagenet_classes


@pytest.fixture(scope="module")
def classifier():
    return pretrained_classifier("efficientnet_lite0")


def test_it_is_a_classifier_of_imagenet(classifier):
    assert classifier.class_names == imagenet_classes()
    assert classifier.preprocessing.to_dict() == {
        "height": 224, "width": 224, "channels": 3, "fit": "crop", "scale": 1.0, "offset": 0.0,
            "unit": None,
    }  # fmt: skip
    # Explanations need a flat graph.
    assert not any(isinstance(layer, keras.Model) for layer in classifier.model.layers)


def test_its_file_predicts_as_it_does(classifier, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3)).astype(np.uint8)
    classifier.save(tmp_path / "lite.keras")
    before, after = (
        one.predict(noise)[0] for one in (classifier, Classifier.load(tmp_path / "lite.keras"))
    )
    assert after.label == before.label
    np.testing.assert_allclose(after.probabilities, before.probabilities, atol=1e-5)


def test_grey_images_are_taken(classifier):
    assert classifier.predict(Image.new("L", (50, 60), 200))[
        0
    ].probabilities.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_half_precision(classifier):
    noise = np.random.default_rng(0).integers(0, 256, (224, 224, 3)).astype(np.uint8)
    half = pretrained_classifier("efficientnet_lite0", precision="bfloat16")
    assert "bfloat16" in {layer.compute_dtype for layer in half.model.layers}
    rows = [one.predict(noise)[0].probabilities for one in (classifier, half)]
    np.testing.assert_allclose(*rows, atol=5e-2)


def test_a_file_must_have_the_thousand_classes(tmp_path):
    create_model("efficientnet_lite0", num_classes=5).save_weights(tmp_path / "five.weights.h5")
    with pytest.raises(
        ModelError, match=r"five\.weights\.h5: .* weights for 1,000 classes; it has none for logits"
    ):
        pretrained_classifier("efficientnet_lite0", tmp_path / "five.weights.h5")


@pytest.mark.slow
def test_networks_of_keras_too(tmp_path):
    network = create_model("mobilenet_v3_small")
    network.save_weights(tmp_path / "mobile.weights.h5")
    image = np.random.default_rng(0).integers(0, 256, (224, 224, 3)).astype(np.uint8)
    found = pretrained_classifier("mobilenet_v3_small", tmp_path / "mobile.weights.h5").predict(
        image
    )[0]
    logits = keras.ops.convert_to_numpy(network(image[None].astype(np.float32)))
    np.testing.assert_allclose(found.probabilities, keras.ops.softmax(logits)[0], atol=1e-6)


def test_mistakes():
    with pytest.raises(
        ModelError,
        match=r"small_resnet has no trained weights; train it: .*with trained weights: "
        r".*efficientnet_lite0",
    ):
        pretrained_classifier("small_resnet")
    with pytest.raises(ModelError, match="did you mean efficientnet_lite0"):
        pretrained_classifier("EfficientNet_Lite0")
    with pytest.raises(
        ConfigError, match="precision must be one of auto, float32, bfloat16; found 'half'"
    ):
        pretrained_classifier("efficientnet_lite0", precision="half")
