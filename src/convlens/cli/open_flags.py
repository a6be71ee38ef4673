"""The flags of `convlens open`: which value or gradient they name, and what is written."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from convlens.cli.flags import read_whole_numbers
from convlens.cli.output import check_suffix
from convlens.conflicts import refuse_conflicts
from convlens.errors import ConfigError
from convlens.files import and_more
from convlens.language import N_, _

if TYPE_CHECKING:
    from convlens.explain.microscope.layer import Layer
    from convlens.explain.microscope.weights import Place

FORMS = {3: "ROW,COL", 2: "ROW"}  # of --at, by the axes of the output of a layer


@Parameter(name="*")
@dataclass(frozen=True)
class Look:
    """What is opened."""

    layer: Annotated[
        list[str] | None,
        Parameter(
            negative=(),
            help=N_(
                "name of a layer, from the list that is printed without this flag; may be "
                "repeated with --html"
            ),
        ),
    ] = None
    filter: Annotated[
        str | None,
        Parameter(
            allow_leading_hyphen=True,
            help=N_(
                "filter, channel or unit of the layer, counted from 0; for the last layers also "
                "the name of a class"
            ),
        ),
    ] = None
    at: Annotated[
        str | None,
        Parameter(
            allow_leading_hyphen=True,
            help=N_("ROW,COL of the value to open [the largest of the map in absolute value]"),
        ),
    ] = None
    gradient: Annotated[
        bool,
        Parameter(negative=(), help=N_("show how the loss changes with a weight of --filter")),
    ] = False
    weight: Annotated[
        str | None,
        Parameter(
            allow_leading_hyphen=True,
            help=N_(
                "the weight for --gradient: ROW,COL,CHANNEL of a kernel, INPUT of a dense layer, "
                "bias, gamma or beta [the one with the largest gradient]"
            ),
        ),
    ] = None
    true: Annotated[
        str | None,
        Parameter(help=N_("the true class for --gradient [the predicted class]")),
    ] = None
    over_time: Annotated[
        bool,
        Parameter(
            negative=(), help=N_("show it at each state that the training kept (--snapshots)")
        ),
    ] = False


@Parameter(name="*")
@dataclass(frozen=True)
class Files:
    """What is written."""

    png: Annotated[
        Path | None,
        Parameter(help=N_("write a figure [for maps: microscope/ in the folder of the run]")),
    ] = None
    html: Annotated[
        Path | None,
        Parameter(help=N_("write a page that needs no server: a click on a cell shows its sum")),
    ] = None
    worksheet: Annotated[
        Path | None,
        Parameter(help=N_("write a PDF of the value with blanks to fill in, and its answers")),
    ] = None
    format: Annotated[
        Literal["table", "json"], Parameter(help=N_("how to print; json has every number"))
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
                _(
                    "{flag} needs one --layer; found {count}. Without --layer, all layers are "
                    "listed."
                ).format(flag=flag, count=count)
            )
    if count > 1 and (files.html is None or files.png is not None):
        raise ConfigError(_("several --layer are for --html; open them one by one otherwise."))


def find_index(look: Look, layer: "Layer") -> tuple[int, ...]:
    """Return the index of the value to open: the one at `--at`, or else the largest.

    The largest is that of the map in absolute value.

    Raises:
        ConfigError: If the layer has no such filter, or `--at` is not in the form that the layer
            needs.
    """
    import numpy as np

    unit = layer.check_unit(find_unit(look, layer))
    if look.at is None:
        values = np.abs(layer.output[..., unit])
        return (*map(int, np.unravel_index(int(values.argmax()), values.shape)), unit)
    form = FORMS.get(len(layer.shape))
    if form is None:
        raise ConfigError(
            _(
                "{layer} gives a row of numbers, not maps: leave --at out, --filter says which "
                "number."
            ).format(layer=layer.name)
        )
    place = read_whole_numbers(
        look.at,
        N_(
            "--at of {layer}, which gives {shape}, must be {form} in whole numbers; found {text!r}."
        ),
        counts=(len(layer.shape) - 1,),
        layer=layer.name,
        shape=" x ".join(map(str, layer.shape)),
        form=form,
    )
    return (*place, unit)


def find_unit(look: Look, layer: "Layer") -> int | None:
    """Return the number that `--filter` gives, or that of the class it names.

    Raises:
        ConfigError: If `--filter` is neither a number nor a class of the layer.
    """
    if look.filter is None:
        return None
    if look.filter.lstrip("-").isdecimal():
        return int(look.filter)
    if look.filter in layer.class_names:
        return layer.class_names.index(look.filter)
    from convlens.explain.microscope.layer import NAMES

    rule = _("--filter of {layer} must be a number; found {text!r}.")
    if layer.class_names:
        rule = _("--filter of {layer} must be a number or a class: {classes}; found {text!r}.")
    raise ConfigError(
        rule.format(layer=layer.name, classes=and_more(layer.class_names, NAMES), text=look.filter)
    )


def find_place(look: Look) -> "Place | None":
    """Return the weight that `--weight` names, for `differentiate`; None if it is not given.

    Raises:
        ConfigError: If `--weight` is neither a name nor whole numbers.
    """
    if look.weight in (None, "bias", "gamma", "beta"):
        return look.weight
    return read_whole_numbers(
        look.weight or "",
        N_(
            "--weight must be bias, gamma, beta, or ROW,COL,CHANNEL in whole numbers; "
            "found {text!r}."
        ),
    )
