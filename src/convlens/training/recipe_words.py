"""Recipe words: the length and the optimization of a training in words."""

from convlens.config import LEARNING_RATES, Config
from convlens.language import _, ngettext


def describe_recipe(config: Config) -> str:
    """Return the length, the batch size, the optimizer and the learning rate in words.

    >>> describe_recipe(Config().replace(epochs=1, learning_rate=0.002))
    '1 epoch, batch 64, adamw, learning rate 0.002 (one-cycle)'
    """
    epochs = config.training.epochs
    recipe = ngettext("{epochs} epoch, {optimization}", "{epochs} epochs, {optimization}", epochs)
    return recipe.format(epochs=epochs, optimization=describe_optimization(config))


def describe_optimization(config: Config) -> str:
    """Return the batch size, the optimizer and the learning rate in words."""
    settings = config.training
    said = _("batch {batch}, {optimizer}, learning rate {rate:g} ({schedule})").format(
        batch=settings.batch_size,
        optimizer=settings.optimizer,
        rate=settings.learning_rate or LEARNING_RATES[settings.optimizer],
        schedule=settings.schedule.replace("_", "-"),
    )
    return _("{recipe}, averaged weights").format(recipe=said) if settings.average_weights else said
