import json

import numpy as np
import pytest

from convlens.errors import BackendError, ExportError
from convlens.export.folder import digest, engine_version, is_exported, open_network, read_facts
from tests.export.conftest import NAMES, SEEN


def test_an_opened_network_is_what_was_exported(exported, images):
    network = open_network(exported("onnx"))
    assert network.class_names == NAMES
    assert network.preprocessing == SEEN
    assert network.threshold == 0.6
    rows = network.probabilities(images)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-5)
    assert not np.allclose(rows[0], rows[1])


FILES = [
    "model.onnx",
    "predict.py",
    "examples.json",
    "examples/03-grey.png",
    "convlens.json",
    "proof.json",
]


@pytest.mark.parametrize("name", FILES[:-1])
def test_a_changed_file_is_named(folder, name):
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ExportError, match=f"missing or changed: {name}"):
        open_network(folder)


@pytest.mark.parametrize("name", sorted(set(FILES) - {"convlens.json"}))
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert is_exported(folder)
    with pytest.raises(ExportError, match=f"missing or changed: {name}"):
        open_network(folder)


def test_the_card_may_be_edited_and_files_may_be_added(folder):
    (folder / "README.md").write_text("mine", encoding="utf-8")
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    assert open_network(folder).class_names == NAMES


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"format_version": "x"}'])
def test_a_folder_that_was_not_exported_is_told(tmp_path, content):
    assert not is_exported(tmp_path)
    if content is not None:
        (tmp_path / "convlens.json").write_text(content)
    with pytest.raises(ExportError, match="must be a folder that convlens export wrote"):
        read_facts(tmp_path)


def test_a_folder_of_a_newer_convlens_is_told(folder):
    facts = json.loads((folder / "convlens.json").read_text(encoding="utf-8"))
    (folder / "convlens.json").write_text(json.dumps(facts | {"format_version": 2}))
    with pytest.raises(ExportError, match=r"by a newer convlens .its format is 2; .* up to 1"):
        open_network(folder)


def test_a_missing_engine_is_named_with_its_command(folder, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(BackendError, match="not installed: pip install onnxruntime"):
        open_network(folder)


def sign(folder):
    """Record the files of a folder as they are now, as if they had been exported so."""
    facts = json.loads((folder / "convlens.json").read_text(encoding="utf-8"))
    facts["digests"] = {name: digest(folder / name) for name in facts["digests"]}
    (folder / "convlens.json").write_text(json.dumps(facts), encoding="utf-8")
    proof = json.loads((folder / "proof.json").read_text(encoding="utf-8"))
    proof["convlens_json"] = digest(folder / "convlens.json")
    (folder / "proof.json").write_text(json.dumps(proof), encoding="utf-8")


def test_a_network_that_this_engine_cannot_open_is_one_line(folder):
    import onnx

    model = onnx.load(folder / "model.onnx")
    model.graph.node[0].op_type = "OfTomorrow"
    onnx.save(model, folder / "model.onnx")
    sign(folder)
    version = engine_version("onnxruntime")
    with pytest.raises(ExportError, match=f"onnxruntime {version} cannot open the net") as raised:
        open_network(folder)
    assert f"pip install onnxruntime=={version}" in str(raised.value)
    assert "OfTomorrow" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_version_of_an_engine_is_that_of_its_distribution():
    import onnxruntime

    assert engine_version("onnxruntime") == onnxruntime.__version__
    assert engine_version("no-such-engine") == "unknown"
