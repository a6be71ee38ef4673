"""`convlens show` of layers that work on a few numbers, of losses, and of small networks."""

from typing import Annotated, Literal

from cyclopts import Parameter

from convlens.cli.show import NONE, Files, Text, publish, read_one_or_more
from convlens.errors import ConfigError
from convlens.explain import arithmetic
from convlens.explain.arithmetic.backprop import take_step, train
from convlens.explain.arithmetic.network import Example, make_network
from convlens.explain.arithmetic.reading import read_matrix, read_numbers
from convlens.explain.arithmetic.stacks import STACKS, LayerSize, measure, read_layers
from convlens.explain.pages.layer_views import (
    activation_page,
    batchnorm_page,
    dense_page,
    dropout_page,
    loss_page,
    softmax_page,
)
from convlens.explain.pages.network_views import network_page, sizes_page
from convlens.explain.pages.page import Page
from convlens.language import N_, _, ngettext

MOST_STEPS = 100_000  # with --until


def activation(
    *,
    name: Annotated[
        Literal["relu", "sigmoid", "tanh"], Parameter(help=N_("which activation"))
    ] = "sigmoid",
    values: Annotated[Text, Parameter(help=N_("numbers, with ; between rows"))] = "-2 -1 0 1 2",
    files: Files = NONE,
) -> None:
    """Show what an activation makes of numbers, with its slope and its curve."""
    matrix = read_matrix(values, "--values")[..., 0]
    numbers = matrix if len(matrix) > 1 else matrix[0]
    publish(lambda: activation_page(arithmetic.activate(numbers, name)), files)


def softmax(
    *,
    values: Annotated[Text, Parameter(help=N_("the logits"))] = "2 1 0.1",
    files: Files = NONE,
) -> None:
    """Show how the softmax turns logits into shares of 1."""
    publish(lambda: softmax_page(arithmetic.softmax(read_numbers(values, "--values"))), files)


def loss(
    *,
    name: Annotated[
        Literal[
            "squared",
            "half-squared",
            "absolute",
            "root-mean-square",
            "binary-crossentropy",
            "categorical-crossentropy",
            "all",
        ],
        Parameter(help=N_("which loss")),
    ] = "all",
    target: Annotated[Text, Parameter(help=N_("the target values"))] = "0 1 0",
    predicted: Annotated[Text, Parameter(help=N_("the predicted values"))] = "0.2 0.7 0.1",
    files: Files = NONE,
) -> None:
    """Show how far predicted values are from their targets, term by term."""
    names = list(arithmetic.LOSSES) if name == "all" else [name]
    targets = read_numbers(target, "--target")
    values = read_numbers(predicted, "--predicted")
    publish(lambda: loss_page([arithmetic.loss(one, targets, values) for one in names]), files)


def dense(
    *,
    values: Annotated[Text, Parameter(help=N_("the inputs"))] = "1 2 3",
    weights: Annotated[
        Text, Parameter(help=N_("a row for each input, a column for each unit"))
    ] = "1 0; -1 2; 1/2 1",
    bias: Annotated[Text, Parameter(help=N_("one number, or one for each unit"))] = "0",
    activation: Annotated[
        Literal["relu", "sigmoid", "tanh", "softmax"] | None,
        Parameter(help=N_("the activation of the units")),
    ] = None,
    files: Files = NONE,
) -> None:
    """Show the products of inputs and weights, and their sum for each unit."""
    done = arithmetic.dense(
        read_numbers(values, "--values"),
        read_matrix(weights, "--weights")[..., 0],
        read_one_or_more(bias, "--bias"),
        activation=activation,
    )
    publish(lambda: dense_page(done, activation), files)


def dropout(
    *,
    values: Annotated[Text, Parameter(help=N_("numbers, with ; between rows"))] = "1 2 3 4 5 6 7 8",
    rate: Annotated[str, Parameter(help=N_("share to drop, as 1/2 or 0.25"))] = "1/2",
    mask: Annotated[
        str | None, Parameter(help=N_("1 to keep and 0 to drop a number [drawn at random]"))
    ] = None,
    seed: Annotated[int, Parameter(help=N_("seed of the random mask"))] = 0,
    files: Files = NONE,
) -> None:
    """Show what dropout drops in training, and how it scales the rest."""
    if seed < 0:
        raise ConfigError(_("--seed must be at least 0; found {seed}.").format(seed=seed))
    share = read_numbers(rate, "--rate")
    if len(share) != 1:
        raise ConfigError(_("--rate must be one number; found {rate!r}.").format(rate=rate))
    matrix = read_matrix(values, "--values")[..., 0]
    kept = None if mask is None else read_matrix(mask, "--mask")[..., 0].astype(float)
    publish(lambda: dropout_page(arithmetic.dropout(matrix, share[0], mask=kept, seed=seed)), files)


