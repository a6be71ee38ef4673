"""Networks in float16 and int8: what is in their files, and what they compute."""

import json

import numpy as np
import pytest

from convlens.classifier.classifier import Classifier
from convlens.errors import ConfigError, ExportError
from convlens.export import export
from convlens.export.export import export_classifier
from convlens.export.folder import open_network
from convlens.export.proof import INT8_TOLERANCE
from convlens.export.quantise import quantise
from convlens.export.samples import given_samples
from convlens.export.standalone import ENGINES
from convlens.export.target import FORMATS, Target
from convlens.export.verify import verify
from tests.export.conftest import NAMES, SEEN
from tests.export.test_folder import sign

slow = pytest.mark.slow
EACH = [
    ("onnx", "float16"),
    ("openvino", "int8"),
    pytest.param("onnx", "int8", marks=slow),
    pytest.param("openvino", "float16", marks=slow),
    pytest.param("litert", "float16", marks=slow),
]


def read(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(("to", "precision"), EACH)
def test_the_folder_tells_what_the_precision_costs(exported, images, to, precision):
    folder = exported(to, precision)
    proof = read(folder, "proof.json")
    assert proof["precision"] == precision
    assert proof["cost"]["n"] == 20
    assert proof["cost"]["before"] == pytest.approx(0.9)  # of two images the label is wrong
    assert proof["cost"]["labelled"] is True
    assert proof["largest"] > 1e-6  # something was rounded
    assert proof["mean"] < (0.1 if precision == "int8" else 1e-3)
    assert proof["float32_milliseconds"] > 0
    assert proof["size"] != proof["float32_size"] > 1000
    facts = read(folder, "convlens.json")
    assert facts["precision"] == precision
    calibration = {"training_images": 20, "seed": 0} if precision == "int8" else None
    assert facts["calibration"] == calibration
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"in {precision}" in card


@pytest.mark.parametrize(("to", "precision"), EACH)
def test_the_recorded_probabilities_are_those_of_the_network_itself(
    exported, classifier_file, to, precision
):
    folder = exported(to, precision)
    found = verify(folder)
    assert found.largest < 1e-5
    expected = INT8_TOLERANCE if precision == "int8" else 1.25e-4
    assert found.facts["tolerance"] == pytest.approx(expected)
    examples = read(folder, "examples.json")
    files = [folder / "examples" / name for name in examples]
    rows = np.stack([one.probabilities for one in Classifier.load(classifier_file).predict(files)])
    assert np.abs(rows - list(examples.values())).max() > 1e-6


@pytest.mark.parametrize(("to", "precision"), EACH)
def test_batches_and_single_images_get_the_same(exported, images, to, precision):
    run = ENGINES[to](exported(to, precision) / FORMATS[to].file)
    rows = run(images[:6])
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(run(images[4:5]), rows[4:5], atol=1e-5)
    assert len(np.unique(rows)) == rows.size  # no steps of a 256th


def test_the_kernels_of_onnx_are_halved(exported):
    import onnx

    model = onnx.load(exported("onnx", "float16") / "model.onnx")
    types = {len(one.dims) >= 2: one.data_type for one in model.graph.initializer}
    assert types[True] == onnx.TensorProto.FLOAT16
    assert types[False] != onnx.TensorProto.FLOAT16
    plain = onnx.load(exported("onnx") / "model.onnx")
    assert [one.key for one in model.metadata_props] == [one.key for one in plain.metadata_props]
    assert model.opset_import == plain.opset_import


@pytest.mark.parametrize("value", [1e5, np.inf])
def test_a_kernel_that_float16_cannot_hold_stays_as_it_is(folder, tmp_path, value):
    import onnx

    model = onnx.load(folder / "model.onnx")
    kernels = [one for one in model.graph.initializer if len(one.dims) == 4]
    values = onnx.numpy_helper.to_array(kernels[0]).copy()
    values.flat[0] = value
    kernels[0].CopyFrom(onnx.numpy_helper.from_array(values, kernels[0].name))
    onnx.save(model, folder / "model.onnx")
    nothing = np.empty((0, *SEEN.shape), np.uint8)
    quantise(folder / "model.onnx", Target("onnx", "float16"), tmp_path, nothing)
    found = {one.name: one for one in onnx.load(tmp_path / "model.onnx").graph.initializer}
    kept = onnx.numpy_helper.to_array(found[kernels[0].name])
    np.testing.assert_array_equal(kept, values)
    assert f"{kernels[1].name}_float16" in found


def test_the_network_of_openvino_multiplies_integers_and_says_what_it_takes(exported):
    import openvino

    model = openvino.Core().read_model(exported("openvino", "int8") / "model.xml")
    assert model.inputs[0].get_any_name() == "images"
    assert model.inputs[0].get_element_type() == openvino.Type.u8
    assert model.outputs[0].get_any_name() == "probabilities"
    assert model.outputs[0].get_element_type() == openvino.Type.f32
    names = model.get_rt_info(["convlens", "class_names"]).astype(str)
    assert json.loads(names) == list(NAMES)
    weights = [
        node.get_data()
        for node in model.get_ops()
        if node.get_type_name() == "Constant" and node.get_element_type() == openvino.Type.i8
    ]
    assert len(weights) == 2  # the convolutions; the logits are computed in float32
    assert all(np.abs(values.astype(int)).max() <= 64 for values in weights)  # 7 bits


@slow
def test_the_network_of_onnx_multiplies_integers_and_says_what_it_takes(exported):
    import onnx

    model = onnx.load(exported("onnx", "int8") / "model.onnx")
    plain = onnx.load(exported("onnx") / "model.onnx")
    assert model.graph.input == plain.graph.input
    assert model.graph.output == plain.graph.output
    assert {one.key: one.value for one in model.metadata_props} == {
        one.key: one.value for one in plain.metadata_props
    }
    assert [one.version for one in model.opset_import if one.domain == ""] == [18]
    operations = [node.op_type for node in model.graph.node]
    assert "QuantizeLinear" in operations
    assert operations[-1] == "Softmax"


@slow
def test_the_same_images_calibrate_the_same_network(exported, classifier_file, samples, tmp_path):
    target = Target("openvino", "int8", accept_loss=True)
    export_classifier(classifier_file, target, tmp_path / "out", samples=samples)
    again = open_network(tmp_path / "out").probabilities(samples.images)
    first = open_network(exported("openvino", "int8")).probabilities(samples.images)
    np.testing.assert_array_equal(again, first)


def test_another_network_fails_its_examples(exported, tmp_path):
    import shutil

    folder = shutil.copytree(exported("openvino", "int8"), tmp_path / "out")
    examples = read(folder, "examples.json")
    examples["00-colours.jpg"][0] += 2 * INT8_TOLERANCE
    (folder / "examples.json").write_text(json.dumps(examples), encoding="utf-8")
    sign(folder)
    with pytest.raises(ExportError, match=r"within 0\.05; with openvino .* differ by 0\.1"):
        verify(folder)


@pytest.fixture
def harmful(quick, monkeypatch):
    """Let the quantisation exchange the classes."""
    import onnx

    def quantise(network, target, folder, training):
        assert target.precision == "int8"
        assert training.shape == (20, *SEEN.shape)
        model = onnx.load(network)
        scores = next(one for one in model.graph.initializer if tuple(one.dims) == (8, 3))
        values = onnx.numpy_helper.to_array(scores)[:, ::-1]
        scores.CopyFrom(onnx.numpy_helper.from_array(values.copy(), scores.name))
        onnx.save(model, folder / network.name)

    monkeypatch.setattr(export, "quantise", quantise)


def test_a_significant_loss_is_refused(harmful, classifier_file, samples, tmp_path):
    target = Target("onnx", "int8")
    with pytest.raises(ExportError, match=r"must not cost more than 1 point .* 20 images") as one:
        export_classifier(classifier_file, target, tmp_path / "out", samples=samples)
    assert "it falls from 90.0 % to " in str(one.value)
    assert "--accept-loss exports it all the same" in str(one.value)
    assert one.value.exit_code == 10
    assert list(tmp_path.iterdir()) == []


def test_an_accepted_loss_is_written_with_its_cost(harmful, classifier_file, samples, tmp_path):
    target = Target("onnx", "int8", accept_loss=True)
    proof = export_classifier(classifier_file, target, tmp_path / "out", samples=samples)
    assert proof.cost.too_much
    assert proof.cost.after < 0.6
    assert proof.holds
    known = read(tmp_path / "out", "proof.json")
    assert (known["accepted"], known["cost"]["too_much"], known["holds"]) == (True, True, True)
    assert verify(tmp_path / "out").largest < 1e-5


def test_a_loss_that_may_be_chance_is_not_refused(harmful, classifier_file, samples, tmp_path):
    classifier = Classifier.load(classifier_file)
    few = given_samples(classifier, samples.images[:2], samples.labels[:2], samples.training)
    proof = export_classifier(
        classifier_file, Target("onnx", "int8"), tmp_path / "out", samples=few
    )
    assert proof.cost.n == 2
    assert not proof.cost.too_much


def test_int8_needs_training_images(quick, classifier_file, tmp_path):
    with pytest.raises(ConfigError, match="calibrated on training images, which a classifier file"):
        export_classifier(classifier_file, Target("onnx", "int8"), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_last_words_of_the_program_are_its_reason(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"nothing")
    (tmp_path / "out").mkdir()
    nothing = np.empty((0, *SEEN.shape), np.uint8)
    with pytest.raises(
        ExportError, match=r"^the network cannot be written in float16: .+\S"
    ) as one:
        quantise(tmp_path / "model.onnx", Target("onnx", "float16"), tmp_path / "out", nothing)
    assert "\n" not in str(one.value)
