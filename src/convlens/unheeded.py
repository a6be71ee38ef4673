"""Unheeded: settings that a training does not read, because of what another setting is.

Whoever gives such a flag expects something of it, and would not notice that nothing comes of it.
"""

import dataclasses
from collections.abc import Iterable

from convlens.config import Config, ModelConfig
from convlens.errors import ConfigError
from convlens.language import _
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


def refuse_unheeded(names: Iterable[str], config: Config, start_from: str | None = None) -> None:
    """Raise ConfigError for the first of these settings that a training does not read.

    Args:
        names: The settings that were given by flags, by name.
        config: The configuration of the training, which contains them.
        start_from: The classifier that is trained further, if there is one.

    Raises:
        ConfigError: If a setting shapes a network that is not trained, or belongs to a schedule or
            an optimizer that is not used.

    >>> refuse_unheeded(["filters"], Config().replace(filters=(8, 16), model="lenet5"))
    Traceback (most recent call last):
    convlens.errors.ConfigError: --filters has an effect only with --model custom_cnn; found lenet5. Leave it out, or give --model custom_cnn.
    """  # noqa: E501 - one line of output
    backbone = config.transfer.backbone
    used = {
        "model": start_from or backbone or config.model.model,
        "schedule": config.training.schedule,
        "optimizer": config.training.optimizer,
    }
    for name in names:
        other, values = READ_WITH.get(name, ("", ()))
        is_of_backbone = name == "pooling" and backbone is not None
        if not other or used[other] in values or is_of_backbone:
            continue
        raise ConfigError(
            _(
                "{flag} has an effect only with {needed}; found {found}. Leave it out, or give "
                "{needed}."
            ).format(
                flag=flag_of(name), needed=f"{flag_of(other)} {either(values)}", found=used[other]
            )
        )
