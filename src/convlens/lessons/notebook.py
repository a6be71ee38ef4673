"""Notebook: a lesson as a notebook, whose cells are run one after the other in this process."""

import ast
import base64
import io
import json
import linecache
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import jupytext
import nbformat
from nbformat import NotebookNode, v4

from convlens.errors import ConfigError
from convlens.files import write_atomically
from convlens.language import _
from convlens.language_choice import language
from convlens.lessons.lesson import Lesson
from convlens.screen import Screen
from convlens.text import printable

SHIPPED = Path(__file__).parent / "sources"  # in a wheel
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SHARED = ("|", "$$", "```", "![")  # how a table, a formula, code and an image begin
IN_CLONE = Path(__file__).parents[3] / "docs" / "lessons"


@dataclass(frozen=True)
class Source:
    """The file of a lesson, `002_....py`, in jupytext's percent format."""

    number: str
    path: Path

    @property
    def headings(self) -> list[str]:
        """The title of the lesson and the headings of its sections, in the chosen language."""
        text = self.path.read_text(encoding="utf-8")
        return [heading_in_one_language(found) for found in re.findall(r"^# #+ (.+)$", text, re.M)]


def in_one_language(text: str) -> str:
    r"""Return the part of a text of a lesson that is in the chosen language.

    A paragraph with a Chinese character is Chinese. Headings, tables, formulas and code are in both
    languages, or in none.

    >>> from convlens.language_choice import using
    >>> with using("en"):
    ...     in_one_language("## 池化 · Pooling\n\n取最大值。\n\nIt takes the largest value.")
    '## Pooling\n\nIt takes the largest value.'
    """
    kept = []
    for paragraph in re.split(r"\n\s*\n", text):
        spoken = "zh" if CHINESE.search(paragraph) else "en"
        if paragraph.startswith("#"):
            kept.append(heading_in_one_language(paragraph))
        elif spoken == language() or paragraph.startswith(SHARED):
            kept.append(paragraph)
    return "\n\n".join(kept)


def heading_in_one_language(heading: str) -> str:
    """Return a heading `中文 · English` in the chosen language, with its signs and its number.

    >>> from convlens.language_choice import using
    >>> with using("zh"):
    ...     heading_in_one_language("# 001 手寫數字 · Handwritten digits")
    '# 001 手寫數字'
    >>> with using("en"):
    ...     heading_in_one_language("## 9×9 的 X · The X of 9×9")
    '## The X of 9×9'
    """
    chinese, between, english = heading.partition(" · ")
    if not between or language() == "zh":
        return chinese
    return re.match(r"(#+ )?(\d{3} )?", chinese)[0] + english  # type: ignore[index]


def find_lessons() -> dict[str, Source]:
    """Return the lessons by number, from the installed package, or from docs/lessons in a clone."""
    folder = SHIPPED if SHIPPED.is_dir() else IN_CLONE
    return {
        path.name[:3]: Source(path.name[:3], path)
        for path in sorted(folder.glob("[0-9][0-9][0-9]_*.py"))
    }


