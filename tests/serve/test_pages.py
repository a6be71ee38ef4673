"""The commands and programs on docs/serve.md work as they stand there."""

import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from convlens.cli.serve import serve

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, language):
    """Return the blocks of a language on a page."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return [content for name, content in BLOCK.findall(text) if name == language]


PYTHON = blocks("serve.md", "python")
CURL = [
    line.removeprefix("$ ")
    for block in blocks("serve.md", "console")
    for line in block.splitlines()
    if line.startswith("$ curl") and "TOKEN" not in line and "cat token" not in line
]


@pytest.fixture(scope="module")
def run(port, served, tmp_path_factory):
    """Return a function that runs a program of the page in a folder with two images."""
    folder = tmp_path_factory.mktemp("images")
    Image.linear_gradient("L").convert("RGB").save(folder / "photo.jpg")
    Image.radial_gradient("L").save(folder / "other.png")
    environment = os.environ | {"PYTHONUTF8": "1"}

    def run(command, program):
        program = program.replace("127.0.0.1:8000", "127.0.0.1:{}".format(port))
        program = program.replace("pets", "a-run-3")
        done = subprocess.run(
            [*command, program],
            cwd=folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
        assert any(name in done.stdout for name in served.predictor.class_names), done.stdout
        return done.stdout

    return run


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_the_programs_in_python(run, number):
    run([sys.executable, "-c"], PYTHON[number])


def test_the_program_in_javascript(run):
    if not shutil.which("node"):
        pytest.skip("Node.js is not installed")
    (program,) = blocks("serve.md", "javascript")
    run(["node", "--input-type=module", "--eval"], program)


@pytest.mark.parametrize("number", range(len(CURL)))
def test_the_commands_with_curl(run, number):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    said = run(["sh", "-c"], CURL[number].replace("curl", "curl -sS --fail", 1))
    assert said.count('"label"') == CURL[number].count("@")


def test_there_are_programs_of_each_kind():
    assert len(PYTHON) == 4
    assert len(CURL) == 3


@pytest.mark.parametrize("language", ["python", "javascript", "json", "ini", "nginx", "yaml"])
def test_both_pages_have_the_same_programs(language):
    assert blocks("serve.md", language) == blocks("serve.zh-TW.md", language)
    assert blocks("serve.md", language)


@pytest.mark.parametrize("page", ["serve.md", "serve.zh-TW.md"])
def test_the_flags_on_the_page_are_those_of_the_command(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    lines = re.findall(r"convlens serve .*", text)
    named = set(re.findall(r"--[a-z-]+", " ".join([*lines, *re.findall(r"`(--[^`]+)`", text)])))
    flags = {"--" + name.replace("_", "-") for name in inspect.signature(serve).parameters}
    assert named == flags - {"--classifier"}


def test_systemd_accepts_the_unit(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not installed")
    (unit,) = blocks("serve.md", "ini")
    file = tmp_path / "convlens.service"
    file.write_text(unit.replace("/opt/convlens/bin/convlens", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert file.name not in done.stderr
