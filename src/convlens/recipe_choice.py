"""Recipe choice: the training of people who do not say which one they want.

It is the recipe for few passes, `--recipe fast`, which was as accurate as `small_resnet` or more
so, in half of the time (docs/decisions/fast.md). Whoever names a network, an optimizer or another
part of a recipe gets the defaults that `convlens.sections` documents.
"""

import math
from dataclasses import fields, replace
from typing import Any

from convlens.config import AugmentConfig, Config
from convlens.presets import RECIPES

# Whoever sets one of these has a training in mind that the recipe for few passes would change.
OTHERS = {"recipe", "learning_rate", "warmup_epochs", "weight_decay"}
CHOSEN = OTHERS | RECIPES["fast"].keys() - {"augment", "epochs"}
AUGMENTATION = {item.name for item in fields(AugmentConfig)}
# Few images are seen more often, since ten passes over them make too few steps.
LEAST_SEEN = 80_000
MOST_EPOCHS = 60


def usual_training(config: Config, given: frozenset[str], images: int) -> Config:
    """Return the configuration of a training from scratch, where the user has named no other.

    Args:
        config: All settings.
        given: The names of the settings that the user has given.
        images: The number of images that the source has not set aside for tests. With fewer than
            8,000 there are more than ten epochs, unless the user has given their number.
    """
    chosen = with_fast_recipe(config, given)
    if chosen == config or {"epochs", "steps_per_epoch"} & _said(config, given):
        return chosen
    passes = math.ceil(LEAST_SEEN / max(1, min(images, config.data.limit or images)))
    return chosen.replace(epochs=min(MOST_EPOCHS, max(passes, chosen.training.epochs)))


def with_fast_recipe(config: Config, given: frozenset[str]) -> Config:
    """Return a configuration with the recipe for few passes, unless the user has chosen another.

    Args:
        config: All settings.
        given: The names of the settings that the user has given. The epochs and the augmentation
            are kept if they are among them, or are not the defaults.
    """
    said = _said(config, given)
    if CHOSEN & said or config.transfer.changed():
        return config
    kept: dict[str, Any] = {"epochs": config.training.epochs} if "epochs" in said else {}
    fast = config.replace(recipe="fast", **kept)
    return replace(fast, augment=config.augment) if AUGMENTATION & said else fast


def _said(config: Config, given: frozenset[str]) -> set[str]:
    """Return the names of the settings that were given, or that are not the defaults."""
    sections = (config.model, config.training, config.augment)
    return {*given, *(name for section in sections for name in section.changed())}
