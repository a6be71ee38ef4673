"""What is checked before a page is written, and the words that its scripts say."""

import re

import pytest
from PIL import Image

from convlens.errors import BackendError, ConfigError
from convlens.export.target import Target, check_target
from convlens.export.web.page import HERE, check_examples
from convlens.export.web.words import WORDS


def test_an_example_that_browsers_do_not_read_is_refused(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "one.tiff")
    Image.new("CMYK", (9, 9)).save(tmp_path / "two.jpg")
    Image.new("RGB", (9, 9)).save(tmp_path / "three.jpg")
    check_examples([tmp_path / "three.jpg"])
    with pytest.raises(ConfigError, match=r"one\.tiff: an example .* found TIFF in RGB"):
        check_examples([tmp_path / "three.jpg", tmp_path / "one.tiff"])
    with pytest.raises(ConfigError, match=r"two\.jpg: .* found JPEG in CMYK"):
        check_examples([tmp_path / "two.jpg"])


def test_a_missing_runtime_is_named_before_anything_is_computed(monkeypatch, tmp_path):
    monkeypatch.setattr("convlens.vendor.FOLDER", tmp_path)
    with pytest.raises(BackendError, match="JavaScript package onnxruntime-web must be in"):
        check_target(Target("web"), tmp_path / "out")


def test_the_scripts_say_every_word_and_no_other():
    files = [*HERE.glob("*.mjs"), HERE / "index.html"]
    code = "\n".join(file.read_text(encoding="utf-8") for file in files)
    assert [key for key in WORDS if f'"{key}"' not in code] == []
    said = re.findall(r"(?:say|setStatus|failed|Refusal)\(\"(\w+)\"", code)
    assert len(said) > 10
    assert set(said) <= set(WORDS)
