"""Unread: settings that a training does not read, because of what another setting is.

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


def refuse_unread(
    names: Iterable[str], config: Config, start_from: str | None = None, *, budgeted: bool = False
) -> None:
    """Raise ConfigError for the first of these settings that a training does not read.

    Args:
        names: The settings that were given by flags, by name.
        config: The configuration of the training, which contains them.
        start_from: The classifier that is trained further, if there is one.
        budgeted: Whether a time budget may choose a backbone, which reads `pooling`.

    Raises:
        ConfigError: If a setting shapes a network that is not trained, or belongs to a schedule or
            an optimizer that is not used.

    >>> refuse_unread(["filters"], Config().replace(filters=(8, 16), model="lenet5"))
    Traceback (most recent call last):
    convlens.errors.ConfigError: --filters has an effect only with --model custom_cnn; found lenet5. Leave it out, or give --model custom_cnn.
    """  # noqa: E501 - one line of output
    trained = start_from or config.transfer.backbone
    used = {
        "model": config.model.model,
        "schedule": config.training.schedule,
        "optimizer": config.training.optimizer,
    }
    may_pool = budgeted or config.transfer.backbone is not None
    for name in names:
        if name not in READ_WITH or (name == "pooling" and may_pool):
            continue
        other, values = READ_WITH[name]
        if other == "model" and trained is not None:
            message = _("{flag} shapes a new network, and {trained} has its own. Leave it out.")
            raise ConfigError(message.format(flag=flag_of(name), trained=trained))
        if used[other] in values:
            continue
        raise ConfigError(
            _(
                "{flag} has an effect only with {needed}; found {found}. Leave it out, or give "
                "{needed}."
            ).format(
                flag=flag_of(name), needed=f"{flag_of(other)} {either(values)}", found=used[other]
            )
        )