def read_notebook(
    source: Source,
    *,
    quick: bool = False,
    data: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> NotebookNode:
    """Return a lesson as a notebook in the chosen language.

    The options are written into its first code cell, so that Jupyter runs the same lesson.

    Args:
        source: The file of the lesson, from `find_lessons`.
        quick: An option of `Lesson`.
        data: An option of `Lesson`.
        folder: An option of `Lesson`.
    """
    notebook = jupytext.read(source.path, fmt="py:percent")
    notebook.metadata = NotebookNode(
        kernelspec=NotebookNode(display_name="Python 3", language="python", name="python3"),
        language_info=NotebookNode(name="python"),
    )
    chosen = [json.dumps(source.number)]
    if quick:
        chosen.append("quick=True")
    if data:
        chosen.append("data=" + printable(json.dumps(dict(data), ensure_ascii=False)))
    if folder is not None:
        chosen.append("folder=" + printable(json.dumps(str(folder), ensure_ascii=False)))
    plain = 'lesson = convlens.Lesson("{number}")'.format(number=source.number)
    called = 'convlens.set_language("{language}")\nlesson = convlens.Lesson({arguments})'.format(
        language=language(), arguments=", ".join(chosen)
    )
    for index, cell in enumerate(notebook.cells):
        cell.id = "cell-{index}".format(index=index)  # the same whenever it is built
        if cell.cell_type == "code":
            cell.source = cell.source.replace(plain, called)
            # These comments are for the formatter, not for readers.
            cell.source = re.sub(r" *# fmt: \w+$", "", cell.source, flags=re.MULTILINE)
        else:
            cell.source = in_one_language(cell.source)
    return notebook


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write an .ipynb file.

    Raises:
        ConfigError: If the file exists.
        StorageError: If the file cannot be written.
    """
    refuse_existing(path)
    write_atomically(path, nbformat.writes(notebook) + "\n", _("the notebook"))


def refuse_existing(path: Path) -> None:
    """Raise ConfigError if a notebook would overwrite a file."""
    if path.exists():
        raise ConfigError(
            _("{path}: this file exists; give --notebook another one, or move it away.").format(
                path=path
            )
        )


def run_notebook(notebook: NotebookNode, screen: Screen) -> Lesson:
    """Run the cells in order, store their outputs in the notebook, and return the lesson.

    A cell uses the variables of earlier cells, as in Jupyter. Its output is printed at once, too.
    An error in a cell is raised as it is.

    Args:
        notebook: The notebook, from `read_notebook`. Its first code cell makes the lesson.
        screen: Where the progress is shown.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    cells = list(_with_headings(notebook))
    shown = 0
    for number, (heading, cell) in enumerate(cells, start=1):
        screen.say(
            "[{number}/{count}] {heading}".format(number=number, count=len(cells), heading=heading),
            "bold",
        )
        began = time.perf_counter()
        cell.outputs = _run_cell(cell.source, number, namespace)
        cell.execution_count = number
        for path in namespace["lesson"].plots[shown:]:
            screen.say(_("plot  {path}").format(path=path))
        shown = len(namespace["lesson"].plots)
        screen.say("{seconds:.1f} s\n".format(seconds=time.perf_counter() - began), "dim")
    lesson = namespace["lesson"]
    assert isinstance(lesson, Lesson)
    return lesson


def _with_headings(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """Yield every code cell with the heading that stands above it."""
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            yield heading, cell
        elif found := re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE):
            heading = found[-1]


def _run_cell(source: str, number: int, namespace: dict[str, Any]) -> list[NotebookNode]:
    """Run a cell and return its outputs: what it printed, and the value of its last line.

    Args:
        source: The code of the cell.
        number: The number of the cell, for tracebacks.
        namespace: The variables of the notebook.
    """
    name = "<cell {number}>".format(number=number)
    # A traceback reads the lines here.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = _Tee(sys.stdout)
    value: Any = None
    with redirect_stdout(printed):
        exec(compile(tree, name, "exec"), namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)
            if value is not None and not hasattr(value, "_repr_png_"):
                print(repr(value))  # noqa: T201 - Jupyter does so too
    outputs = []
    if text := printed.kept.getvalue():
        outputs.append(v4.new_output("stream", name="stdout", text=text))
    if value is not None and hasattr(value, "_repr_png_"):
        image = base64.b64encode(value._repr_png_()).decode()
        bundle = {"image/png": image, "text/plain": repr(value)}
        outputs.append(v4.new_output("display_data", data=bundle))
    return outputs


class _Tee(io.TextIOBase):
    """Writes to a stream and keeps a copy. It is not a terminal, so bars are left out."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.kept = io.StringIO()

    def write(self, text: str) -> int:
        self.kept.write(text)
        return self.stream.write(text)

    def flush(self) -> None:
        self.stream.flush()
