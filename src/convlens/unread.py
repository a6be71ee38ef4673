"""Unread: settings that a training does not read, because of what another setting is.

Whoever gives such a flag expects something of it, and would not notice that nothing comes of it.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from convlens.augmentation import is_augmented, resolve
from convlens.config import DEFAULTS, Config, ModelConfig
from convlens.conflicts import OF_TRAINED, WHICH_LAYERS, require
from convlens.errors import ConfigError
from convlens.language import N_, _, listed
from convlens.setting import either, flag_of

CUSTOM = ("custom_cnn",)
SHAPES = [
    item.name for item in dataclasses.fields(ModelConfig) if item.name not in ("model", "stem")
]
# Settings, and the values of another setting with which they are read.
READ_WITH: dict[str, tuple[str, tuple[str, ...]]] = {
    **dict.fromkeys(SHAPES, ("model", CUSTOM)),
    "warmup_epochs": ("schedule", ("cosine",)),
    "weight_decay": ("optimizer", ("adamw", "muon")),
}
# Settings of a training by steps, which a logistic regression does not read.
OF_STEPS = (
    *("epochs", "steps_per_epoch", "batch_size", "learning_rate", "optimizer", "schedule"),
    *("warmup_epochs", "weight_decay", "label_smoothing", "average_weights", "patience"),
    "tensorboard",
)
OF_NETWORKS = ("micro_batch", "snapshots")  # settings that no head on kept features reads
# A setting, another setting, and the value of the other with which the first has no effect.
SWITCHED_OFF: tuple[tuple[str, str, str | int], ...] = (
    ("accept", "calibration", False),
    ("pool_size", "pooling", "none"),
    ("pool_strides", "pooling", "none"),
    ("mixup", "batch_size", 1),  # without another image to mix one with
    ("cutmix", "batch_size", 1),
    ("mixup", "micro_batch", 1),
    ("cutmix", "micro_batch", 1),
)
OWN_NETWORK = N_("{flag} shapes a new network, and {trained} has its own. Leave it out.")
NO_STEPS = N_(
    "{flag} is for weights that learn step by step; a linear head on a frozen backbone is a "
    "logistic regression, which has no steps. Leave it out, or give --unfreeze, --head or "
    "--augment light."
)
ONLY_HEAD = N_(
    "{flag} is for a training whose steps compute a network; here only a head learns, from kept "
    "features. Leave it out, or give --unfreeze or --augment light."
)


def refuse_unread(
    names: Iterable[str],
    config: Config,
    start_from: str | None = None,
    *,
    budgeted: bool = False,
    several: Mapping[str, Sequence[Any]] | None = None,
) -> None:
    """Raise ConfigError for the first of these settings that a training does not read.

    Args:
        names: The settings that were given by flags, by name. A value that asks for nothing is
            passed over, such as `--patience 0`.
        config: The configuration of the training, which contains them.
        start_from: The classifier that is trained further, if there is one.
        budgeted: Whether a time budget may choose a backbone, which reads `pooling`, and layers
            of it that learn step by step.
        several: The settings that the trainings of a study differ in, with their values. Another
            setting is read if one of the trainings reads it.

    Raises:
        ConfigError: If a setting shapes a network that is not trained, belongs to a schedule or an
            optimizer that is not used, or is about layers or steps of a training that has none.

    >>> refuse_unread(["filters"], Config().replace(filters=(8, 16), model="lenet5"))
    Traceback (most recent call last):
    convlens.errors.ConfigError: --filters has an effect only with --model custom_cnn; found lenet5. Leave it out, or give --model custom_cnn.
    """  # noqa: E501 - one line of output
    names = [name for name in names if _is_asked_for(name, config)]
    several = several or {}
    if not budgeted:
        _refuse_without_steps(names, config)
    _refuse_switched_off(names, config, several)
    trained = start_from or config.transfer.backbone
    used: dict[str, Sequence[Any]] = {
        "model": [config.model.model],
        "schedule": [config.training.schedule],
        "optimizer": [config.training.optimizer],
        **several,
    }
    may_pool = budgeted or config.transfer.backbone is not None
    for name in names:
        if name not in READ_WITH or (name == "pooling" and may_pool):
            continue
        other, values = READ_WITH[name]
        if other == "model" and trained is not None:
            raise ConfigError(_(OWN_NETWORK).format(flag=flag_of(name), trained=trained))
        if any(one in values for one in used[other]):
            continue
        flag = "--models" if other == "model" and other in several else flag_of(other)
        raise ConfigError(
            _(
                "{flag} has an effect only with {needed}; found {found}. Leave it out, or give "
                "{needed}."
            ).format(
                flag=flag_of(name),
                needed=f"{flag} {either(values)}",
                found=listed(used[other]),
            )
        )


def _refuse_without_steps(names: Sequence[str], config: Config) -> None:
    """Raise ConfigError for the first setting of layers or steps where none of them learn."""
    # These are no rows of the table of conflicts, to which a run.toml is held, too: an old one may
    # have a share of the rate without layers that learn.
    if "layer_decay" in names:
        given = config.transfer.changed()
        require("layer_decay", ("backbone",), given, OF_TRAINED)
        require("layer_decay", ("unfreeze",), given, WHICH_LAYERS)
    if not has_kept_features(config):
        return
    unread = dict.fromkeys(OF_NETWORKS, ONLY_HEAD)
    if not config.transfer.head:
        unread |= dict.fromkeys(OF_STEPS, NO_STEPS)
    for name in names:
        if name in unread:
            raise ConfigError(_(unread[name]).format(flag=flag_of(name)))


def _refuse_switched_off(
    names: Sequence[str], config: Config, several: Mapping[str, Sequence[Any]]
) -> None:
    """Raise ConfigError for the first setting of something that another setting switches off."""
    values = _values(config)
    for name, other, off in SWITCHED_OFF:
        if name in names and values[other] == off and other not in several:
            given = f"{flag_of(other)} {off}" if off else flag_of(f"no_{other}")
            message = _("{flag} has no effect with {other}. Leave one of them out.")
            raise ConfigError(message.format(flag=flag_of(name), other=given))


def _values(config: Config) -> dict[str, Any]:
    """Return the values of all settings, whatever their section."""
    return {name: value for section in config.to_dict().values() for name, value in section.items()}


def _is_asked_for(name: str, config: Config) -> bool:
    """Return whether the value of a setting asks for something that a training may lack.

    Zero switches a setting off, unless it shapes a network, and layers that learn have the default
    share of the rate anyway. Other defaults are asked for where they are named, as `--epochs 20`.
    """
    value = _values(config)[name]
    if name == "layer_decay":
        return bool(value != DEFAULTS[name])
    return name in SHAPES or value != 0


def is_logistic_regression(config: Config) -> bool:
    """Return whether a training is a logistic regression, which has neither steps nor epochs.

    >>> is_logistic_regression(Config().replace(backbone="vgg16"))
    True
    >>> is_logistic_regression(Config().replace(backbone="vgg16", head=(64,)))
    False
    """
    return has_kept_features(config) and not config.transfer.head


def has_kept_features(config: Config) -> bool:
    """Return whether only a head learns, from features that are computed once for each image.

    >>> has_kept_features(Config().replace(backbone="vgg16", flip=True))
    False
    """
    is_frozen = config.transfer.backbone is not None and config.transfer.unfreeze is None
    return is_frozen and not is_augmented(resolve(config.augment, flip_allowed=True))
