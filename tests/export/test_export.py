"""Exporting as a whole: the folder appears when the proof holds, and nothing otherwise."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.backend import versions
from convlens.classifier.classifier import Classifier
from convlens.errors import ConfigError, ExportError, ImageError, StorageError
from convlens.export import export, standalone
from convlens.export.export import export_classifier
from convlens.export.target import Target
from convlens.export.verify import verify
from tests.export.conftest import NAMES, SCORES
from tests.export.test_verify import change_a_weight


def test_the_folder_holds_all_that_is_needed(exported, classifier_file):
    folder = exported("onnx")
    names = {file.name for file in folder.iterdir()}
    assert names == {
        "README.md",
        "convlens.json",
        "examples",
        "examples.json",
        "model.onnx",
        "predict.py",
        "proof.json",
    }
    facts = json.loads((folder / "convlens.json").read_text(encoding="utf-8"))
    assert facts["class_names"] == list(NAMES)
    assert facts["temperature"] == pytest.approx(0.8)
    assert facts["threshold"] == 0.6
    assert facts["tolerance"] == pytest.approx(1.25e-4)
    assert facts["opset"] == 18
    assert facts["convlens"] == versions()["convlens"]
    assert facts["network_files"] == ["model.onnx"]
    assert facts["provenance"] == Classifier.load(classifier_file).provenance
    proof = json.loads((folder / "proof.json").read_text(encoding="utf-8"))
    assert proof["holds"] is True
    assert proof["images"] == 20
    source = Path(standalone.__file__).read_bytes()
    assert (folder / "predict.py").read_bytes() == source
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "| Accuracy | 87.5 % |" in card
    assert SCORES["title"] == facts["name"]
    assert folder.stat().st_mode & 0o777 == 0o755


def test_the_recorded_probabilities_are_those_of_the_classifier(exported, classifier_file):
    folder = exported("onnx")
    examples = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    files = [folder / "examples" / name for name in examples]
    assert sorted(files) == sorted((folder / "examples").iterdir())
    for file, one in zip(files, Classifier.load(classifier_file).predict(files), strict=True):
        np.testing.assert_allclose(examples[file.name], one.probabilities, atol=1e-6)


def test_the_examples_of_a_user_replace_the_generated_ones(quick, classifier_file, tmp_path):
    for folder, colour in (("a", "red"), ("b", "blue")):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (30, 40), colour).save(tmp_path / folder / "photo.png")
    files = [tmp_path / "a" / "photo.png", tmp_path / "b" / "photo.png"]
    proof = export_classifier(classifier_file, Target("onnx"), tmp_path / "out", examples=files)
    assert (proof.examples, proof.images) == (2, 0)
    copies = sorted((tmp_path / "out" / "examples").iterdir())
    assert [copy.name for copy in copies] == ["00-photo.png", "01-photo.png"]
    assert [copy.read_bytes() for copy in copies] == [file.read_bytes() for file in files]
    assert verify(tmp_path / "out").examples == 2


def test_names_that_are_not_utf8_are_exported_as_their_text(quick, classifier_file, tmp_path):
    odd = os.fsdecode(b"gr\xf6n")
    path = tmp_path / f"{odd}.keras"
    path.write_bytes(classifier_file.read_bytes())
    example = tmp_path / f"{odd}.png"
    Image.new("RGB", (9, 7), "orange").save(example)
    export_classifier(path, Target("onnx"), tmp_path / "out", examples=[example])
    verified = verify(tmp_path / "out")
    assert (verified.facts["name"], verified.examples) == ("gr\\udcf6n", 1)
    assert (tmp_path / "out" / "examples" / "00-gr\\udcf6n.png").exists()


def test_an_example_that_cannot_be_read_is_named(quick, classifier_file, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"nothing")
    for name, message in (("bad.png", "not an image"), ("none.png", "no such file")):
        with pytest.raises(ImageError, match=f"{tmp_path / name}: .*{message}"):
            export_classifier(
                classifier_file, Target("onnx"), tmp_path / "out", examples=[tmp_path / name]
            )
        assert [file.name for file in tmp_path.iterdir()] == ["bad.png"]


def test_python_exports_a_classifier(quick, classifier_file, images, tmp_path):
    classifier = Classifier.load(classifier_file)
    classifier.export("onnx", str(tmp_path / "deep" / "out"), images=images[:4])
    assert verify(tmp_path / "deep" / "out").facts["name"] == "net"
    with pytest.raises(ConfigError, match="out: this folder exists"):
        classifier.export("onnx", tmp_path / "deep" / "out")
    with pytest.raises(ConfigError, match="found 'coreml'"):
        classifier.export("coreml", tmp_path / "other")


def test_a_network_that_computes_something_else_is_not_exported(
    quick, classifier_file, tmp_path, monkeypatch
):
    real = export.convert

    def convert(saved, target, folder):
        real(saved, target, folder)
        change_a_weight(folder)

    asked = []
    monkeypatch.setattr(export, "convert", convert)
    monkeypatch.setattr(export, "find_parting_layer", lambda *given: asked.append(given) or "first")
    with pytest.raises(ExportError, match=r"part at the layer first\. Nothing was") as raised:
        export_classifier(classifier_file, Target("onnx"), tmp_path / "out")
    assert "within 0.0001 " in str(raised.value)
    assert "of 15 classes changed" in str(raised.value)
    assert list(tmp_path.iterdir()) == []
    assert asked[0][1] == "onnx"
    assert asked[0][2].shape[0] == 15


def test_a_layer_that_cannot_be_converted_is_named(classifier_file, tmp_path, monkeypatch):
    def convert(saved, target, folder):
        (folder / "half").write_bytes(b"half")
        raise ExportError("the network cannot be converted to onnx: no Foo.")

    monkeypatch.setattr(export, "convert", convert)
    monkeypatch.setattr(export, "find_unconvertible_layer", lambda _classifier, to: f"{to}-layer")
    with pytest.raises(ExportError, match=r"no Foo\. The layer that stops it is onnx-layer\."):
        export_classifier(classifier_file, Target("onnx"), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("raised", "expected", "message"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt, None),
        (OSError(errno.ENOSPC, "No space left"), StorageError, "out: the exported folder cannot"),
        (ValueError("a fault"), ValueError, "a fault"),
    ],
)
def test_nothing_stays_after_an_error_or_ctrl_c(
    quick, classifier_file, tmp_path, monkeypatch, raised, expected, message
):
    def prove(folder, *_rest):
        assert (folder / "model.onnx").is_file()
        assert folder.name.startswith(".out.")
        raise raised

    monkeypatch.setattr(export, "prove", prove)
    with pytest.raises(expected, match=message):
        export_classifier(classifier_file, Target("onnx"), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(quick, classifier_file, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="the exported folder cannot be written"):
        export_classifier(classifier_file, Target("onnx"), tmp_path / "file" / "out")


KILLED = """
import sys, time
from pathlib import Path
from convlens.export import export
from convlens.export.target import Target
def run_exported(*given):
    print("running", flush=True)
    time.sleep(60)