def batchnorm(  # noqa: PLR0913 - options of the command
    *,
    values: Annotated[
        Text, Parameter(help=N_("a row for each example, a column for each channel"))
    ] = "1 10; 2 20; 3 30; 6 40",
    gamma: Annotated[Text, Parameter(help=N_("one number, or one for each channel"))] = "1",
    beta: Annotated[Text, Parameter(help=N_("one number, or one for each channel"))] = "0",
    mean: Annotated[Text, Parameter(help=N_("moving mean so far"))] = "0",
    variance: Annotated[Text, Parameter(help=N_("moving variance so far"))] = "1",
    inference: Annotated[
        bool,
        Parameter(negative=(), help=N_("use the moving statistics, not those of the batch")),
    ] = False,
    momentum: Annotated[
        float, Parameter(help=N_("share of the moving statistics that a batch leaves as it is"))
    ] = 0.99,
    epsilon: Annotated[float, Parameter(help=N_("number added to the variance"))] = 1e-3,
    files: Files = NONE,
) -> None:
    """Show how each channel is normalised to mean 0 and standard deviation 1."""
    done = arithmetic.batch_normalize(
        read_matrix(values, "--values")[..., 0],
        (read_one_or_more(gamma, "--gamma"), read_one_or_more(beta, "--beta")),
        (read_one_or_more(mean, "--mean"), read_one_or_more(variance, "--variance")),
        training=not inference,
        momentum=momentum,
        epsilon=epsilon,
    )
    publish(lambda: batchnorm_page(done, training=not inference), files)


def sizes(
    *,
    layers: Annotated[
        str,
        Parameter(
            help=N_(
                "lenet, five, two-threes, standard, separable, or your own, as 'conv 5 6; pool 2; "
                "conv 3 16 same /2; flatten; dense 10': a 5x5 convolution with 6 filters, pooling, "
                "then a 3x3 convolution with 16 filters and strides 2"
            )
        ),
    ] = "lenet",
    against: Annotated[
        str | None, Parameter(help=N_("other layers to compare with, given as for --layers"))
    ] = None,
    side: Annotated[
        int | None,
        Parameter(help=N_("side of the image in pixels [32, or that of the named layers]")),
    ] = None,
    channels: Annotated[
        int | None, Parameter(help=N_("channels of the image [1, or those of the named layers]"))
    ] = None,
    bias: Annotated[
        bool | None, Parameter(help=N_("count biases [yes, or as the named layers do]"))
    ] = None,
    files: Files = NONE,
) -> None:
    """Show the size, the parameters and the receptive field of each layer, by formula."""
    _layers, own_side, own_channels, own_bias, _what = STACKS.get(layers, ("", 32, 1, True, ""))
    given = (
        own_side if side is None else side,
        own_channels if channels is None else channels,
        own_bias if bias is None else bias,
    )
    written = [layers] if against is None else [layers, against]

    def build() -> Page:
        stacks = [_measure_stack(text, *given) for text in written]
        return sizes_page(stacks, _describe_image(*given))

    publish(build, files)


def _measure_stack(
    text: str, side: int, channels: int, bias: bool
) -> tuple[str, tuple[LayerSize, ...]]:
    """Return the title and the layers of a stack, which is named or written out."""
    if text not in STACKS:
        return text, measure(read_layers(text), side, channels, bias=bias)
    layers, *_rest, what = STACKS[text]
    title = _("{name}: {what}").format(name=text, what=_(what))
    return title, measure(read_layers(layers), side, channels, bias=bias)


def _describe_image(side: int, channels: int, bias: bool) -> str:
    """Return what the layers are given, in words."""
    if bias:
        text = ngettext(
            "{side} x {side} with {channels} channel",
            "{side} x {side} with {channels} channels",
            channels,
        )
    else:
        text = ngettext(
            "{side} x {side} with {channels} channel; biases are not counted",
            "{side} x {side} with {channels} channels; biases are not counted",
            channels,
        )
    return text.format(side=side, channels=channels)


def network(  # noqa: PLR0913 - options of the command
    *,
    inputs: Annotated[Text, Parameter(help=N_("the inputs of the example"))] = "0.05 0.10",
    targets: Annotated[Text, Parameter(help=N_("the targets of the example"))] = "0.01 0.99",
    hidden: Annotated[int, Parameter(help=N_("neurons of the hidden layer"))] = 2,
    weights: Annotated[
        Text, Parameter(help=N_("the weights, neuron by neuron"))
    ] = "0.15 0.20 0.25 0.30 0.40 0.45 0.50 0.55",
    biases: Annotated[
        Text, Parameter(help=N_("one number for each layer, or one for each neuron"))
    ] = "0.35 0.60",
    learning_rate: Annotated[float, Parameter(help=N_("learning rate of every step"))] = 0.5,
    steps: Annotated[
        int | None, Parameter(help=N_("steps to take; with --until, at most [1; 100,000]"))
    ] = None,
    until: Annotated[
        float | None, Parameter(help=N_("take steps until the error is below this bound"))
    ] = None,
    move_biases: Annotated[
        bool, Parameter(negative=(), help=N_("update the biases too; lecture 003 leaves them"))
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
        raise ConfigError(_("--hidden must be at least 1; found {hidden}.").format(hidden=hidden))
    net = make_network((len(given), hidden, len(wanted)), numbers, shared)
    example = Example(given, wanted)
    first = take_step(net, example, learning_rate, move_biases=move_biases)
    run = None
    if until is not None or steps not in (None, 1):
        run = train(
            net,
            example,
            learning_rate,
            steps=MOST_STEPS if steps is None else steps,
            until=until,
            move_biases=move_biases,
        )
    publish(lambda: network_page(first, run), files)
