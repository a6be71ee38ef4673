"""`convlens lesson` as a user types it."""

from pathlib import Path

import nbformat
import numpy as np
import pytest

from convlens.lessons import notebook
from convlens.lessons.notebook import Source
from tests.cli.commands import run
from tests.lessons.test_notebook import TINY

COMPARING = """
# %%
from convlens.evaluation.metrics import wilson

lesson.compare("a program", wilson(99, 100), data="mnist", deck=0.9912, seconds=1)
"""


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tiny(here, monkeypatch) -> Path:
    """Two small lessons in place of the real ones."""
    sources = {}
    for number in ("008", "009"):
        path = here / f"{number}_tiny.py"
        path.write_text((TINY + COMPARING).replace("009", number), encoding="utf-8")
        sources[number] = Source(number, path)
    monkeypatch.setattr(notebook, "find_lessons", lambda: sources)
    return here


def test_it_lists_the_lessons(here, capsys):
    assert run("lesson") == 0
    said = capsys.readouterr().out
    assert "001 A convolutional network reads handwritten digits" in said
    assert "--run --quick" in said


def test_it_shows_the_sections(here, capsys):
    for number in ("002", "02", "2"):
        assert run("lesson", number) == 0
        assert "The sizes of LeNet" in capsys.readouterr().out


def test_run_quick_with_notebook_and_table(tiny, capsys):
    assert (
        run("lesson", "009", "--run", "--quick", "--notebook", "mine.ipynb", "--table", "table.md")
        == 0
    )
    said = capsys.readouterr().out
    assert "in place of mnist" in said
    assert "a program" in said
    assert (tiny / "runs" / "lesson-009" / "loss.png").exists()
    written = nbformat.read("mine.ipynb", as_version=4)
    assert "quick=True" in written.cells[1].source
    assert written.cells[3].outputs
    table = Path("table.md").read_text(encoding="utf-8")
    assert "| 009 | a program | other images | 99.00 % | [94.55, 99.82] | 100 | 1 |" in table
    assert "Nothing is compared there" in table


def test_all_lessons_into_one_table_and_folder(tiny, capsys):
    images = np.zeros((40, 28, 28), np.uint8) + np.arange(40, dtype=np.uint8)[:, None, None]
    np.savez("mnist.npz", x_train=images, y_train=np.arange(40) % 10)
    (tiny / "sets").mkdir()
    Path("mnist.npz").rename("sets/mnist.npz")
    (tiny / "sets" / "cats_dogs").mkdir()
    assert (
        run(
            "lesson",
            "all",
            "--run",
            "--data",
            "sets",
            "--folder",
            "out",
            "--table",
            "t.md",
            "--notebook",
            "nb",
        )
        == 0
    )
    said = capsys.readouterr().out
    assert "passed over: " in said
    assert "99.12 %" in said
    assert sorted(path.name for path in Path("out").iterdir()) == ["lesson-008", "lesson-009"]
    assert sorted(path.name for path in Path("nb").iterdir()) == [
        "lesson-008.ipynb",
        "lesson-009.ipynb",
    ]
    assert Path("t.md").read_text(encoding="utf-8").count("| a program | 99.12 % |") == 2


def test_a_notebook_without_a_run(here, capsys):
    assert run("lesson", "001", "--notebook") == 0
    written = nbformat.read("lesson-001.ipynb", as_version=4)
    nbformat.validate(written)
    assert not [cell for cell in written.cells if cell.get("outputs")]
    assert run("lesson", "001", "--notebook") == 2
    assert "exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["099"], 2, "a lesson must be one of 0"),
        (["--run"], 2, "--run needs the number of a lesson"),
        (["001", "--quick"], 2, "--quick needs --run or --notebook. It is about running a lesson"),
        (
            ["001", "--notebook", "--folder", "x"],
            2,
            "--folder needs --run. It is about running a lesson",
        ),
        (["001", "--table", "x.md"], 2, "--table needs --run. It is about running a lesson"),
        (
            ["001", "--run", "--quick", "--data", "mnist=x"],
            2,
            "--quick and --data exclude each other",
        ),
        (
            ["001", "--run", "--data", "mnist=nowhere"],
            3,
            "nowhere: there is no such file or folder",
        ),
        (
            ["001", "--run", "--data", "imagenet=."],
            2,
            "--data must be NAME=PATH with a NAME of mnist",
        ),
        (
            ["001", "--run", "--data", "nowhere"],
            3,
            "nowhere: --data must be NAME=PATH, or a folder",
        ),
        (["001", "--notebook", "x.txt"], 2, "--notebook must be a file NAME.ipynb"),
    ],
)
def test_mistakes_get_one_line(words, code, said, here, capsys):
    assert run("lesson", *words) == code
    out, err = capsys.readouterr()
    assert said in err
    assert "Traceback" not in out + err
    assert not (here / "runs").exists()
