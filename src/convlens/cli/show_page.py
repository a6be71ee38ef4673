"""What the commands of `convlens show` share: options, and the page they print and write."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from convlens.cli.open_flags import check_suffix
from convlens.errors import StorageError

if TYPE_CHECKING:
    from convlens.explain.pages.page import Page


Text = Annotated[str, Parameter(allow_leading_hyphen=True)]
ImageText = Annotated[
    str,
    Parameter(
        allow_leading_hyphen=True,
        help="x9, seven, pool-001, pool-004, a CSV or small image file, or numbers: '1 2; 3 4', channels after |",
    ),
]


@Parameter(name="*")
@dataclass(frozen=True)
class Files:
    """Where the page is written besides the terminal."""

    png: Annotated[Path | None, Parameter(help="write it as an image")] = None
    html: Annotated[Path | None, Parameter(help="write it as a page; its maps open at a click")] = (
        None
    )


NONE = Files()


def publish(page: "Page", files: Files) -> None:
    """Print a page and write the files that were asked for."""
    from rich.console import Console

    from convlens.explain.pages.terminal import print_page

    check_suffix("--png", files.png)
    check_suffix("--html", files.html)
    print_page(page)
    for path, kind in ((files.png, "png"), (files.html, "html")):
        if path is None:
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "png":
                from convlens.explain.pages.drawing import draw_page

                draw_page(page).savefig(path, format="png", dpi=150)
            else:
                from convlens.explain.pages.html import write_html

                path.write_text(write_html(page), encoding="utf-8")
        except OSError as error:
            raise StorageError(f"{path}: cannot be written; {error.strerror or error}.") from error
        Console(highlight=False, soft_wrap=True).print(f"\nwritten  {path}", markup=False)
