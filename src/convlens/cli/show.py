"""`convlens show`: the arithmetic of a layer, a loss or a small network, with every number.

The commands lie in `show_layers` and `show_maps`, which are imported when one of them is used. Each
computes its example, lays it out as a page, prints the page, and writes it as PNG and HTML if asked
to.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from convlens.cli.output import check_suffix, write_figure, write_file
from convlens.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable

    from convlens.explain.arithmetic.exact import Numbers
    from convlens.explain.pages.page import Page

COMMANDS = {  # from each module to its commands with their help
    "show_maps": {
        "convolution": N_(
            "Show image ∗ filter = map; a filter with several channels sums over them."
        ),
        "pooling": N_("Show how each window of an image becomes one number."),
        "recognition": N_("Show lecture 004's path from an image to a few numbers.")
        + "\n\n"
        + N_("Three filters, ReLU, max pooling twice, and flatten."),
        "join": N_("Add maps, as ResNet does, or concatenate them, as Inception and DenseNet do."),
        "flatten": N_("Show all numbers of an image in one row."),
    },
    "show_layers": {
        "activation": N_("Show what an activation makes of numbers, with its slope and its curve."),
        "softmax": N_("Show how the softmax turns logits into shares of 1."),
        "loss": N_("Show how far predicted values are from their targets, term by term."),
        "dense": N_("Show the products of inputs and weights, and their sum for each unit."),
        "dropout": N_("Show what dropout drops in training, and how it scales the rest."),
        "batchnorm": N_("Show how each channel is normalised to mean 0 and standard deviation 1."),
        "sizes": N_(
            "Show the size, the parameters and the receptive field of each layer, by formula."
        ),
        "network": N_(
            "Show lecture 003's network by hand: forward pass, error, chain rule, update, more "
            "steps."
        ),
    },
}

show = App(
    name="show",
    help=N_("Show every number in the arithmetic of a layer, a loss or a small network."),
    help_format="plaintext",
)

for _module, _commands in COMMANDS.items():
    for _name, _help in _commands.items():
        _function = "convlens.cli.{module}:{name}".format(module=_module, name=_name)
        show.command(_function, name=_name, help=_help)

Text = Annotated[str, Parameter(allow_leading_hyphen=True)]
IMAGE_FORMS = N_(
    "x9, seven, pool-001 or pool-004, a CSV or small image file, or numbers such as "
    "'1 2; 3 4' with | between channels"
)
ImageText = Annotated[
    str,
    Parameter(
        name=("--image", "--picture"),
        allow_leading_hyphen=True,
        help=IMAGE_FORMS,
    ),
]


@Parameter(name="*")
@dataclass(frozen=True)
class Files:
    """The files that a page is written to, besides the terminal."""

    png: Annotated[Path | None, Parameter(help=N_("write the page as a figure"))] = None
    html: Annotated[
        Path | None,
        Parameter(help=N_("write the page as HTML; a click on a cell of a map opens its sum")),
    ] = None


NONE = Files()


def read_one_or_more(text: str, flag: str) -> "Numbers":
    """Return the numbers of a text as an array (n,), or () for a single number.

    Raises:
        ConfigError: If the text holds no number, or a word that is not a number.
    """
    from convlens.explain.arithmetic.reading import read_numbers

    numbers = read_numbers(text, flag)
    return numbers if len(numbers) > 1 else numbers.reshape(())


def publish(build: "Callable[[], Page]", files: Files) -> None:
    """Print a page and write the files that were asked for.

    Args:
        build: Returns the page in the chosen language.
        files: The files.

    Raises:
        ConfigError: If the name of a file has the wrong suffix.
        StorageError: If a file cannot be written.
    """
    from convlens.explain.pages.terminal import print_page

    check_suffix("--png", files.png)
    check_suffix("--html", files.html)
    page = build()
    print_page(page)
    if files.png is not None:
        from convlens.explain.pages.drawing import draw_page

        write_figure(files.png, draw_page(page), dpi=150)
    if files.html is not None:
        from convlens.explain.pages.html import render_html

        write_file(files.html, render_html(build), _("the page"))
