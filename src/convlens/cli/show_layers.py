"""`convlens show` of whole layers: dense, dropout, batch normalisation, joining, flatten, sizes; and the network."""

from typing import Annotated, Literal

from cyclopts import Parameter

from convlens.cli.show_page import NONE, Files, ImageText, Text, publish
from convlens.errors import ConfigError


def dense(
    *,
    values: Annotated[Text, Parameter(help="the inputs")] = "1 2 3",
    weights: Annotated[Text, Parameter(help="a row an input, a column a unit")] = "1 0; -1 2; 1/2 1",
    bias: Annotated[Text, Parameter(help="one number, or one a unit")] = "0",
    activation: Annotated[
        Literal["relu", "sigmoid", "tanh", "softmax"] | None, Parameter(help="of every sum")
    ] = None,
    files: Files = NONE,
) -> None:  # fmt: skip
    """Every input by its weight, summed for each unit."""
    from convlens.explain import arithmetic
    from convlens.explain.arithmetic.exact import read_matrix, read_numbers
    from convlens.explain.pages.layer_views import dense_page

    biases = read_numbers(bias, "--bias")
    done = arithmetic.dense(
        read_numbers(values, "--values"), read_matrix(weights, "--weights")[..., 0],
        biases[0] if len(biases) == 1 else biases, activation=activation,
    )  # fmt: skip
    publish(dense_page(done, activation), files)


def dropout(
    *,
    values: Annotated[Text, Parameter(help="numbers, rows with ; between")] = "1 2 3 4 5 6 7 8",
    rate: Annotated[str, Parameter(help="share to drop, as 1/2 or 0.25")] = "1/2",
    mask: Annotated[
        str | None, Parameter(help="1 to keep and 0 to drop; drawn where not given")
    ] = None,
    seed: Annotated[int, Parameter(help="of the draw")] = 0,
    files: Files = NONE,
) -> None:
    """What training drops, and how it enlarges the rest."""
    from convlens.explain import arithmetic
    from convlens.explain.arithmetic.exact import read_matrix, read_numbers
    from convlens.explain.pages.layer_views import dropout_page

    if seed < 0:
        raise ConfigError(f"--seed must be at least 0; found {seed}.")
    share = read_numbers(rate, "--rate")
    if len(share) != 1:
        raise ConfigError(f"--rate must be one number; found {rate!r}.")
    matrix = read_matrix(values, "--values")[..., 0]
    kept = None if mask is None else read_matrix(mask, "--mask")[..., 0].astype(float)
    publish(dropout_page(arithmetic.dropout(matrix, share[0], mask=kept, seed=seed)), files)


def batchnorm(  # noqa: PLR0913 - options of the command
    *,
    values: Annotated[
        Text, Parameter(help="a row an example, a column a channel")
    ] = "1 10; 2 20; 3 30; 6 40",
    gamma: Annotated[Text, Parameter(help="one number, or one a channel")] = "1",
    beta: Annotated[Text, Parameter(help="likewise")] = "0",
    mean: Annotated[Text, Parameter(help="kept so far, likewise")] = "0",
    variance: Annotated[Text, Parameter(help="kept so far, likewise")] = "1",
    inference: Annotated[
        bool, Parameter(negative=(), help="use what was kept, not the batch's own")
    ] = False,
    momentum: Annotated[float, Parameter(help="what of the kept statistics stays")] = 0.99,
    epsilon: Annotated[float, Parameter(help="added to the variance")] = 1e-3,
    files: Files = NONE,
) -> None:
    """Each channel brought to mean 0 and deviation 1."""
    from convlens.explain import arithmetic
    from convlens.explain.arithmetic.exact import read_matrix, read_numbers
    from convlens.explain.pages.layer_views import batchnorm_page

    given = [
        numbers if len(numbers := read_numbers(text, flag)) > 1 else numbers[0]
        for text, flag in (
            (gamma, "--gamma"),
            (beta, "--beta"),
            (mean, "--mean"),
            (variance, "--variance"),
        )
    ]
    done = arithmetic.batch_normalize(
        read_matrix(values, "--values")[..., 0], (given[0], given[1]), (given[2], given[3]),
        training=not inference, momentum=momentum, epsilon=epsilon,
    )  # fmt: skip
    publish(batchnorm_page(done, training=not inference), files)


