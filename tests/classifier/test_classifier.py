import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from convlens.classifier.assembly import assemble
from convlens.classifier.classifier import Classifier
from convlens.errors import BackendError, ConfigError
from convlens.evaluation.calibration import apply_temperature
from convlens.preprocess import FEW_LEVELS, Preprocessing, prepare

SHAPE = Preprocessing(12, 12, 3)
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 12, 12, 3), np.uint8)


def network(x, units):
    x = layers.Conv2D(4, 3)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.3)(x)
    return layers.Dense(units)(layers.GlobalAveragePooling2D()(x))


def make(units=3, names=("貓", "dog with hat", "c"), temperature=1.0):
    keras.utils.set_random_seed(0)
    model = assemble(lambda x: network(x, units), SHAPE, len(names), "net")
    classifier = Classifier.from_logits(model, names, SHAPE, temperature)
    classifier.examples = IMAGES[:3]
    return classifier


@pytest.fixture
def saved(tmp_path):
    make().save(tmp_path / "classifier.keras")
    return tmp_path / "classifier.keras"


def test_a_notebook_shows_one_line():
    assert repr(make()) == "<Classifier net: 12 x 12 x 3 -> 3 classes (貓, dog with hat, c)>"


def test_a_forked_process_is_told_instead_of_waiting_for_ever(saved, monkeypatch):
    classifier = Classifier.load(saved)
    monkeypatch.setattr(os, "getpid", lambda: 1)  # as after os.fork
    with pytest.raises(BackendError, match=r"this one is process 1, forked from .*'spawn'"):
        classifier.probabilities(IMAGES)
    with pytest.raises(BackendError, match="cannot compute"):
        Classifier.load(saved)


def test_saved_and_loaded_it_predicts_the_same(saved):
    loaded = Classifier.load(saved)
    assert loaded.class_names == ("貓", "dog with hat", "c")
    assert loaded.preprocessing == SHAPE
    assert np.array_equal(loaded.probabilities(IMAGES), make().probabilities(IMAGES))
    assert np.allclose(loaded.probabilities(IMAGES).sum(1), 1, atol=1e-6)


def test_one_logit_becomes_a_column_for_each_class():
    classifier = make(1, ("a", "b"))
    logits = keras.Model(classifier.model.input, classifier.model.layers[-1].input)(IMAGES)
    z = np.asarray(logits)[:, 1]
    assert np.allclose(np.asarray(logits)[:, 0], 0)
    expected = 1 / (1 + np.exp(-z))
    assert np.allclose(
        classifier.probabilities(IMAGES), np.stack([1 - expected, expected], 1), atol=1e-6
    )


def test_plain_keras_opens_files_where_convlens_cannot_be_imported(tmp_path):
    """A file of three logits with a temperature, and one of a single logit."""
    classifiers = [make(3, ("a", "b", "c"), 0.1), make(1, ("a", "b"), 1.0)]
    for number, classifier in enumerate(classifiers):
        classifier.save(tmp_path / f"{number}.keras")
    np.save(tmp_path / "images.npy", IMAGES)
    code = (
        "import sys; sys.modules['convlens'] = None\n"
        "import keras, numpy as np\n"
        "for number in range(2):\n"
        "    model = keras.models.load_model(f'{number}.keras')\n"
        "    np.save(f'{number}.npy', model.predict(np.load('images.npy'), verbose=0))\n"
    )
    env = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", code], check=True, env=env, cwd=tmp_path)
    for number, classifier in enumerate(classifiers):
        rows = np.load(tmp_path / f"{number}.npy")
        assert rows.shape == (5, len(classifier.class_names))
        assert np.abs(rows - classifier.probabilities(IMAGES)).max() < 1e-6


@pytest.mark.parametrize("temperature", [0.1, 1.0, 2.5])
def test_a_temperature_divides_the_logits_and_goes_into_the_file(tmp_path, temperature):
    plain, classifier = make(), make(temperature=temperature)
    expected = apply_temperature(plain.probabilities(IMAGES), temperature)
    assert np.abs(classifier.probabilities(IMAGES) - expected).max() < 1e-6
    assert any(layer.name == "temperature" for layer in classifier.model.layers) == (
        temperature != 1
    )
    classifier.save(tmp_path / "c.keras")
    for precision in ("float32", "bfloat16"):
        loaded = Classifier.load(tmp_path / "c.keras", precision=precision)
        assert loaded.temperature == pytest.approx(temperature)
        logits = np.asarray(loaded.logits_model(IMAGES))
        assert np.allclose(
            logits,
            np.asarray(plain.logits_model(IMAGES)),
            atol=1e-6 if precision == "float32" else 0.05,
        )
        for layer in loaded.model.layers[-2:]:
            assert layer.dtype_policy.name == "float32"


def test_a_recalibrated_classifier_shares_the_weights(saved):
    classifier = Classifier.load(saved)
    other = classifier.recalibrated(2.0, 0.4).recalibrated(0.5, 0.6)
    assert (other.temperature, other.threshold, classifier.threshold) == (0.5, 0.6, None)
    expected = apply_temperature(classifier.probabilities(IMAGES), 0.5)
    assert np.abs(other.probabilities(IMAGES) - expected).max() < 1e-6
    assert all(a is b for a, b in zip(other.model.weights, classifier.model.weights, strict=True))
    assert (other.class_names, other.examples is classifier.examples) == (
        classifier.class_names,
        True,
    )
    assert np.array_equal(
        other.recalibrated(1.0, None).probabilities(IMAGES), classifier.probabilities(IMAGES)
    )


