"""Output: the JSON that commands print, and the files that they write."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from convlens.errors import ConfigError
from convlens.files import write_atomically
from convlens.language import _
from convlens.screen import Screen
from convlens.setting import either
from convlens.text import printable

if TYPE_CHECKING:
    from convlens.charts.style import Chart

SUFFIXES = {"--png": (".png",), "--html": (".html", ".htm"), "--worksheet": (".pdf",)}


def check_suffix(flag: str, path: Path | None) -> None:
    """Raise ConfigError if the name of a file to be written does not have a suffix of the flag."""
    if path is not None and path.suffix.lower() not in SUFFIXES[flag]:
        raise ConfigError(
            _("{flag} writes a file that ends in {suffixes}; found {path}.").format(
                flag=flag, suffixes=either(SUFFIXES[flag]), path=path
            )
        )


def refuse_folder(flag: str, path: Path | None, name: str) -> None:
    """Raise ConfigError if a folder is named where a file is to be written.

    Args:
        flag: The flag that names it.
        path: What it names, or None if it is not given.
        name: What a file in that folder may be called, for the message.
    """
    if path is not None and path.is_dir():
        raise ConfigError(
            _("{path}: this is a folder; give {flag} a file, as {file}.").format(
                path=path, flag=flag, file=path / name
            )
        )


def print_json(content: Any, indent: int | None = None) -> None:
    """Print an object as JSON, in one line unless an indent is given."""
    is_utf8 = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    text = json.dumps(content, ensure_ascii=not is_utf8, indent=indent)
    print(printable(text))  # noqa: T201


def write_file(
    path: Path, content: str | Callable[[Path], object], what: str, *, quiet: bool = False
) -> None:
    """Write a file and say so.

    Args:
        path: The file.
        content: Its text, or a function that writes the file whose path it is given.
        what: What the file is, for the message if it cannot be written: "the figure".
        quiet: Whether the standard output belongs to JSON. The note then goes to the standard
            error.

    Raises:
        StorageError: If the file cannot be written.
    """
    write_atomically(path, content, what)
    screen = Screen(console=Console(emoji=False, highlight=False, soft_wrap=True, stderr=quiet))
    screen.say()
    screen.facts([(_("written"), str(path))])


def write_figure(path: Path, figure: "Chart", *, dpi: int, quiet: bool = False) -> None:
    """Write a figure as PNG and say so; see `write_file`."""
    write_file(
        path,
        lambda file: figure.savefig(file, format="png", dpi=dpi),
        _("the figure"),
        quiet=quiet,
    )
