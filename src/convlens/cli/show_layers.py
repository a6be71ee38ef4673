"""`convlens show` of layers that work on a few numbers, of losses, and of small networks."""

from typing import Annotated, Literal

from cyclopts import Parameter

from convlens.cli.show import NONE, Files, Text, publish, read_one_or_more
from convlens.errors import ConfigError
from convlens.explain import arithmetic
from convlens.explain.arithmetic.backprop import take_step, train
from convlens.explain.arithmetic.network import Example, make_network
from convlens.explain.arithmetic.reading import read_matrix, read_numbers
from convlens.explain.arithmetic.stacks import STACKS, measure, read_layers
from convlens.explain.pages.layer_views import (
    activation_page,
    batchnorm_page,
    dense_page,
    dropout_page,
    loss_page,
    softmax_page,
)
from convlens.explain.pages.network_views import network_page, sizes_page

MOST_STEPS = 100_000  # with --until


def activation(
    *,
    name: Annotated[
        Literal["relu", "sigmoid", "tanh"], Parameter(help="which activation")
    ] = "sigmoid",
    values: Annotated[Text, Parameter(help="numbers, with ; between rows")] = "-2 -1 0 1 2",
    files: Files = NONE,
) -> None:
    """Show what an activation makes of numbers, with its slope and its curve."""
    matrix = read_matrix(values, "--values")[..., 0]
    numbers = matrix if len(matrix) > 1 else matrix[0]
    publish(activation_page(arithmetic.activate(numbers, name)), files)


def softmax(
    *,
    values: Annotated[Text, Parameter(help="the logits")] = "2 1 0.1",
    files: Files = NONE,
) -> None:
    """Show how the softmax turns logits into shares of 1."""
    publish(softmax_page(arithmetic.softmax(read_numbers(values, "--values"))), files)


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
        Parameter(help="which loss"),
    ] = "all",
    target: Annotated[Text, Parameter(help="the target values")] = "0 1 0",
    predicted: Annotated[Text, Parameter(help="the predicted values")] = "0.2 0.7 0.1",
    files: Files = NONE,
) -> None:
    """Show how far predicted values are from their targets, term by term."""
    names = list(arithmetic.LOSSES) if name == "all" else [name]
    targets = read_numbers(target, "--target")
    values = read_numbers(predicted, "--predicted")
    publish(loss_page([arithmetic.loss(one, targets, values) for one in names]), files)


def dense(
    *,
    values: Annotated[Text, Parameter(help="the inputs")] = "1 2 3",
    weights: Annotated[
        Text, Parameter(help="a row for each input, a column for each unit")
    ] = "1 0; -1 2; 1/2 1",
    bias: Annotated[Text, Parameter(help="one number, or one for each unit")] = "0",
    activation: Annotated[
        Literal["relu", "sigmoid", "tanh", "softmax"] | None,
        Parameter(help="the activation of the units"),
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
    publish(dense_page(done, activation), files)


def dropout(
    *,
    values: Annotated[Text, Parameter(help="numbers, with ; between rows")] = "1 2 3 4 5 6 7 8",
    rate: Annotated[str, Parameter(help="share to drop, as 1/2 or 0.25")] = "1/2",
    mask: Annotated[
        str | None, Parameter(help="1 to keep and 0 to drop a number [drawn at random]")
    ] = None,
    seed: Annotated[int, Parameter(help="seed of the random mask")] = 0,
    files: Files = NONE,
) -> None:
    """Show what dropout drops in training, and how it scales the rest."""
    if seed < 0:
        raise ConfigError("--seed must be at least 0; found {seed}.".format(seed=seed))
    share = read_numbers(rate, "--rate")
    if len(share) != 1:
        raise ConfigError("--rate must be one number; found {rate!r}.".format(rate=rate))
    matrix = read_matrix(values, "--values")[..., 0]
    kept = None if mask is None else read_matrix(mask, "--mask")[..., 0].astype(float)
    publish(dropout_page(arithmetic.dropout(matrix, share[0], mask=kept, seed=seed)), files)


def batchnorm(  # noqa: PLR0913 - options of the command
    *,
    values: Annotated[
        Text, Parameter(help="a row for each example, a column for each channel")
    ] = "1 10; 2 20; 3 30; 6 40",
    gamma: Annotated[Text, Parameter(help="one number, or one for each channel")] = "1",
    beta: Annotated[Text, Parameter(help="one number, or one for each channel")] = "0",
    mean: Annotated[Text, Parameter(help="moving mean so far")] = "0",
    variance: Annotated[Text, Parameter(help="moving variance so far")] = "1",
    inference: Annotated[
        bool,
        Parameter(negative=(), help="use the moving statistics, not those of the batch"),
    ] = False,
    momentum: Annotated[
        float, Parameter(help="share of the moving statistics that a batch leaves as it is")
    ] = 0.99,
    epsilon: Annotated[float, Parameter(help="number added to the variance")] = 1e-3,
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
    publish(batchnorm_page(done, training=not inference), files)


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
        run = train(
            net,
            example,
            learning_rate,
            steps=MOST_STEPS if steps is None else steps,
            until=until,
            move_biases=move_biases,
        )
    publish(network_page(first, run), files)
