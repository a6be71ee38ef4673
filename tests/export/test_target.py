"""What can be exported, and what is told before anything is computed."""

import tomllib
from pathlib import Path

import pytest

from convlens.errors import BackendError, ConfigError
from convlens.export.target import FORMATS, Target, check_target


def test_what_was_asked_for_is_checked(tmp_path, monkeypatch):
    check_target(Target("onnx"), tmp_path / "new")
    with pytest.raises(
        ConfigError, match="one of onnx, openvino, litert, saved_model, web; found 'xx'"
    ):
        check_target(Target("xx"), tmp_path / "new")
    with pytest.raises(ConfigError, match="this folder exists"):
        check_target(Target("onnx"), tmp_path)
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(ConfigError, match="link: this folder exists"):
        check_target(Target("onnx"), tmp_path / "link")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    message = r"onnx needs onnx, onnxruntime, tf2onnx, .* pip install 'convlens\[onnx\]'"
    with pytest.raises(BackendError, match=message):
        check_target(Target("onnx"), tmp_path / "new")
    check_target(Target("saved_model"), tmp_path / "new")


def test_no_loss_can_be_accepted_in_float32(tmp_path):
    check_target(Target("onnx", "float16", accept_loss=True), tmp_path / "new")
    with pytest.raises(ConfigError, match="so that no loss can be accepted"):
        check_target(Target("onnx", accept_loss=True), tmp_path / "new")


def test_the_extras_of_the_formats_exist():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    for wanted in FORMATS.values():
        if wanted.extra:
            extra = " ".join(project["optional-dependencies"][wanted.extra])
            assert wanted.engine in extra
