"""Flags of `convlens open`: what is opened, and what is written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from convlens.cli.output import check_suffix
from convlens.conflicts import refuse_conflicts
from convlens.errors import ConfigError


@Parameter(name="*")
@dataclass(frozen=True)
class Look:
    """What is opened."""

    layer: Annotated[
        list[str] | None,
        Parameter(
            negative=(),
            help="name of a layer, from the list that is printed without this flag; may be "
            "repeated with --html",
        ),
    ] = None
    filter: Annotated[
        str | None,
        Parameter(
            allow_leading_hyphen=True,
            help="filter, channel or unit of the layer, counted from 0; for the last layers also "
            "the name of a class",
        ),
    ] = None
    at: Annotated[
        str | None,
        Parameter(
            allow_leading_hyphen=True,
            help="ROW,COL of the value to open [the largest of the map]",
        ),
    ] = None
    gradient: Annotated[
        bool,
        Parameter(negative=(), help="show how the loss changes with a weight of --filter"),
    ] = False
    weight: Annotated[
        str | None,
        Parameter(
            allow_leading_hyphen=True,
            help="the weight for --gradient: ROW,COL,CHANNEL of a kernel, INPUT of a dense layer, "
            "bias, gamma or beta [the one with the largest gradient]",
        ),
    ] = None
    true: Annotated[
        str | None,
        Parameter(help="the true class for --gradient [the predicted class]"),
    ] = None


@Parameter(name="*")
@dataclass(frozen=True)
class Files:
    """What is written."""

    png: Annotated[
        Path | None,
        Parameter(help="write a figure [for maps: microscope/ in the folder of the run]"),
    ] = None
    html: Annotated[
        Path | None,
        Parameter(help="write a page that needs no server: a click on a cell shows its sum"),
    ] = None
    worksheet: Annotated[
        Path | None,
        Parameter(help="write a PDF of the value with blanks to fill in, and its answers"),
    ] = None
    language: Annotated[
        Literal["zh", "en"] | None, Parameter(help="language of --worksheet and --html [en]")
    ] = None
    format: Annotated[
        Literal["table", "json"], Parameter(help="how to print; json has every number")
    ] = "table"


NO_LOOK = Look()
NO_FILES = Files()


def check_options(look: Look, files: Files) -> None:
    """Check that the options go together, and that the files have the right suffixes.

    Raises:
        ConfigError: If they do not.
    """
    check_suffix("--png", files.png)
    check_suffix("--html", files.html)
    check_suffix("--worksheet", files.worksheet)
    refuse_conflicts("open", vars(look) | vars(files))
    count = len(look.layer or ())
    of_one_layer = {
        "--filter": look.filter is not None,
        "--at": look.at is not None,
        "--gradient": look.gradient,
        "--worksheet": files.worksheet is not None,
    }
    for flag, given in of_one_layer.items():
        if given and count != 1:
            raise ConfigError(
                "{flag} needs one --layer; found {count}. Without --layer, all layers are "
                "listed.".format(flag=flag, count=count)
            )
    if count > 1 and (files.html is None or files.png is not None):
        raise ConfigError("several --layer are for --html; open them one by one otherwise.")
