"""A lesson's text as a notebook, and its cells run."""

import tomllib
from pathlib import Path

import nbformat
import pytest

from convlens.errors import ConfigError
from convlens.language_choice import using
from convlens.lessons.lesson import Lesson
from convlens.lessons.notebook import (
    IN_CLONE,
    SHIPPED,
    Source,
    read_notebook,
    run_notebook,
    write_notebook,
)
from convlens.screen import Screen

TINY = """# %% [markdown]
# # 009 小課 · A tiny lesson
#
# 一行字。
#
# A line.

# %%
import convlens

lesson = convlens.Lesson("009")
seen = []

# %% [markdown]
# ## 畫 · Draw

# %%
seen.append(1)
print("seen", len(seen))
lesson.show(convlens.plots.show_metrics({"loss": [2, 1]}), "loss")  # fmt: skip

# %%
lesson.quick, len(lesson.data("mnist"))
"""


@pytest.fixture
def tiny(tmp_path, monkeypatch) -> Source:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "009_tiny.py"
    path.write_text(TINY, encoding="utf-8")
    return Source("009", path)


def test_headings(tiny):
    assert tiny.headings == ["009 A tiny lesson", "Draw"]
    with using("zh"):
        assert tiny.headings == ["009 小課", "畫"]


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "# 009 A tiny lesson\n\nA line."), ("zh", "# 009 小課\n\n一行字。")],
)
def test_a_notebook_is_in_one_language_and_prints_in_it(tiny, language, text):
    with using(language):
        notebook = read_notebook(tiny)
    assert notebook.cells[0].source == text
    assert f'convlens.set_language("{language}")\n' in notebook.cells[1].source


def test_what_was_chosen_stands_in_the_first_cell(tiny):
    notebook = read_notebook(tiny, quick=True, data={"mnist": 'a "b"/圖'}, folder=Path("out"))
    assert (
        'Lesson("009", quick=True, data={"mnist": "a \\"b\\"/圖"}, folder="out")'
        in notebook.cells[1].source
    )
    assert 'Lesson("009")' in read_notebook(tiny).cells[1].source


def test_a_folder_whose_name_is_not_utf_8_is_kept(tiny, tmp_path):
    notebook = read_notebook(tiny, folder=Path("\udcf6"))
    assert r'folder="\udcf6"' in notebook.cells[1].source  # the escape that Python reads
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text="plot \udcf6")]
    write_notebook(notebook, tmp_path / "009.ipynb")
    assert nbformat.read(tmp_path / "009.ipynb", 4).cells[2].outputs[0].text == "plot \udcf6"


def test_marks_of_the_formatter_stay_at_home(tiny):
    assert read_notebook(tiny).cells[3].source.endswith(', "loss")')


def test_cells_run_in_order_and_keep_what_they_gave(tiny, capsys):
    notebook = read_notebook(tiny, quick=True)
    lesson = run_notebook(notebook, Screen())
    assert isinstance(lesson, Lesson)
    said = capsys.readouterr().out
    for words in (
        "[1/3] 009 A tiny lesson",
        "[2/3] Draw",
        "seen 1",
        "plot  runs/lesson-009/loss.png",
        "(True, 5000)",
    ):
        assert words in said
    drawn, value = notebook.cells[3].outputs, notebook.cells[4].outputs
    assert drawn[0].text == "seen 1\n"
    assert drawn[1].data["image/png"].startswith("iVBOR")
    assert value[-1].text.endswith("(True, 5000)\n")
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"] == [
        1,
        2,
        3,
    ]
    nbformat.validate(notebook)


def test_an_error_in_a_cell_shows_its_line(tiny):
    tiny.path.write_text(TINY + "\n# %%\nvalue = 1\nvalue / 0\n", encoding="utf-8")
    with pytest.raises(ZeroDivisionError) as caught:
        run_notebook(read_notebook(tiny, quick=True), Screen(quiet=True))
    assert "value / 0" in str(caught.getrepr())


def test_building_twice_gives_the_same_file(tiny, tmp_path):
    for name in ("a.ipynb", "b.ipynb"):
        write_notebook(read_notebook(tiny), tmp_path / name)
    assert (tmp_path / "a.ipynb").read_bytes() == (tmp_path / "b.ipynb").read_bytes()
    with pytest.raises(ConfigError, match="exists"):
        write_notebook(read_notebook(tiny), tmp_path / "a.ipynb")


def test_the_wheel_carries_the_lessons_where_they_are_looked_for():
    project = tomllib.loads((IN_CLONE.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert shipped["docs/lessons"] == "/".join(SHIPPED.parts[-3:])