def test_an_image_below_the_threshold_is_not_known(saved, tmp_path):
    classifier = Classifier.load(saved)
    assert all(one.known for one in classifier.predict(IMAGES))
    shares = np.sort(classifier.probabilities(IMAGES).max(1))
    other = classifier.recalibrated(1.0, float(shares[2]) - 1e-6)
    other.save(tmp_path / "c.keras")
    found = Classifier.load(tmp_path / "c.keras").predict(IMAGES)
    assert sum(one.known for one in found) == 3
    assert all(one.known == (one.probability > shares[1]) for one in found)


def test_a_network_that_is_called_temperature_is_no_temperature(tmp_path):
    inputs = keras.Input((12, 12, 3))
    own = keras.Model(inputs, network(inputs, 3), name="temperature")
    Classifier.from_logits(assemble(own, SHAPE, 3, "net"), ("a", "b", "c"), SHAPE).save(
        tmp_path / "c.keras"
    )
    classifier = Classifier.load(tmp_path / "c.keras")
    assert classifier.temperature == 1
    assert np.asarray(classifier.logits_model(IMAGES)).shape == (5, 3)


def test_bfloat16_stays_within_its_tolerance(saved):
    low = Classifier.load(saved, precision="bfloat16")
    assert {layer.dtype_policy.name for layer in low.model.layers} >= {"mixed_bfloat16", "float32"}
    assert np.abs(low.probabilities(IMAGES) - make().probabilities(IMAGES)).max() < 2e-2


def test_a_classifier_opened_in_bfloat16_is_saved_in_float32(saved, tmp_path):
    low = Classifier.load(saved, precision="bfloat16")
    low.save(tmp_path / "again.keras")
    again = keras.models.load_model(tmp_path / "again.keras")
    assert {layer.dtype_policy.name for layer in again.layers[1:]} == {"float32"}
    assert Classifier.load(tmp_path / "again.keras").probabilities(IMAGES) == pytest.approx(
        make().probabilities(IMAGES), abs=1e-7
    )
    recorded = [
        json.loads(zipfile.ZipFile(path).read("convlens.json"))["examples"]["probabilities"]
        for path in (saved, tmp_path / "again.keras")
    ]
    # The recorded probabilities are not those of bfloat16, and the classifier stays as it was.
    assert np.allclose(*recorded, atol=1e-7)
    assert "mixed_bfloat16" in {layer.dtype_policy.name for layer in low.model.layers}


def test_another_precision_is_refused(saved):
    with pytest.raises(ConfigError, match=r"auto, float32, bfloat16; found 'float16'"):
        Classifier.load(saved, precision="float16")


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_the_recipe_of_the_readme_gives_the_same_pixels(tmp_path, monkeypatch, fit):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"```python\n(import json, zipfile.*?)```", readme, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    classifier = make()
    classifier.preprocessing = replace(SHAPE, fit=fit)
    classifier.save("classifier.keras")
    y, x = np.mgrid[:2000, :3000]
    colours = np.stack([x * 7 + y, x * y // 50, (x // 9) * (y // 7)], -1) % 256
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(colours.astype(np.uint8)).save("photo.jpg", exif=exif)
    names: dict[str, object] = {}
    exec(recipe, names)
    np.testing.assert_array_equal(
        names["pixels"][0], prepare("photo.jpg", classifier.preprocessing)
    )
    whole = np.asarray(Image.open("photo.jpg").resize((12, 12), Image.Resampling.BILINEAR))
    assert not np.array_equal(names["pixels"][0], whole)  # the other steps matter


def test_deep_images_are_read_with_the_unit_of_the_classifier(tmp_path):
    classifier = make()
    classifier.preprocessing = replace(SHAPE, unit=(0, 1023))
    classifier.save(tmp_path / "c.keras")
    loaded = Classifier.load(tmp_path / "c.keras")
    assert loaded.preprocessing.unit == (0, 1023)
    eight = IMAGES[0, ..., 0]
    deep = eight.astype(np.uint16) * 4
    Image.fromarray(deep).save(tmp_path / "a.png")
    same = [
        eight,
        deep,
        deep.astype(np.int64),
        tmp_path / "a.png",
        Image.open(tmp_path / "a.png"),
        (tmp_path / "a.png").read_bytes(),
    ]
    (probability,) = {one.probability for one in loaded.predict(same)}
    dark = deep // 100
    assert loaded.predict(dark)[0].probability != probability
    assert loaded.predict(np.stack([deep, dark]))[0].probability == probability


def test_images_of_one_call_decide_the_unit_together_if_the_classifier_has_none():
    classifier = make()
    values = IMAGES[0].astype(np.float32) / 255 * 1.004
    dark = values / 600
    bright, black = classifier.predict([values, dark])
    assert bright.probability == pytest.approx(
        classifier.predict(IMAGES[0])[0].probability, abs=0.01
    )
    assert black.probability == classifier.predict(np.zeros((12, 12, 3), np.uint8))[0].probability
    assert black.remarks == (FEW_LEVELS,)
    assert classifier.with_unit_of([values, dark]).preprocessing.unit == (0, 1)
    assert classifier.with_unit_of(list(IMAGES)) is classifier
    assert classifier.preprocessing.unit is None
