"""`convlens export`, `convlens verify` and `convlens predict FOLDER` as a user types them."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from convlens.classifier.classifier import Classifier
from convlens.errors import ExportError
from convlens.export import export as export_module
from convlens.export import proof as proof_module
from convlens.export.cost import Cost
from convlens.export.folder import open_network
from tests.cli.commands import run


@pytest.fixture(scope="module")
def folder(finished_run, tmp_path_factory) -> Path:
    """Return the exported folder of a run, which must not be changed."""
    out = tmp_path_factory.mktemp("exported") / "digits-network"
    assert run("export", finished_run.folder, "--to", "onnx", "--out", out) == 0
    return out


@pytest.fixture
def quick(folder, monkeypatch):
    """Let every conversion give the network of the run."""

    def convert(saved, target, into):
        shutil.copyfile(folder / "model.onnx", into / "model.onnx")

    monkeypatch.setattr(export_module, "convert", convert)


def test_a_run_is_exported_and_what_was_found_is_printed(quick, finished_run, here, capsys):
    assert run("export", finished_run.folder, "--to", "onnx") == 0
    (made,) = here.iterdir()
    assert made.name == f"{finished_run.folder.name}-onnx"
    out, err = capsys.readouterr()
    assert err == ""
    proof = json.loads((made / "proof.json").read_text(encoding="utf-8"))
    assert f"{proof['examples']} example files and {proof['images']} validation images" in out
    assert "0 changed" in out
    assert f"differs by {proof['largest']:.1e} at most" in out
    assert f"python {made.name}/predict.py IMAGE..." in out


def test_a_web_page_is_exported_with_what_shows_it(quick, finished_run, here, capsys):
    assert run("export", finished_run.folder, "--to", "web", "--out", "page") == 0
    out = capsys.readouterr().out
    assert "python -m http.server 8000 --bind 127.0.0.1 --directory page" in out
    assert "http://127.0.0.1:8000" in out
    assert (here / "page" / "index.html").is_file()
    assert run("verify", "page") == 0
    image = here / "page" / "examples" / "00-colours.jpg"
    assert run("predict", "page", image) == 0
    assert "00-colours.jpg" in capsys.readouterr().out


def test_the_validation_images_of_the_run_are_compared(folder, finished_run):
    proof = json.loads((folder / "proof.json").read_text(encoding="utf-8"))
    counts = finished_run.data["counts"]["val"]
    assert proof["images"] == sum(counts.values() if isinstance(counts, dict) else counts) > 20


def test_the_card_has_the_scores_of_the_report(folder, finished_run):
    card = (folder / "README.md").read_text(encoding="utf-8")
    accuracy = finished_run.report["metrics"]["accuracy"]
    row = "| Accuracy | {value:.1f} % | [{low:.1f} %, {high:.1f} %] |".format(
        **{name: 100 * accuracy[name] for name in ("value", "low", "high")}
    )
    assert row in card
    facts = json.loads((folder / "convlens.json").read_text(encoding="utf-8"))
    assert facts["class_names"] == list(finished_run.classifier().class_names)


def test_a_classifier_file_is_exported_without_validation_images(quick, finished_run, here, capsys):
    shutil.copy(finished_run.folder / "classifier.keras", here / "mine.keras")
    assert run("export", "mine.keras", "--to", "onnx") == 0
    assert "14 example files and 0 validation images" in capsys.readouterr().out
    assert (here / "mine-onnx" / "predict.py").is_file()


def test_missing_images_are_a_note(quick, finished_run, here, capsys):
    copied = shutil.copytree(finished_run.folder, here / "run")
    data = json.loads((copied / "data.json").read_text(encoding="utf-8"))
    (copied / "data.json").write_text(json.dumps(data | {"path": "nowhere"}), encoding="utf-8")
    assert run("export", copied, "--to", "onnx", "--out", "out") == 0
    out, err = capsys.readouterr()
    assert "the validation images are not compared: nowhere" in out + err
    assert "and 0 validation images" in out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["export", "RUN", "--to", "onnx", "--out", "."], 2, ".: this folder exists"),
        (["export", "RUN", "--to", "coreml"], 2, "coreml"),
        (["export", "RUN"], 2, "--to"),
        (["export", "nowhere", "--to", "onnx"], 5, "a run is a folder"),
        (["export", "EMPTY", "--to", "onnx"], 6, "there is no classifier file"),
        (["export", "RUN", "--to", "onnx", "--examples", "none.png"], 3, "no such file"),
        (["verify", "RUN"], 10, "must be a folder that convlens export wrote"),
        (["predict", "FOLDER", "x.png", "--precision", "auto"], 2, "computed in float32"),
        (["predict", "FOLDER"], 2, "say which images"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(
    quick, folder, finished_run, here, capsys, words, code, message
):
    empty = shutil.copytree(finished_run.folder, here.parent / f"{here.name}-run")
    (empty / "classifier.keras").unlink()
    places = {"RUN": finished_run.folder, "FOLDER": folder, "EMPTY": empty}
    capsys.readouterr()
    assert run(*(places.get(word, word) for word in words)) == code
    err = capsys.readouterr().err.strip()
    assert message in err
    assert len([line for line in err.splitlines() if "error" in line]) == 1
    assert list(here.iterdir()) == []


def test_a_missing_extra_is_named_before_anything_is_computed(
    finished_run, here, capsys, monkeypatch
):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert run("export", finished_run.folder, "--to", "openvino") == 8
    out, err = capsys.readouterr()
    assert out == ""
    assert "pip install 'convlens[openvino]'" in err


def test_a_proof_that_does_not_hold_ends_with_its_code(
    quick, finished_run, here, capsys, monkeypatch
):
    def require(*_given):
        raise ExportError("the values part at the layer x.")

    monkeypatch.setattr(export_module, "_require", require)
    assert run("export", finished_run.folder, "--to", "onnx", "--out", "out") == 10
    assert "the layer x" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_ctrl_c_leaves_nothing(quick, finished_run, here, capsys, monkeypatch):
    def prove(*_given):
        raise KeyboardInterrupt

    monkeypatch.setattr(export_module, "prove", prove)
    assert run("export", finished_run.folder, "--to", "onnx", "--out", "out") == 130
    assert "stopped" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_verify_says_what_it_found(folder, capsys, tmp_path):
    assert run("verify", folder) == 0
    out = capsys.readouterr().out
    assert "as they were exported" in out
    assert "14; a probability differs by" in out
    assert "onnxruntime" in out
    copied = shutil.copytree(folder, tmp_path / "copied")
    (copied / "model.onnx").write_bytes(b"other")
    assert run("verify", copied) == 10
    assert "missing or changed: model.onnx" in capsys.readouterr().err


def test_an_exported_folder_predicts_as_its_run(folder, finished_run, capsys):
    files = sorted((folder / "examples").iterdir())
    printed = []
    for place in (folder, finished_run.folder):
        assert run("predict", place, *files, "--format", "json") == 0
        printed.append(json.loads(capsys.readouterr().out))
    exported, trained = printed
    assert len(exported) == len(files)
    for one, other in zip(exported, trained, strict=True):
        assert list(one) == list(other)
        assert (one["image"], one["label"], one["known"]) == (
            other["image"],
            other["label"],
            other["known"],
        )
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_an_exported_folder_predicts_without_the_large_libraries(folder):
    code = (
        "import sys\nfrom convlens.cli import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n"
        "    print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    image = folder / "examples" / "03-grey.png"
    done = subprocess.run(
        [sys.executable, "-c", code, "predict", folder, image],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "03-grey.png" in done.stdout
    loaded = done.stderr.splitlines()[-1]
    assert "'onnxruntime'" in loaded
    for name in ("keras", "tensorflow", "scipy", "sklearn", "pandas", "matplotlib", "tf2onnx"):
        assert f"'{name}'" not in loaded, name


def test_python_gives_the_prediction_of_the_folder(folder, finished_run):
    image = folder / "examples" / "12-one-row.png"
    (exported,) = open_network(folder).predict(image)
    (trained,) = Classifier.load(finished_run.folder).predict(image)
    assert exported.label == trained.label
    assert exported.probabilities == pytest.approx(trained.probabilities, abs=1e-5)


def test_a_network_of_any_size_is_told_what_its_resize_gives(quick, finished_run, here, capsys):
    from convlens.export.proof import AnySize

    def prove(folder, classifier):
        return AnySize(14, 60, 1, 0.0123, 0.00045, 0.02)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(export_module, "prove_any_size", prove)
        assert run("export", finished_run.folder, "--to", "onnx", "--any-size") == 0
    (made,) = here.iterdir()
    assert made.name == f"{finished_run.folder.name}-onnx-any-size"
    out = " ".join(capsys.readouterr().out.split())
    assert "1.2 % of the resized pixels differ from those of Pillow, by 1 of 255 at most" in out
    assert "a probability by 4.5e-04 at most" in out
    assert json.loads((made / "convlens.json").read_text(encoding="utf-8"))["any_size"] is True


@pytest.mark.parametrize("to", ["litert", "saved_model"])
def test_formats_whose_networks_cannot_resize_are_told_in_a_line(finished_run, here, capsys, to):
    assert run("export", finished_run.folder, "--to", to, "--any-size") == 2
    err = " ".join(capsys.readouterr().err.split())
    assert f"can be exported to onnx, openvino; {to} has no such form. Leave out --any-size" in err
    assert list(here.iterdir()) == []


@pytest.mark.slow
def test_a_lower_precision_is_told_with_its_cost(finished_run, here, capsys):
    assert run("export", finished_run.folder, "--to", "onnx", "--precision", "float16") == 0
    (made,) = here.iterdir()
    assert made.name == f"{finished_run.folder.name}-onnx-float16"
    out, err = capsys.readouterr()
    assert err == ""
    proof = json.loads((made / "proof.json").read_text(encoding="utf-8"))
    cost = proof["cost"]
    assert cost["n"] == proof["images"] > 20
    assert cost["labelled"] is True
    before, after = (f"{100 * cost[name]:.1f} %" for name in ("before", "after"))
    assert f"{before} in float32, {after} in float16: " in out
    assert f"{proof['float32_size'] / 1e6:.1f} MB in float32" in out
    assert "in float32 on the same engine" in out


def told(capsys):
    """Return the error that was printed, in one line."""
    return " ".join(capsys.readouterr().err.split())


def test_too_great_a_loss_is_refused_with_its_exit_code(
    quick, finished_run, here, monkeypatch, capsys
):
    def quantise(network, target, into, training):
        assert len(training) == min(300, len(finished_run.data["splits"]["train"]))
        shutil.copyfile(network, into / network.name)

    cost = Cost(1000, True, 0.95, 0.93, 25, 5, 0.0091, 0.0308, 0.0003)
    monkeypatch.setattr(export_module, "quantise", quantise)
    monkeypatch.setattr(proof_module, "measure_cost", lambda *_given: cost)
    words = ("export", finished_run.folder, "--to", "onnx", "--precision", "int8", "--out", "out")
    assert run(*words) == 10
    message = told(capsys)
    assert "int8 must not cost more than 1 point of the accuracy; it falls from 95.0 %" in message
    assert "-2.0 points [-3.1, -0.9], p = 0.0003 (McNemar)" in message
    assert list(here.iterdir()) == []
    assert run(*words, "--accept-loss") == 0
    assert json.loads((here / "out" / "proof.json").read_text())["accepted"] is True


def test_a_precision_that_cannot_be_written_is_one_line(finished_run, here, monkeypatch, capsys):
    words = ("export", finished_run.folder, "--precision", "int8", "--to")
    assert run(*words, "litert") == 2
    assert "the precision 'int8' is there for onnx, openvino and web." in told(capsys)
    shutil.copy(finished_run.folder / "classifier.keras", here / "mine.keras")
    assert run("export", "mine.keras", "--precision", "int8", "--to", "onnx") == 2
    assert "int8 is calibrated on training images, which a classifier file does" in told(capsys)
    copied = shutil.copytree(finished_run.folder, here / "run")
    data = json.loads((copied / "data.json").read_text(encoding="utf-8"))
    (copied / "data.json").write_text(json.dumps(data | {"path": "nowhere"}), encoding="utf-8")
    assert run("export", copied, "--precision", "int8", "--to", "onnx") == 2
    assert "calibrated on the training images of the run: nowhere" in told(capsys)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "nncf" else find(name),
    )
    assert run(*words, "onnx") == 8
    assert "needs nncf, which is not installed: pip install 'convlens[int8]'." in told(capsys)
    assert {one.name for one in here.iterdir()} == {"mine.keras", "run"}


def test_a_folder_that_was_exported_is_not_exported_again(here, capsys):
    (here / "convlens.json").write_text("{}")
    assert run("export", ".", "--to", "onnx") == 2
    assert ". is an exported folder already" in capsys.readouterr().err
