"""`convlens show` of several layers: their sizes, and lecture 003's network by hand."""

from typing import Annotated

from cyclopts import Parameter

from convlens.cli.show_options import NONE, Files, Text, publish
from convlens.errors import ConfigError
from convlens.explain.arithmetic.backprop import take_step, train
from convlens.explain.arithmetic.network import Example, make_network
from convlens.explain.arithmetic.reading import read_numbers
from convlens.explain.arithmetic.stacks import STACKS, measure, read_layers
from convlens.explain.pages.network_views import network_page, sizes_page

MOST_STEPS = 100_000  # with --until


def sizes(
    *,
    layers: Annotated[
        str,
        Parameter(
            help="lenet, five, two-threes, standard, separable, or your own, as 'conv 5 6; pool 2; "
            "conv 3 16 same /2; flatten; dense 10': a 5x5 convolution with 6 filters, pooling, "
            "then a 3x3 convolution with 16 filters and strides 2"
        ),
    ] = "lenet",
    against: Annotated[
        str | None, Parameter(help="other layers to compare with, given as for --layers")
    ] = None,
    side: Annotated[
        int | None, Parameter(help="side of the image in pixels [32, or that of the named layers]")
    ] = None,
    channels: Annotated[
        int | None, Parameter(help="channels of the image [1, or those of the named layers]")
    ] = None,
    bias: Annotated[
        bool | None, Parameter(help="count biases [yes, or as the named layers do]")
    ] = None,
    files: Files = NONE,
) -> None:
    """Show the size, the parameters and the receptive field of each layer, by formula."""
    _, own_side, own_channels, own_bias, _ = STACKS.get(layers, ("", 32, 1, True, ""))
    side = own_side if side is None else side
    channels = own_channels if channels is None else channels
    bias = own_bias if bias is None else bias
    stacks = []
    for text in [layers] if against is None else [layers, against]:
        title = text
        written = text
        if text in STACKS:
            written = STACKS[text][0]
            title = "{name}: {what}".format(name=text, what=STACKS[text][-1])
        stacks.append((title, measure(read_layers(written), side, channels, bias=bias)))
    image = (
        "{side} x {side} with {channels} channel"
        if channels == 1
        else "{side} x {side} with {channels} channels"
    ).format(side=side, channels=channels)
    if not bias:
        image = "{image}; biases are not counted".format(image=image)
    publish(sizes_page(stacks, image), files)


def network(  # noqa: PLR0913 - options of the command
    *,
    inputs: Annotated[Text, Parameter(help="the inputs of the example")] = "0.05 0.10",
    targets: Annotated[Text, Parameter(help="the targets of the example")] = "0.01 0.99",
    hidden: Annotated[int, Parameter(help="neurons of the hidden layer")] = 2,
    weights: Annotated[
        Text, Parameter(help="the weights, neuron by neuron")
    ] = "0.15 0.20 0.25 0.30 0.40 0.45 0.50 0.55",
    biases: Annotated[
        Text, Parameter(help="one number for each layer, or one for each neuron")
    ] = "0.35 0.60",
    learning_rate: Annotated[float, Parameter(help="learning rate of every step")] = 0.5,
    steps: Annotated[
        int | None, Parameter(help="steps to take; with --until, at most [1; 100,000]")
    ] = None,
    until: Annotated[
        float | None, Parameter(help="take steps until the error is below this bound")
    ] = None,
    move_biases: Annotated[
        bool, Parameter(negative=(), help="update the biases too; lecture 003 leaves them")
    ] = False,
    files: Files = NONE,
) -> None:
    """Show lecture 003's network by hand: forward pass, error, chain rule, update, more steps."""
    given, wanted, numbers, shared = (
        read_numbers(text, flag).astype(float)
        for text, flag in (
            (inputs, "--inputs"),
            (targets, "--targets"),
            (weights, "--weights"),
            (biases, "--biases"),
        )
    )
    if hidden < 1:
        raise ConfigError("--hidden must be at least 1; found {hidden}.".format(hidden=hidden))
    net = make_network((len(given), hidden, len(wanted)), numbers, shared)
    example = Example(given, wanted)
    first = take_step(net, example, learning_rate, move_biases=move_biases)
    run = None
    if until is not None or steps not in (None, 1):
        most = MOST_STEPS if steps is None else steps
        run = train(net, example, learning_rate, steps=most, until=until, move_biases=move_biases)
    publish(network_page(first, run), files)


COMMANDS = (sizes, network)