def convert(saved, target, folder):
    (folder / "model.onnx").write_bytes(b"network")
export.convert = convert
export.run_exported = run_exported
export.export_classifier(Path(sys.argv[1]), Target("onnx"), Path(sys.argv[2]))
"""


@pytest.fixture
def start(classifier_file, tmp_path):
    """Return a function that starts an export in a process, which then waits in its proof."""
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(classifier_file), str(tmp_path / "out")],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(20)


@pytest.mark.slow
def test_the_next_export_removes_what_a_killed_process_has_left(
    quick, classifier_file, start, tmp_path
):
    process = start()
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(20) == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".out.")
    assert (left / "model.onnx").is_file()
    living = start()  # at the same time as the export below
    (writing,) = tmp_path.iterdir()
    assert writing != left
    others = [tmp_path / ".out2.0123", tmp_path / left.name.replace(".out.", ".out.b.")]
    for other in others:
        other.mkdir()
    export_classifier(classifier_file, Target("onnx"), tmp_path / "out")
    assert set(tmp_path.iterdir()) == {tmp_path / "out", writing, *others}
    assert (writing / "model.onnx").is_file()
    assert living.poll() is None


def test_examples_that_are_read_otherwise_are_said(quick, classifier_file, tmp_path, monkeypatch):
    real = export.run_exported

    def run_exported(*given):
        found = real(*given)
        found["read"][0, 0, 0, 0] ^= 4
        return found

    monkeypatch.setattr(export, "run_exported", run_exported)
    with pytest.raises(ExportError, match="a pixel differs by 4 of 255"):
        export_classifier(classifier_file, Target("onnx"), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("to", ["litert", "saved_model"])
def test_the_other_formats_are_exported_and_verified(exported, to):
    found = verify(exported(to))
    assert found.largest < 1e-5
    proof = json.loads((exported(to) / "proof.json").read_text(encoding="utf-8"))
    assert (proof["changed"], proof["pixels"], proof["holds"]) == (0, 0, True)


@pytest.mark.slow
def test_a_real_conversion_of_other_weights_names_its_layer(classifier_file, tmp_path, monkeypatch):
    import keras

    from convlens.export import convert as convert_module

    real = convert_module.convert

    def convert(saved, target, folder):
        model = keras.models.load_model(saved)
        if any(layer.name == "second" for layer in model.layers):
            layer = model.get_layer("second")
            layer.set_weights([weights * 1.1 for weights in layer.get_weights()])
        model.save(tmp_path / "other.keras")
        real(tmp_path / "other.keras", target, folder)

    monkeypatch.setattr(export, "convert", convert)
    monkeypatch.setattr(convert_module, "convert", convert)
    with pytest.raises(ExportError, match="at the layer second"):
        export_classifier(classifier_file, Target("onnx"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
