"""Options of `convlens open`: what is opened, and what is written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from convlens.conflicts import refuse_conflicts
from convlens.errors import ConfigError

SUFFIXES = {"--png": (".png",), "--html": (".html", ".htm"), "--worksheet": (".pdf",)}


@Parameter(name="*")
@dataclass(frozen=True)
class Look:
    """What is opened."""

    layer: Annotated[
        list[str] | None,
        Parameter(
            negative=(),
            help="a name of the list that is printed without it; for --html given several times",
        ),
    ] = None
    filter: Annotated[
        str | None,
        Parameter(
            allow_leading_hyphen=True,
            help="of the layer: its filter, channel or unit, counted from 0; of the last layers also a class name",
        ),
    ] = None
    at: Annotated[
        str | None,
        Parameter(
            allow_leading_hyphen=True, help="ROW,COL of the value to open [the largest of the map]"
        ),
    ] = None
    gradient: Annotated[
        bool, Parameter(negative=(), help="how the loss changes with a weight of --filter")
    ] = False
    weight: Annotated[
        str | None,
        Parameter(
            allow_leading_hyphen=True,
            help="of --gradient: ROW,COL,CHANNEL of a kernel, INPUT of a dense layer, bias, gamma or beta [the one "
            "with the largest gradient]",
        ),
    ] = None
    true: Annotated[
        str | None, Parameter(help="class that --gradient takes for right [the predicted one]")
    ] = None


@Parameter(name="*")
@dataclass(frozen=True)
class Files:
    """What is written."""

    png: Annotated[
        Path | None, Parameter(help="an image of it [of maps: microscope/ in the run's folder]")
    ] = None
    html: Annotated[
        Path | None, Parameter(help="a page that opens without a server: click a cell, see its sum")
    ] = None
    worksheet: Annotated[
        Path | None, Parameter(help="a PDF of the cell with blanks, and its answer sheet")
    ] = None
    language: Annotated[
        Literal["zh", "en"] | None, Parameter(help="of --worksheet and --html [en]")
    ] = None
    format: Annotated[Literal["table", "json"], Parameter(help="json has every number")] = "table"


NO_LOOK, NO_FILES = Look(), Files()


def check_options(look: Look, files: Files) -> None:
    """Raise ConfigError for options that do not go together, and for files that are named as another kind."""
    for flag, path in (
        ("--png", files.png),
        ("--html", files.html),
        ("--worksheet", files.worksheet),
    ):
        check_suffix(flag, path)
    refuse_conflicts("open", vars(look) | vars(files))
    count = len(look.layer or ())
    given = {
        "--filter": look.filter is not None, "--at": look.at is not None, "--gradient": look.gradient,
        "--worksheet": files.worksheet is not None,
    }  # fmt: skip
    for flag, yes in given.items():
        if yes and count != 1:
            raise ConfigError(
                f"{flag} needs one --layer; found {count}. Without any, all layers are listed."
            )
    if count > 1 and (files.html is None or files.png is not None):
        raise ConfigError("several --layer are for --html; open them one by one otherwise.")


def check_suffix(flag: str, path: Path | None) -> None:
    """Raise ConfigError where a file that is to be written has the name of another kind."""
    if path is not None and path.suffix.lower() not in SUFFIXES[flag]:
        raise ConfigError(
            f"{flag} writes a file that ends in {' or '.join(SUFFIXES[flag])}; found {path}."
        )
