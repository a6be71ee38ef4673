from dataclasses import replace

import keras
import numpy as np
import pytest

from convlens.classifier.classifier import Classifier
from convlens.errors import ExportError
from convlens.export.cost import Cost
from convlens.export.proof import (
    INT8_TOLERANCE,
    MARGIN,
    TOLERANCE,
    Proof,
    allowed_difference,
    prove,
    run_exported,
    tolerance,
)
from convlens.export.samples import given_samples
from convlens.preprocess import prepare
from tests.export.conftest import SEEN

GOOD = Proof(
    precision="float32",
    examples=3,
    images=10,
    changed=0,
    near=0,
    largest=1e-6,
    mean=1e-7,
    allowed=1e-4,
    pixels=0,
    size=100,
    classifier_size=200,
    milliseconds=1.0,
    classifier_milliseconds=2.0,
)


@pytest.mark.parametrize(
    ("changed", "holds"),
    [
        ({}, True),
        ({"largest": 1.1e-4}, False),
        ({"largest": float("nan")}, False),
        ({"changed": 1}, False),
        ({"changed": 2, "near": 2}, True),
        ({"changed": 2, "near": 1}, False),
        ({"pixels": 1}, False),
    ],
)
def test_what_is_allowed(changed, holds):
    proof = replace(GOOD, **changed)
    assert proof.holds is holds
    assert proof.to_dict()["holds"] is holds


@pytest.fixture
def golden(exported):
    """Return the golden examples as the network takes them."""
    files = sorted((exported("onnx") / "examples").iterdir())
    return np.stack([prepare(file, SEEN) for file in files])


COST = Cost(1000, True, 0.95, 0.93, 25, 5, 0.0091, 0.0308, 0.0003)


@pytest.mark.parametrize(
    ("changed", "holds"),
    [
        ({"cost": replace(COST, after=0.945)}, True),
        ({"cost": COST}, False),
        ({"cost": COST, "accepted": True}, True),
        ({"cost": replace(COST, low=-0.001)}, True),
        ({"cost": COST, "accepted": True, "pixels": 1}, False),
        ({"cost": COST, "accepted": True, "largest": float("nan")}, False),
    ],
)
def test_what_a_lower_precision_may_cost(changed, holds):
    proof = replace(GOOD, precision="int8", largest=0.3, changed=7, near=2)
    proof = replace(proof, **changed)
    assert proof.holds is holds
    assert proof.to_dict()["holds"] is holds
    assert proof.to_dict()["cost"]["loss"] == pytest.approx(proof.cost.loss)


def proof_of(folder, classifier, golden, images):
    """Return the proof of a folder, with its network run anew."""
    samples = given_samples(classifier, images)
    return prove(folder, classifier, golden, samples, run_exported(folder, images), 12345)


def test_the_exported_network_is_compared_with_the_classifier(
    exported, classifier_file, golden, images
):
    classifier = Classifier.load(classifier_file)
    folder = exported("onnx")
    proof = proof_of(folder, classifier, golden, images)
    assert proof.holds
    assert (proof.precision, proof.cost, proof.float32_size) == ("float32", None, None)
    assert (proof.examples, proof.images) == (15, 20)
    assert (proof.changed, proof.pixels) == (0, 0)
    assert 0 < proof.mean <= proof.largest < 1e-5
    assert proof.allowed == pytest.approx(TOLERANCE / 0.8)
    assert proof.size == (folder / "model.onnx").stat().st_size
    assert proof.classifier_size == 12345
    assert proof.milliseconds > 0
    assert proof.classifier_milliseconds > 0
    assert (proof.default_type, proof.default_largest) == (None, None)


def test_other_weights_are_found(exported, classifier_file, golden, images):
    classifier = Classifier.load(classifier_file)
    layer = classifier.model.get_layer("scores")
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel, bias + np.array([0.01, 0, 0])])
    proof = proof_of(exported("onnx"), classifier, golden, images)
    assert not proof.holds
    assert 1e-4 < proof.largest < 0.01
    layer.set_weights([kernel[:, ::-1], bias[::-1]])
    assert proof_of(exported("onnx"), classifier, golden, images).changed > 10


def test_a_class_may_change_where_two_are_as_probable(
    exported, classifier_file, golden, monkeypatch
):
    classifier = Classifier.load(classifier_file)
    expected = np.tile(np.float32([0.5, 0.3, 0.2]), (len(golden), 1))
    expected[0] = 0.4 + MARGIN / 3, 0.4 - MARGIN / 3, 0.2
    expected[1] = 0.4 + MARGIN, 0.4 - MARGIN, 0.2
    monkeypatch.setattr(Classifier, "probabilities", lambda _self, _images: expected)
    rows = expected.copy()
    rows[:2, :2] = rows[:2, 1::-1]
    pixels = golden.copy()
    default = rows.copy()
    default[4] = 0.3, 0.5, 0.2
    found = {
        "rows": rows,
        "read": pixels,
        "seconds": np.array([0.002]),
        "default_rows": default,
        "default_type": np.array("bf16"),
    }
    given = (exported("onnx"), classifier, golden, given_samples(classifier), found, 1)
    proof = prove(*given)
    assert (proof.changed, proof.near) == (2, 1)
    assert proof.largest == pytest.approx(2 * MARGIN, abs=1e-6)
    assert proof.milliseconds == pytest.approx(2)
    assert (proof.default_type, proof.default_changed) == ("bf16", 1)
    assert proof.default_largest == pytest.approx(0.2)
    pixels[3, 0, 0, 0] ^= 4
    assert prove(*given).pixels == 4


def test_openvino_is_also_asked_what_it_would_do_by_itself(exported, images):
    import openvino

    found = run_exported(exported("openvino"), images[:2])
    can = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    assert found["default_type"] == ("bf16" if "BF16" in can else "f32")
    assert found["default_rows"].shape == found["rows"].shape == (17, 3)
    np.testing.assert_allclose(found["default_rows"], found["rows"], atol=0.02)


def test_a_temperature_below_1_allows_more(classifier_file):
    sharp = Classifier.load(classifier_file)
    assert sharp.temperature == pytest.approx(0.8)
    assert allowed_difference(sharp) == pytest.approx(1.25e-4)
    inputs = keras.Input((4, 4, 3), dtype="uint8")
    outputs = keras.layers.Softmax()(keras.layers.GlobalAveragePooling2D()(inputs))
    plain = Classifier(keras.Model(inputs, outputs), ("a", "b", "c"), sharp.preprocessing)
    assert allowed_difference(plain) == tolerance(plain, "float16") == TOLERANCE
    assert tolerance(plain, "int8") == tolerance(sharp, "int8") == INT8_TOLERANCE


def test_a_network_that_cannot_be_run_is_one_line(folder, images):
    (folder / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(ExportError, match=r"the exported network cannot be run: \S") as raised:
        run_exported(folder, images)
    assert "\n" not in str(raised.value)
