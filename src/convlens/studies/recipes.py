"""Recipes: what each network of a comparison is trained with, and for how many epochs.

All networks share one recipe. How many epochs fill the time is measured for each of them before
the first one is trained.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from convlens import backend
from convlens.anatomy.summary import count_multiply_adds, rounded
from convlens.augmentation import describe_augmentation
from convlens.budget.measure import measure_costs
from convlens.budget.plan import Costs, least_seconds, plan
from convlens.config import Config
from convlens.data.prepared import Prepared
from convlens.errors import ConfigError, ModelError, TrainingError
from convlens.language import _, listed, sentences
from convlens.pipeline import open_trainer
from convlens.screen import Screen, count_epochs
from convlens.training.network import choose_network
from convlens.training.recipe_words import describe_optimization
from convlens.zoo.create import LEAST_WITH_STEM
from convlens.zoo.registry import model_info

LEAST_TIMED = 2.0  # the fewest seconds in which the steps of a network are timed
TIMED = 0.05  # the share of a network's time in which its steps are timed


def make_recipes(names: Sequence[str], config: Config) -> dict[str, Config]:
    """Return the configuration of each network.

    Args:
        names: The networks.
        config: The shared recipe. Its small stem is used only by networks that have one.
    """
    recipes = {}
    for name in names:
        has_stem = min(model_info(name).input_shape[:2]) >= LEAST_WITH_STEM
        stem = config.model.stem if has_stem else "paper"
        recipes[name] = config.replace(model=name, stem=stem)
    return recipes


def for_network(prepared: Prepared, name: str) -> Prepared:
    """Return the same images and split, scaled as the network expects them."""
    scaled = replace(prepared.preprocessing, scale=model_info(name).scale)
    return replace(prepared, preprocessing=scaled)


def check_models(recipes: Mapping[str, Config], prepared: Prepared) -> None:
    """Build each network once.

    Raises:
        ModelError: If networks cannot take the images. All of them are named.
    """
    problems = []
    for name, config in recipes.items():
        try:
            choose_network(config).assemble(for_network(prepared, name), config)
        except ModelError as error:
            problems.append(str(error))
    if problems:
        advice = _("Take another --size, or leave out of --models what cannot.")
        raise ModelError(sentences(*problems, advice))


def plan_networks(
    recipes: Mapping[str, Config], prepared: Prepared, seconds: float, screen: Screen
) -> dict[str, Config]:
    """Measure each network, and return its configuration with the epochs that fill the time.

    Args:
        recipes: The configuration of each network.
        prepared: The images and their split.
        seconds: The time of each network.
        screen: Where the plan is printed.

    Raises:
        ConfigError: If the time is too short for one step of a network.
        TrainingError: If the loss of a network is not finite while it is measured.
    """
    rows: list[tuple[str, ...]] = []
    planned: dict[str, Config] = {}
    too_long: dict[str, float] = {}
    for name, config in recipes.items():
        with screen.status(_("measuring {name}").format(name=name)), backend.forgotten():
            costs, resolved, size = _measure(name, config, prepared, seconds)
        if seconds < least_seconds(costs):
            too_long[name] = least_seconds(costs)
            continue
        steps_per_pass = math.ceil(len(prepared.splits.train) / resolved.training.batch_size)
        length = plan(seconds, costs, steps_per_pass)
        planned[name] = resolved.replace(
            epochs=length.epochs, steps_per_epoch=length.steps_per_epoch
        )
        epochs = _("{epochs}, {passes:.1f} passes").format(
            epochs=count_epochs(length.epochs), passes=length.steps / steps_per_pass
        )
        step = "{milliseconds:.0f} ms".format(milliseconds=1000 * costs.step)
        rows.append((name, *size, step, epochs, config.model.stem))
    if too_long:
        raise _too_short(seconds, too_long)
    _show(next(iter(planned.values())), rows, screen)
    return planned


def _too_short(seconds: float, needed: Mapping[str, float]) -> ConfigError:
    """Return the error of networks that need more seconds for one step than each of them has."""
    worst = max(needed, key=lambda name: needed[name])
    return ConfigError(
        _(
            "--minutes {minutes:g} is too short for {names}: one step, its validation and its "
            "writing take {needed:.2g} minutes ({worst}, measured). Give more, a smaller "
            "--batch-size or --size, or leave it out."
        ).format(
            minutes=seconds / 60,
            names=listed(needed),
            needed=needed[worst] / 60,
            worst=worst,
        )
    )


def _show(shared: Config, rows: Sequence[tuple[str, ...]], screen: Screen) -> None:
    """Print the recipe that the networks share, and a row for each of them."""
    recipe = _("{optimization}, {precision}").format(
        optimization=describe_optimization(shared), precision=shared.training.precision
    )
    augmentation = describe_augmentation(shared.augment)
    headings = (
        _("model"),
        _("parameters"),
        _("mult-adds"),
        _("a step"),
        _("planned"),
        _("stem"),
    )
    screen.say()
    screen.facts([(_("recipe"), recipe), (_("augmentation"), augmentation)])
    screen.columns([headings, *rows], left=(0, 5))


def _measure(
    name: str, config: Config, prepared: Prepared, seconds: float
) -> tuple[Costs, Config, tuple[str, str]]:
    """Return a network's costs, its configuration, and its parameters and multiply-adds as text.

    The last two are those of the classifier, which has no auxiliary heads.
    """
    trainer = open_trainer(for_network(prepared, name), config, Screen(quiet=True))
    network = trainer.setup.classifier().model
    size = (rounded(network.count_params()), rounded(count_multiply_adds(network)))
    try:
        costs = measure_costs(trainer, max(LEAST_TIMED, TIMED * seconds))
    except TrainingError as error:
        raise TrainingError(
            _("{name}, while it was measured: {error}").format(name=name, error=error)
        ) from error
    return costs, trainer.setup.config, size
