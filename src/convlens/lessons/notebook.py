"""Notebook: a lesson's text becomes a notebook, and its cells are run one after the other in this process."""

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

from convlens.errors import ConfigError, StorageError
from convlens.lessons.lesson import Lesson
from convlens.screen import Screen

SHIPPED = Path(__file__).parent / "sources"  # in a wheel
IN_CLONE = Path(__file__).parents[3] / "docs" / "lessons"


@dataclass(frozen=True)
class Source:
    """A lesson as it lies on the disk: `002_....py` in jupytext's percent format."""

    number: str
    path: Path

    @property
    def headings(self) -> list[str]:
        """The title and the headings of its sections, in both languages."""
        return re.findall(r"^# #+ (.+)$", self.path.read_text(encoding="utf-8"), re.MULTILINE)


def find_lessons() -> dict[str, Source]:
    """Return the lessons by number: those of the installed package, in a clone those of docs/lessons."""
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
    """Return a lesson as a notebook; what is chosen stands in its first code cell, so that Jupyter runs the same.

    Args:
        source: from `find_lessons`.
        quick: see `Lesson`.
        data: see `Lesson`.
        folder: see `Lesson`.
    """
    notebook = jupytext.read(source.path, fmt="py:percent")
    notebook.metadata = NotebookNode(
        kernelspec=NotebookNode(display_name="Python 3", language="python", name="python3"),
        language_info=NotebookNode(name="python"),
    )
    chosen = [json.dumps(source.number), *(["quick=True"] if quick else [])]
    if data:
        chosen.append(f"data={json.dumps(dict(data), ensure_ascii=False)}")
    if folder is not None:
        chosen.append(f"folder={json.dumps(str(folder), ensure_ascii=False)}")
    for index, cell in enumerate(notebook.cells):
        cell.id = f"cell-{index}"  # the same at every build
        if cell.cell_type == "code":
            cell.source = cell.source.replace(
                f'Lesson("{source.number}")', f"Lesson({', '.join(chosen)})"
            )
            cell.source = re.sub(
                r" *# fmt: \w+$", "", cell.source, flags=re.MULTILINE
            )  # it is ruff's, not a reader's
    return notebook


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write an .ipynb file. Raises ConfigError where a file of this name exists, StorageError for a full disk."""
    if path.exists():
        raise ConfigError(
            f"{path}: a file of this name exists; take another one for --notebook, or move it away."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
    except OSError as error:
        raise StorageError(
            f"{path}: the notebook cannot be written; {error.strerror or error}."
        ) from error


def run_notebook(notebook: NotebookNode, screen: Screen) -> Lesson:
    """Run the cells in order and put into each what it printed and showed; return the lesson that they made.

    A cell sees what earlier ones left, as in Jupyter. What it prints is seen at once, too. An error in a cell is
    raised as it is.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, (heading, cell) in enumerate(_with_headings(notebook), start=1):
        screen.say(f"[{number}/{len(code)}] {heading}", "bold")
        began = time.perf_counter()
        plots = len(namespace["lesson"].plots) if "lesson" in namespace else 0
        cell.outputs, cell.execution_count = _run_cell(cell.source, number, namespace), number
        for path in namespace["lesson"].plots[plots:]:
            screen.say(f"plot  {path}")
        screen.say(f"{time.perf_counter() - began:.1f} s\n", "dim")
    lesson = namespace["lesson"]
    assert isinstance(lesson, Lesson)
    return lesson


def _with_headings(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """Yield every code cell with the heading it stands under."""
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            yield heading, cell
        elif found := re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE):
            heading = found[-1]


def _run_cell(source: str, number: int, namespace: dict[str, Any]) -> list[NotebookNode]:
    """Run a cell; return its outputs: what it printed, and the value of its last line, as Jupyter shows it."""
    name = f"<cell {number}>"
    linecache.cache[name] = (
        len(source),
        None,
        source.splitlines(keepends=True),
        name,
    )  # for a traceback
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = _Tee(sys.stdout)
    value: Any = None
    with redirect_stdout(printed):
        exec(compile(tree, name, "exec"), namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)
            if value is not None and not hasattr(value, "_repr_png_"):
                print(repr(value))  # noqa: T201 - as Jupyter does
    outputs = (
        [v4.new_output("stream", name="stdout", text=text)]
        if (text := printed.kept.getvalue())
        else []
    )
    if value is not None and hasattr(value, "_repr_png_"):
        image = base64.b64encode(value._repr_png_()).decode()
        bundle = {"image/png": image, "text/plain": repr(value)}
        outputs.append(v4.new_output("display_data", data=bundle))
    return outputs


class _Tee(io.TextIOBase):
    """Writes to a stream and keeps a copy; no terminal, so that bars are left out."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.kept = stream, io.StringIO()

    def write(self, text: str) -> int:
        self.kept.write(text)
        return self.stream.write(text)

    def flush(self) -> None:
        self.stream.flush()
