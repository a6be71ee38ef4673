"""Options of `convlens open`: what is opened, and what is written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from convlens.errors import ConfigError

__all__ = ["NO_FILES", "NO_LOOK", "Files", "Look", "check_options"]


@Parameter(name="*")
@dataclass(frozen=True)
class Look:
    """What is opened."""

    layer: Annotated[
        list[str] | None,
        Parameter(negative=(), help="a name of the list that is printed without it; for --html also several"),
    ] = None
    filter: Annotated[int | None, Parameter(help="of the layer: its map, channel or unit, counted from 0")] = None
    at: Annotated[str | None, Parameter(help="ROW,COL of the value to open [the largest of the map]")] = None
    gradient: Annotated[bool, Parameter(negative=(), help="how the loss changes with a weight of --filter")] = False
    weight: Annotated[
        str | None,
        Parameter(
            help="of --gradient: ROW,COL,CHANNEL of a kernel, INPUT of a dense layer, bias, gamma or beta [the one "
            "with the largest gradient]",
        ),
    ] = None
    true: Annotated[str | None, Parameter(help="class that --gradient takes for right [the predicted one]")] = None


@Parameter(name="*")
@dataclass(frozen=True)
class Files:
    """What is written."""

    png: Annotated[Path | None, Parameter(help="a picture of it [of maps: microscope/ in the run's folder]")] = None
    html: Annotated[Path | None, Parameter(help="a page that opens without a server: click a cell, see its sum")] = None
    worksheet: Annotated[Path | None, Parameter(help="a PDF of the cell with blanks, and its answer sheet")] = None
    language: Annotated[Literal["zh", "en"], Parameter(help="of the worksheet")] = "en"
    format: Annotated[Literal["table", "json"], Parameter(help="json has every number")] = "table"


NO_LOOK, NO_FILES = Look(), Files()


def check_options(look: Look, files: Files) -> None:
    """Raise ConfigError for options that do not go together."""
    count = len(look.layer or ())
    given = {
        "--filter": look.filter is not None, "--at": look.at is not None, "--gradient": look.gradient,
        "--worksheet": files.worksheet is not None,
    }  # fmt: skip
    for flag, yes in given.items():
        if yes and count != 1:
            raise ConfigError(f"{flag} needs one --layer; found {count}. Without any, all layers are listed.")
    if count > 1 and (files.html is None or files.png is not None):
        raise ConfigError("several --layer are for --html; open them one by one otherwise.")
    for flag, value in (("--weight", look.weight), ("--true", look.true)):
        if value is not None and not look.gradient:
            raise ConfigError(f"{flag} is for --gradient: add it.")
    if look.gradient and (look.at is not None or files.worksheet is not None):
        raise ConfigError("a gradient sums over all positions: leave --at and --worksheet out.")
    if files.html is not None and (look.gradient or look.filter is not None) and files.worksheet is None:
        raise ConfigError("the page has all maps of its layers to click on: leave --filter and --gradient out.")
