"""Options of `convlens show`: the image, numbers, and the files that a page is written to."""

import subprocess
import sys
from fractions import Fraction

import pytest

from convlens.cli.show_options import read_one_or_more
from tests.cli.commands import show


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")


def test_every_cell_of_a_map_opens_in_the_html(capsys, tmp_path):
    show(capsys, "convolution", "--html", tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert page.count("<template") == 49
    assert 'data-cell="6,6" data-mark="6,9,6,9"' in page


def test_a_file_that_cannot_be_written(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = show(capsys, "softmax", "--png", tmp_path / "file" / "p.png")
    assert code == 9
    assert "cannot be written" in err


def test_one_number_stands_for_all_and_several_stay_apart():
    assert read_one_or_more("1/3", "--bias") == Fraction(1, 3)
    assert read_one_or_more("1/3", "--bias").shape == ()
    assert read_one_or_more("1 2", "--bias").tolist() == [1, 2]


def test_both_files_of_a_page_are_named(capsys, tmp_path):
    png = tmp_path / "new" / "page.png"
    html = tmp_path / "page.html"
    code, out, _ = show(capsys, "flatten", "--png", png, "--html", html)
    assert code == 0
    assert out.endswith(f"\nwritten  {png}\n\nwritten  {html}\n")
    assert "flattened" in html.read_text(encoding="utf-8")


def test_no_engine_is_loaded():
    words = "import sys; from convlens.cli import main; main(['show', 'softmax'])"
    names = ("keras", "tensorflow", "matplotlib")
    check = f"print([name for name in {names} if name in sys.modules])"
    script = f"import atexit, sys; atexit.register(lambda: {check})\n{words}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[0] == "Softmax"
    assert done.stdout.splitlines()[-1] == "[]"
