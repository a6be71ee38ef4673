"""Names: those of the networks of the zoo, which are known before the engine is imported.

So a wrong name is told at once. `convlens.zoo.registry` has what is known of each network.
"""

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path

from convlens.errors import ConfigError, ModelError
from convlens.language import _, listed, one_of

NAMES = tuple(
    # not translated: names of networks
    """
    alexnet alexnet_2towers cats_dogs_3conv cifar_4conv convnext_tiny custom_cnn densenet121
    densenet169 densenet201 densenet_bc_100_12 efficientnet_lite0 efficientnet_lite1
    efficientnet_lite2 efficientnet_v2_b0 fashion_mlp fast_cnn fast_cnn_large fast_cnn_wide
    googlenet googlenet_auxiliary inception_resnet_v2 inception_v2 inception_v3 inception_v4
    lenet5 lenet5_modern lenet_sigmoid logistic mlp_256_128 mnist_2conv mnist_3conv mnist_4conv
    mnist_conv_3x3 mnist_tanh mobilenet_v3_large mobilenet_v3_small nin nin_cifar nin_imagenet
    resnet101 resnet110 resnet152 resnet18 resnet20 resnet32 resnet34 resnet44 resnet50 resnet56
    small_resnet transfer_vgg16_cats_dogs vgg11 vgg11_lrn vgg13 vgg16 vgg16_1x1 vgg19 xception
    """.split()  # noqa: SIM905
)


def unknown_model(name: str, known: Collection[str] = NAMES) -> ModelError:
    """Return the error for the name of a network that does not exist, with names that are near.

    >>> unknown_model("resnet_18").args[0]
    "there is no model 'resnet_18'; did you mean resnet18, resnet152 or resnet110?"
    """
    near = get_close_matches(name.lower(), known, n=3)
    message = _("there is no model {name!r}; `convlens models` lists all that there are.")
    if near:
        message = _("there is no model {name!r}; did you mean {near}?")
    return ModelError(message.format(name=name, near=one_of(near)))


def unknown_backbone(name: str, known: Collection[str] = NAMES) -> ModelError:
    """Return the error for a backbone that is neither a network nor a file."""
    return ModelError(
        _(
            "--backbone must be a network, a classifier file or a run. No file or run is at "
            "{name}, and {error}"
        ).format(name=name, error=unknown_model(name, known).args[0])
    )


def refuse_unknown_model(name: str) -> None:
    """Raise ModelError if the zoo has no network of this name."""
    if name not in NAMES:
        raise unknown_model(name)


def refuse_missing_weights(weights: str | Path) -> None:
    """Raise ModelError if weights are neither those of ImageNet nor a file that is there."""
    if str(weights) != "imagenet" and not Path(weights).is_file():
        raise ModelError(
            _("weights must be 'imagenet' or a file; there is none at {path}.").format(path=weights)
        )


def check_names(names: Sequence[str], known: Collection[str] = NAMES) -> None:
    """Check that these are two or more networks of the zoo, each once.

    Raises:
        ModelError: If a network is unknown.
        ConfigError: If there are fewer than two, or one is named twice.
    """
    for name in names:
        if name not in known:
            raise unknown_model(name, known)
    repeated = [name for name in names if list(names).count(name) > 1]
    if repeated:
        raise ConfigError(
            _("--models must name each network once; found {name} twice.").format(name=repeated[0])
        )
    if len(names) < 2:
        raise ConfigError(
            _(
                "--models must name two networks or more, with commas between; found {found}."
            ).format(found=listed(names) or _("none"))
        )
