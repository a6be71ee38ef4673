"""Asked: whether what is asked of a study makes sense, which is said before the engine is imported.

The import takes seconds, for which nobody who has mistyped a number should wait.
"""

import math
from collections.abc import Collection

from convlens.config import Config
from convlens.errors import ConfigError
from convlens.language import _
from convlens.setting import flag_of, refuse_outside
from convlens.studies.space import Space, varied_names
from convlens.unread import refuse_unread


def check_folds(k: int) -> None:
    """Raise ConfigError if a cross-validation has fewer than two folds."""
    refuse_outside("--folds", k, low=2)


def check_few(k: int, draws: int | None) -> None:
    """Raise ConfigError if a training on few images has no image or fewer than two draws.

    Args:
        k: The number of images of each class.
        draws: How often they are drawn; None if that was not given.
    """
    refuse_outside("--few", k, low=1)
    refuse_outside("--draws", draws, low=2)


def check_search(trials: int, minutes: float | None, generation: int) -> None:
    """Raise ConfigError unless a search has trials, a generation has one, and there is time."""
    refuse_outside("--trials", trials, low=2)
    if minutes is not None:
        check_minutes(minutes)
    refuse_outside("--generation", generation, low=1)


def check_settings(given: Collection[str], space: Space, config: Config) -> None:
    """Raise ConfigError if a search would not read a setting that was given.

    Args:
        given: The names of the settings that flags give.
        space: The settings that are varied.
        config: The configuration with all other settings.
    """
    for name in varied_names(space):
        if name in given:
            raise ConfigError(
                _(
                    "{flag} gives one value of a setting that the search varies. Leave it out, or "
                    "name with --vary what is varied instead."
                ).format(flag=flag_of(name))
            )
    values = {name: dimension.ends for name, dimension in space.items()}
    refuse_unread([*given, *space], config, several=values)


def check_minutes(minutes: float) -> None:
    """Raise ConfigError unless the minutes of a study are more than 0 and finite."""
    if not 0 < minutes < math.inf:
        raise ConfigError(
            _("--minutes must be more than 0; found {minutes:g}.").format(minutes=minutes)
        )
