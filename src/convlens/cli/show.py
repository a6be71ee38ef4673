"""`convlens show`: the arithmetic of layers, losses and a small network, in the terminal, as PNG and as HTML."""

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from convlens.cli import show_layers
from convlens.cli.show_page import NONE, Files, ImageText, Text, publish
from convlens.errors import ConfigError

if TYPE_CHECKING:
    from convlens.explain.arithmetic.exact import Numbers


show = App(
    name="show",
    help="Open the arithmetic of a layer, a loss or a small network, each number.",
    help_format="plaintext",
)

At = Annotated[
    str | None,
    Parameter(
        allow_leading_hyphen=True, help="ROW,COL of a cell of the map to open, counted from 0"
    ),
]
Strides = Annotated[
    str | None,
    Parameter(
        allow_leading_hyphen=True, help="cells from window to window: 2, or 2,1 for down and right"
    ),
]


def _pair(text: str | None, what: str) -> tuple[int, int] | None:
    """Return two whole numbers of '2,1' or '2'; None stays."""
    if text is None:
        return None
    words = text.replace(",", " ").split()
    try:
        numbers = [int(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) == 1 and what != "--at":
        numbers *= 2
    if len(numbers) != 2:
        form = "ROW,COL, as 0,3" if what == "--at" else "a whole number or two, as 2 or 2,1"
        raise ConfigError(f"{what} must be {form}; found {text!r}.")
    return numbers[0], numbers[1]


@show.command
def convolution(  # noqa: PLR0913 - options of the command
    *,
    image: ImageText = "x9",
    filters: Annotated[
        list[str] | None,
        Parameter(
            name="--filter",
            negative=(),
            allow_leading_hyphen=True,
            help="left-diagonal, cross, right-diagonal, plus, identity, blur, sharpen, edges, sobel-x, sobel-y, "
            "or as --picture; may be given again [left-diagonal]",
        ),
    ] = None,
    padding: Annotated[
        Literal["valid", "same"], Parameter(help="same adds a border of zeros")
    ] = "valid",
    strides: Strides = None,
    mean: Annotated[
        bool, Parameter(negative=(), help="the mean of the products, as deck 004, not their sum")
    ] = False,
    bias: Annotated[
        str, Parameter(allow_leading_hyphen=True, help="one number, or one a filter")
    ] = "0",
    groups: Annotated[int, Parameter(help="of channels; as many as channels is depthwise")] = 1,
    at: At = None,
    files: Files = NONE,
) -> None:
    """Image ∗ filter = map; a filter of several channels is summed over them."""
    from convlens.explain.arithmetic.convolution import convolve
    from convlens.explain.arithmetic.exact import read_numbers
    from convlens.explain.arithmetic.named import get_image
    from convlens.explain.pages.map_views import convolution_page

    names = filters or ["left-diagonal"]
    values = get_image(image)
    kernel = _kernel(names, values.shape[2], groups)
    biases = read_numbers(bias, "--bias")
    done = convolve(
        values, kernel, biases[0] if len(biases) == 1 else biases,
        strides=_pair(strides, "--strides") or 1, padding=padding, mean=mean,
    )  # fmt: skip
    titles = [name if ";" not in name and len(name) < 24 else "filter" for name in names]
    if len(names) == 1:
        titles = titles * kernel.shape[3]
    publish(convolution_page(done, titles, _pair(at, "--at")), files)


def _kernel(names: list[str], channels: int, groups: int) -> "Numbers":
    """Return (height, width, channels of a group, filters) of the filters as given."""
    import numpy as np

    from convlens.explain.arithmetic.exact import as_numbers
    from convlens.explain.arithmetic.named import get_filter

    found = as_numbers(*(get_filter(name) for name in names))
    if len({one.shape for one in found}) > 1:
        raise ConfigError(
            "all filters must have one size and as many channels; show them one by one instead."
        )
    kernel = np.stack(found, axis=-1)
    if groups < 1 or channels % groups:
        raise ConfigError(f"--groups must divide the image's channels, {channels}; found {groups}.")
    if kernel.shape[2] == channels == groups and len(names) == 1:
        return kernel.swapaxes(
            2, 3
        )  # depthwise: the channels of one filter are one filter a channel
    if kernel.shape[2] * groups != channels:
        raise ConfigError(
            f"the filter must have as many channels as the image{' has in a group' if groups > 1 else ''}, "
            f"{channels // groups}, with | between; found {kernel.shape[2]}."
        )
    return kernel


@show.command
def pooling(  # noqa: PLR0913 - options of the command
    *,
    image: ImageText = "pool-004",
    kind: Annotated[
        Literal["max", "average", "min", "global-average"], Parameter(help="of pooling")
    ] = "max",
    size: Annotated[
        str, Parameter(allow_leading_hyphen=True, help="of the window: 2, or 2,3")
    ] = "2",
    strides: Strides = None,
    padding: Annotated[
        Literal["valid", "same", "partial"],
        Parameter(help="partial keeps windows that reach beyond, as deck 004"),
    ] = "valid",
    at: At = None,
    files: Files = NONE,
) -> None:
    """Each window of an image becomes one number."""
    from convlens.explain.arithmetic.named import get_image
    from convlens.explain.arithmetic.pooling import pool
    from convlens.explain.pages.map_views import pooling_page

    values = get_image(image)
    if kind == "global-average":
        done = pool(values, (values.shape[0], values.shape[1]), kind="average")
        publish(pooling_page(done, (0, 0), "Global average pooling"), files)
        return
    window = _pair(size, "--size") or (2, 2)
    done = pool(values, window, kind=kind, strides=_pair(strides, "--strides"), padding=padding)
    publish(pooling_page(done, _pair(at, "--at")), files)


@show.command
def recognition(*, image: ImageText = "x9", files: Files = NONE) -> None:
    """Deck 004's way from an image to a few numbers: three filters, ReLU, twice max pooling, flatten."""
    from convlens.explain.arithmetic.named import get_filter, get_image
    from convlens.explain.pages.map_views import recognition_page

    names = ("left-diagonal", "cross", "right-diagonal")
    values = get_image(image)
    publish(
        recognition_page(values[..., :1], [(name, get_filter(name)[..., 0]) for name in names]),
        files,
    )


@show.command
def activation(
    *,
    name: Annotated[
        Literal["relu", "sigmoid", "tanh"], Parameter(help="of the activation")
    ] = "sigmoid",
    values: Annotated[Text, Parameter(help="numbers, rows with ; between")] = "-2 -1 0 1 2",
    files: Files = NONE,
) -> None:
    """What an activation makes of numbers, with its slope and its curve."""
    from convlens.explain.arithmetic import activate
    from convlens.explain.arithmetic.exact import read_matrix
    from convlens.explain.pages.layer_views import activation_page

    matrix = read_matrix(values, "--values")[..., 0]
    publish(activation_page(activate(matrix if len(matrix) > 1 else matrix[0], name)), files)


@show.command
def softmax(
    *,
    values: Annotated[Text, Parameter(help="the numbers of the last layer")] = "2 1 0.1",
    files: Files = NONE,
) -> None:
    """How numbers become shares of 1."""
    from convlens.explain import arithmetic
    from convlens.explain.arithmetic.exact import read_numbers
    from convlens.explain.pages.layer_views import softmax_page

    publish(softmax_page(arithmetic.softmax(read_numbers(values, "--values"))), files)


@show.command
def loss(
    *,
    name: Annotated[
        Literal["squared", "half-squared", "absolute", "root-mean-square", "binary-crossentropy",
                "categorical-crossentropy", "all"],
        Parameter(help="of the loss"),
    ] = "all",
    target: Annotated[Text, Parameter(help="what should come out")] = "0 1 0",
    predicted: Annotated[Text, Parameter(help="what came out")] = "0.2 0.7 0.1",
    files: Files = NONE,
) -> None:  # fmt: skip
    """How far an answer is from its target, term by term."""
    from convlens.explain import arithmetic
    from convlens.explain.arithmetic.exact import read_numbers
    from convlens.explain.pages.layer_views import loss_page

    names = list(arithmetic.LOSSES) if name == "all" else [name]
    values = read_numbers(target, "--target"), read_numbers(predicted, "--predicted")
    publish(loss_page([arithmetic.loss(one, *values) for one in names]), files)


for _command in show_layers.COMMANDS:
    show.command(_command)
