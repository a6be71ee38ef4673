"""How the commands continue what was stopped: what is named, and on which images it goes on."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from convlens.cli import resuming
from convlens.cli.resuming import images_again, require_name, source_of
from convlens.errors import DataError, RunError
from tests.cli.commands import run
from tests.trainings import save_after_every_step


def test_what_is_resumed_needs_a_name():
    assert require_name("mine", "name the run") == "mine"
    with pytest.raises(RunError, match="name the run"):
        require_name(None, "name the run")


@pytest.mark.parametrize("command", ["train", "search", "compare"])
def test_a_command_that_resumes_says_how_to_name_it(command, capsys):
    assert run(command, "--resume") == RunError.exit_code
    assert f"convlens {command} --run NAME --resume." in capsys.readouterr().err


@pytest.mark.usefixtures("no_charts")
def test_a_resumed_run_shows_what_the_first_showed(shapes, tmp_path, monkeypatch, capsys):
    save_after_every_step(monkeypatch)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(shapes, tmp_path / "images")
    first, second = sorted(path for path in (tmp_path / "images").iterdir() if path.is_dir())[:2]
    shutil.copy(next(first.glob("*.png")), second / "copy.png")  # what the audit has to say
    (tmp_path / "link").symlink_to("images")
    words = ("--model", "logistic", "--epochs", "5", "--learning-rate", "1e-4", "--size", "16")
    assert run("train", "link", "--run", tmp_path / "run", *words) == 0
    shown = _what_a_resumed_run_shows(capsys)
    assert sum(line.endswith("best") for line in shown) > 1
    assert any("from link" in line for line in shown)
    assert any("convlens audit link" in line for line in shown)
    (tmp_path / "run" / "report.json").unlink()
    assert run("train", "--run", tmp_path / "run", "--resume") == 0
    assert _what_a_resumed_run_shows(capsys) == shown


@pytest.mark.usefixtures("no_charts")
def test_images_that_were_moved_are_named_again_and_the_run_goes_on(shapes, tmp_path, capsys):
    shutil.copytree(shapes, tmp_path / "images")
    words = ("--model", "logistic", "--epochs", "2", "--size", "16", "--run", tmp_path / "run")
    assert run("train", tmp_path / "images", *words) == 0
    (tmp_path / "run" / "report.json").unlink()
    (tmp_path / "images").rename(tmp_path / "moved")
    assert run("train", "--run", tmp_path / "run", "--resume") == 3
    advice = f"name their place: convlens train --run {tmp_path / 'run'} --resume FOLDER"
    assert advice in capsys.readouterr().err
    assert run("train", tmp_path / "nowhere", "--run", tmp_path / "run", "--resume") == 3
    assert "name their place" not in capsys.readouterr().err
    assert run("train", "--run", tmp_path / "run", "--resume", tmp_path / "moved") == 0
    assert (tmp_path / "run" / "report.json").exists()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("cifar10", "There is no network."),
        ("/gone", "There is no network. If the images .* --resume --cluster ray://a:1 FOLDER"),
    ],
)
def test_a_place_is_asked_for_only_where_images_may_have_moved(monkeypatch, path, said):
    def fail(*_):
        raise DataError("There is no network.")

    monkeypatch.setattr(resuming, "open_images", fail)
    begun = SimpleNamespace(data={"path": path}, config=None, lists=(), folder=Path("runs/mine"))
    with pytest.raises(DataError) as caught:
        images_again(begun, None, "ray://a:1")
    assert re.fullmatch(said, str(caught.value))


def _what_a_resumed_run_shows(capsys) -> list[str]:
    """Return the lines on the images, the notes and the epochs that were printed."""
    lines = capsys.readouterr().out.splitlines()
    return [line for line in lines if re.match(r"images|split|note|best:| +\d+ ", line)]


def test_images_are_named_as_they_were_where_this_still_leads_to_them(tmp_path, monkeypatch):
    (tmp_path / "images").mkdir()
    (tmp_path / "link").symlink_to("images")
    path = str((tmp_path / "images").resolve())
    monkeypatch.chdir(tmp_path)
    assert source_of({"source": "link", "path": path}) == "link"
    assert source_of({"source": "mnist5k", "path": "mnist5k"}) == "mnist5k"
    assert source_of({"path": path}) == path
    monkeypatch.chdir("/")
    assert source_of({"source": "link", "path": path}) == path
