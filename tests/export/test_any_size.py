"""Folders whose network takes images of any size."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from convlens.classifier.classifier import Classifier
from convlens.errors import ConfigError, ExportError
from convlens.export import any_size, export
from convlens.export.any_size import prove_any_size
from convlens.export.target import Target, check_target
from convlens.export.verify import verify
from tests.export.conftest import SEEN

EACH = ["onnx", pytest.param("openvino", marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def of_any_size(classifier_file, samples, tmp_path_factory):
    """Return a function that gives the folder of a format, which must not be changed."""
    made = {}
    parent = tmp_path_factory.mktemp("any-size")

    def get(to):
        if to not in made:
            target = Target(to, any_size=True)
            folder = parent / to
            proof = export.export_classifier(classifier_file, target, folder, samples=samples)
            made[to] = parent / to, proof
        return made[to]

    return get


@pytest.mark.parametrize("to", EACH)
def test_the_proof_compares_pixels_and_probabilities_at_full_size(of_any_size, to):
    folder, proof = of_any_size(to)
    assert proof.holds
    assert proof.largest < 1e-5  # of images in the size of the network, which are not changed
    recorded = json.loads((folder / "proof.json").read_text(encoding="utf-8"))["any_size"]
    assert recorded["examples"] == proof.examples == 15
    assert recorded["images"] == any_size.ODD
    assert recorded["levels"] == 1
    assert 0 < recorded["differing"] < 0.05
    assert 0 < recorded["largest"] < recorded["allowed"] == pytest.approx(0.025)
    assert verify(folder).largest < 1e-5
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "pixel that the network has resized, of 255 levels | 1 |" in card


def test_the_network_says_that_it_takes_any_size(of_any_size):
    import onnx

    folder, _proof = of_any_size("onnx")
    model = onnx.load(folder / "model.onnx")
    (given,) = model.graph.input
    sides = [side.dim_param or side.dim_value for side in given.type.tensor_type.shape.dim]
    assert sides == ["batch", "height", "width", 3]
    assert [found.name for found in model.graph.output] == ["probabilities"]
    properties = {one.key: json.loads(one.value) for one in model.metadata_props}
    assert properties["preprocessing"]["any_size"] is True
    assert properties["preprocessing"]["fit"] == "pad"
    facts = json.loads((folder / "convlens.json").read_text(encoding="utf-8"))
    assert facts["any_size"] is True


@pytest.mark.slow
def test_the_network_of_openvino_says_so_too(of_any_size):
    import openvino

    folder, _proof = of_any_size("openvino")
    model = openvino.Core().read_model(folder / "model.xml")
    (given,) = model.inputs
    (found,) = model.outputs
    assert [side.is_dynamic for side in given.partial_shape] == [True, True, True, False]
    assert found.get_any_name() == "probabilities"
    preprocessing = json.loads(model.get_rt_info(["convlens", "preprocessing"]).astype(str))
    assert preprocessing["any_size"] is True


def test_a_program_without_a_resize_gets_the_probabilities_of_the_classifier(
    of_any_size, classifier_file
):
    import onnxruntime

    folder, proof = of_any_size("onnx")
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    classifier = Classifier.load(classifier_file)
    for name in ("00-colours.jpg", "08-turned-left.jpg", "11-tall.png", "12-one-row.png"):
        file = folder / "examples" / name
        with Image.open(file) as image:
            pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        assert pixels.shape != SEEN.shape
        (row,) = session.run(["probabilities"], {"images": pixels[None]})[0]
        (one,) = classifier.predict(file)
        assert classifier.class_names[row.argmax()] == one.label
        np.testing.assert_allclose(row, one.probabilities, atol=proof.any_size.allowed)


@pytest.mark.parametrize("to", EACH)
def test_a_resize_that_is_not_that_of_pillow_is_refused(of_any_size, classifier_file, tmp_path, to):
    folder = shutil.copytree(of_any_size(to)[0], tmp_path / "copied")
    facts = json.loads((folder / "convlens.json").read_text(encoding="utf-8"))
    facts["preprocessing"]["fit"] = "stretch"  # which predict.py then does
    (folder / "convlens.json").write_text(json.dumps(facts), encoding="utf-8")
    classifier = Classifier.load(classifier_file)
    with pytest.raises(ExportError, match=r"pixels differ by up to \d\d+ and the prob"):
        prove_any_size(folder, classifier)


def test_a_probability_that_changes_too_much_is_refused(of_any_size, classifier_file, monkeypatch):
    monkeypatch.setattr(any_size, "DIFFERENCE", 8e-10)
    with pytest.raises(ExportError, match=r"within 1e-09; the pixels differ by up to 1 .*"):
        prove_any_size(of_any_size("onnx")[0], Classifier.load(classifier_file))


def test_formats_and_precisions_without_a_resize_are_told_before_anything_is_computed(tmp_path):
    for to in ("litert", "saved_model"):
        message = f"can be exported to onnx, openvino; {to} has no such form"
        with pytest.raises(ConfigError, match=message):
            check_target(Target(to, any_size=True), tmp_path / "new")
    with pytest.raises(ConfigError, match=r"in float32, .*found int8"):
        check_target(Target("onnx", "int8", any_size=True), tmp_path / "new")
    check_target(Target("onnx", any_size=True), tmp_path / "new")


def test_the_card_and_convlens_json_of_other_folders_say_no(exported):
    folder = exported("onnx")
    facts = json.loads((folder / "convlens.json").read_text(encoding="utf-8"))
    assert facts["any_size"] is False
    proof = json.loads((folder / "proof.json").read_text(encoding="utf-8"))
    assert proof["any_size"] is None
    assert "has resized" not in (folder / "README.md").read_text(encoding="utf-8")


def test_predict_py_reads_images_as_before(of_any_size):
    folder, _proof = of_any_size("onnx")
    command = [sys.executable, "-I", str(folder / "predict.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert float(done.stdout.split(": ")[1].split()[0]) < 1e-5
