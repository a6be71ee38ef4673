"""`convlens show` of layers that work on a few numbers, and of losses."""

from typing import Annotated, Literal

from cyclopts import Parameter

from convlens.cli.show_options import NONE, Files, Text, publish, read_one_or_more
from convlens.errors import ConfigError
from convlens.explain import arithmetic
from convlens.explain.arithmetic.reading import read_matrix, read_numbers
from convlens.explain.pages.layer_views import (
    activation_page,
    batchnorm_page,
    dense_page,
    dropout_page,
    loss_page,
    softmax_page,
)


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


COMMANDS = (activation, softmax, loss, dense, dropout, batchnorm)