def join(
    *images: Annotated[str, Parameter(allow_leading_hyphen=True)],
    kind: Annotated[
        Literal["add", "concatenate"], Parameter(help="sum of maps, or maps behind each other")
    ] = "add",
    files: Files = NONE,
) -> None:
    """Add maps, as in ResNet, or put them behind each other, as in Inception and DenseNet."""
    from convlens.explain.arithmetic.named import get_image
    from convlens.explain.pages.layer_views import join_page

    found = [get_image(one) for one in images or ("pool-001", "pool-004")]
    if len(found) < 2:
        raise ConfigError("give two maps or more, as convlens show join pool-001 pool-004.")
    publish(join_page(found, kind), files)


def flatten(*, image: ImageText = "1 2; 3 4 | 5 6; 7 8", files: Files = NONE) -> None:
    """All numbers of an image in one row."""
    from convlens.explain.arithmetic.named import get_image
    from convlens.explain.pages.layer_views import flatten_page

    publish(flatten_page(get_image(image)), files)


def sizes(
    *,
    layers: Annotated[
        str,
        Parameter(
            help="lenet, five, two-threes, standard, separable, or as 'conv 5 6; pool 2; conv 3 16 same /2; flatten; "
            "dense 10': 5x5 with 6 filters, then 3x3 with 16 and strides 2"
        ),
    ] = "lenet",
    against: Annotated[
        str | None, Parameter(help="other layers to compare with, as --layers")
    ] = None,
    side: Annotated[
        int | None, Parameter(help="of the image, pixels [32, or as the named layers say]")
    ] = None,
    channels: Annotated[
        int | None, Parameter(help="of the image [1, or as the named layers say]")
    ] = None,
    bias: Annotated[
        bool | None, Parameter(help="count biases [yes, or as the named layers say]")
    ] = None,
    files: Files = NONE,
) -> None:
    """Size, parameters and receptive field of each layer, by formula."""
    from convlens.explain.arithmetic.stacks import STACKS, measure, read_layers
    from convlens.explain.pages.network_views import sizes_page

    named = STACKS.get(layers)
    side = side if side is not None else (named[1] if named else 32)
    channels = channels if channels is not None else (named[2] if named else 1)
    bias = bias if bias is not None else (named[3] if named else True)
    stacks = []
    for text in [layers] + ([against] if against else []):
        written, what = (
            (STACKS[text][0], f"{text}: {STACKS[text][4]}") if text in STACKS else (text, text)
        )
        stacks.append((what, measure(read_layers(written), side, channels, bias=bias)))
    plural = "" if channels == 1 else "s"
    image = f"{side} x {side} with {channels} channel{plural}" + (
        "" if bias else "; biases are not counted"
    )
    publish(sizes_page(stacks, image), files)


def network(  # noqa: PLR0913 - options of the command
    *,
    inputs: Annotated[Text, Parameter(help="what it is given")] = "0.05 0.10",
    targets: Annotated[Text, Parameter(help="what it should answer")] = "0.01 0.99",
    hidden: Annotated[int, Parameter(help="neurons between")] = 2,
    weights: Annotated[
        Text, Parameter(help="neuron by neuron")
    ] = "0.15 0.20 0.25 0.30 0.40 0.45 0.50 0.55",
    biases: Annotated[Text, Parameter(help="one a layer, or one a neuron")] = "0.35 0.60",
    learning_rate: Annotated[float, Parameter(help="of every step")] = 0.5,
    steps: Annotated[
        int | None, Parameter(help="to take; with --until, at most [1; 100,000]")
    ] = None,
    until: Annotated[float | None, Parameter(help="go on until the error is below this")] = None,
    move_biases: Annotated[
        bool, Parameter(negative=(), help="biases learn too; deck 003 leaves them")
    ] = False,
    files: Files = NONE,
) -> None:
    """Deck 003's network by hand: forwards, error, the chain rule factor by factor, update, and on."""
    from convlens.explain.arithmetic.backprop import take_step, train
    from convlens.explain.arithmetic.exact import read_numbers
    from convlens.explain.arithmetic.network import Example, make_network
    from convlens.explain.pages.network_views import network_page

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
        raise ConfigError(f"--hidden must be at least 1; found {hidden}.")
    net = make_network((len(given), hidden, len(wanted)), numbers, shared)
    example = Example(given, wanted)
    first = take_step(net, example, learning_rate, move_biases=move_biases)
    run = None
    if until is not None or (steps is not None and steps != 1):
        most = steps if steps is not None else 100_000
        run = train(net, example, learning_rate, steps=most, until=until, move_biases=move_biases)
    publish(network_page(first, run), files)


COMMANDS = (batchnorm, dense, dropout, flatten, join, network, sizes)
