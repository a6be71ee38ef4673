"""Recipe choice: the training of people who do not say which one they want.

It is the recipe for few passes, `--recipe fast`. On many images it was more accurate than
`small_resnet` in half of the time, and on few images in about the same time
(docs/decisions/fast.md). Whoever names a network, a backbone, an optimizer or another part of a
training gets the defaults that `convlens.sections` documents.
"""

import math
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from convlens.config import DEFAULTS, Config
from convlens.presets import FAST, RECIPES
from convlens.sections import TransferConfig

if TYPE_CHECKING:
    from convlens.data.dataset import Dataset

# Whoever sets one of these has a training in mind that the recipe for few passes would change.
PARTS = {
    *(RECIPES[FAST].keys() - {"model", "augment", "epochs"}),
    *("learning_rate", "warmup_epochs", "weight_decay"),
}
CHOSEN = {"recipe", "model", *PARTS, *(item.name for item in fields(TransferConfig))}
# Few images are seen more often, since ten passes over them make too few steps.
LEAST_SEEN = 80_000  # images, those counted that are then set aside for validation and tests
MOST_EPOCHS = 60


def usual_training(config: Config, dataset: "Dataset", images: int | None = None) -> Config:
    """Return the configuration of a training from scratch, where the user has named no other.

    With fewer than 8,000 images there are more than ten epochs, unless the user has given their
    number.

    Args:
        config: All settings.
        dataset: The images.
        images: How many of them are split into those to train on and those to validate and test.
            If None, all that the source has not set aside and `--limit` leaves.
    """
    chosen = with_fast_recipe(config)
    settings = chosen.training
    is_usual = (settings.recipe, settings.epochs) == (FAST, RECIPES[FAST]["epochs"])
    if not is_usual or settings.steps_per_epoch or {"recipe", "epochs"} & config.given:
        return chosen
    share = min(1.0, (config.data.limit or math.inf) / max(1, len(dataset)))
    count = share * dataset.training_size if images is None else images
    passes = math.ceil(LEAST_SEEN / max(1.0, count))
    epochs = min(MOST_EPOCHS, max(passes, settings.epochs))
    return replace(chosen, training=replace(settings, epochs=epochs))


def with_fast_recipe(config: Config) -> Config:
    """Return a configuration with the recipe for few passes, unless another training was named.

    Settings that were given take precedence over those of the recipe.

    Args:
        config: All settings.
    """
    said = _said(config)
    if CHOSEN & said.keys():
        return config
    return replace(Config().replace(recipe=FAST, **said), given=config.given)


def _said(config: Config) -> dict[str, object]:
    """Return the settings that were given, or that are not the defaults."""
    values: dict[str, object] = {}
    for section in config.to_dict().values():
        values |= section
    return {
        name: value
        for name, value in values.items()
        if name in config.given or value != DEFAULTS[name]
    }
