"""Options that the commands of `convlens show` share, and the page that each prints and writes."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from convlens.cli.output import check_suffix, write_figure, write_file
from convlens.explain.arithmetic.exact import Numbers
from convlens.explain.arithmetic.reading import read_numbers

if TYPE_CHECKING:
    from convlens.explain.pages.page import Page


Text = Annotated[str, Parameter(allow_leading_hyphen=True)]
ImageText = Annotated[
    str,
    Parameter(
        name=("--image", "--picture"),
        allow_leading_hyphen=True,
        help="x9, seven, pool-001 or pool-004, a CSV or small image file, or numbers such as "
        "'1 2; 3 4' with | between channels",
    ),
]


@Parameter(name="*")
@dataclass(frozen=True)
class Files:
    """The files that a page is written to, besides the terminal."""

    png: Annotated[Path | None, Parameter(help="write the page as a figure")] = None
    html: Annotated[
        Path | None,
        Parameter(help="write the page as HTML; a click on a cell of a map opens its sum"),
    ] = None


NONE = Files()


def read_one_or_more(text: str, flag: str) -> Numbers:
    """Return the numbers of a text as an array (n,), or () for a single number.

    Raises:
        ConfigError: If the text holds no number, or a word that is not a number.
    """
    numbers = read_numbers(text, flag)
    return numbers if len(numbers) > 1 else numbers.reshape(())


def publish(page: "Page", files: Files) -> None:
    """Print a page and write the files that were asked for.

    Raises:
        ConfigError: If the name of a file has the wrong suffix.
        StorageError: If a file cannot be written.
    """
    from convlens.explain.pages.terminal import print_page

    check_suffix("--png", files.png)
    check_suffix("--html", files.html)
    print_page(page)
    if files.png is not None:
        from convlens.explain.pages.drawing import draw_page

        write_figure(files.png, draw_page(page), dpi=150)
    if files.html is not None:
        from convlens.explain.pages.html import render_html

        write_file(files.html, render_html(page), "the page")
