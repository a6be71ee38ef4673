"""Every lesson: it is made as the others, has both languages, and runs on the embedded images."""

import ast
import re
import time

import nbformat
import pytest

from convlens.language_choice import using
from convlens.lessons.notebook import read_notebook, run_notebook
from convlens.screen import Screen
from tests.lessons.cells import DECKS, LESSONS, code_cells, headings, texts

NOT_YET_PUBLIC = set()
GONE = (
    "np_utils",
    "predict_classes",
    "ImageDataGenerator",
    "Convolution2D",
    "nb_epoch",
    "border_mode",
    "Adam(lr",
)
CHINESE, ENGLISH = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[A-Za-z]{3,} [A-Za-z]{2,}")


@pytest.mark.parametrize("number", LESSONS)
def test_both_languages_stand_side_by_side(number):
    for heading in headings(number):
        chinese, dot, english = heading.partition(" · ")
        assert dot, heading
        assert CHINESE.search(chinese), heading
        assert not CHINESE.search(english), heading
    for text in texts(number):
        rest = re.sub(r"^#+ .*$", "", text, flags=re.MULTILINE).strip()
        if rest:
            assert CHINESE.search(rest), rest[:80]
            assert ENGLISH.search(rest), rest[:80]


@pytest.mark.parametrize("number", LESSONS)
def test_no_paragraph_is_lost_in_one_language(number):
    kept = {}
    for language in ("zh", "en"):
        with using(language):
            notebook = read_notebook(LESSONS[number])
        read = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
        kept[language] = [len(re.split(r"\n\s*\n", text)) for text in read]
    assert kept["zh"] == kept["en"]  # an English paragraph with a Chinese character is lost


@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_is_made_as_the_others(number):
    written = code_cells(number)
    assert written[0].count(f'Lesson("{number}")') == 1
    assert "Lesson(" not in "".join(written[1:])
    assert written[-1] == "lesson.table()"
    assert headings(number)[0].startswith(number)
    for cell in written:
        imported = {
            line for line in cell.splitlines() if re.match(r"\s*(from|import) convlens", line)
        }
        deep = {
            line
            for line in imported
            if not re.match(r"import convlens$|from convlens import ", line)
        }
        assert deep <= NOT_YET_PUBLIC, "a cell takes public names only"
        assert "# fmt" not in cell
        ast.parse(cell)
        assert not [name for name in GONE if name in cell], cell
        lines = [line for line in cell.splitlines() if line.startswith("lesson.show(")]
        assert len(lines) <= 1, "a notebook shows the last line of a cell only"


@pytest.mark.slow
@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_runs_on_the_embedded_images(number, tmp_path, capsys):
    notebook = read_notebook(LESSONS[number], quick=True, folder=tmp_path / "out")
    began = time.process_time()
    lesson = run_notebook(notebook, Screen())
    assert time.process_time() - began < 90  # seconds of all processors: under a minute on two
    said = capsys.readouterr().out
    assert lesson.results
    for result in lesson.results:
        assert (result.stand_in is not None) == (number in DECKS)
        assert result.score.value > 1.5 / 10, result.program  # better than chance
    if number in DECKS:
        assert "in place of " in said
        assert "other images" in said
    assert lesson.plots
    for path in lesson.plots:
        assert f"plot  {path}" in said
        assert path.stat().st_size > 1000
    nbformat.validate(notebook)
    images = [
        out
        for cell in notebook.cells
        for out in cell.get("outputs", [])
        if "image/png" in out.get("data", {})
    ]
    assert len(images) == len(lesson.plots)
