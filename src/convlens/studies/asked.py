"""Asked: whether what is asked of a study makes sense, which is said before the engine is imported.

The import takes seconds, for which nobody who has mistyped a number should wait.
"""

import math

from convlens.errors import ConfigError
from convlens.language import _


def check_folds(k: int) -> None:
    """Raise ConfigError if a cross-validation has fewer than two folds."""
    if k < 2:
        raise ConfigError(_("--folds must be at least 2; found {k}.").format(k=k))


def check_few(k: int, draws: int) -> None:
    """Raise ConfigError if a training on few images has no image or fewer than two draws."""
    if k < 1 or draws < 2:
        raise ConfigError(
            _("--few must be at least 1 and --draws at least 2; found {k} and {draws}.").format(
                k=k, draws=draws
            )
        )


def check_search(trials: int, minutes: float | None, generation: int) -> None:
    """Raise ConfigError unless a search has trials, a generation has one, and there is time."""
    if trials < 2:
        raise ConfigError(_("--trials must be at least 2; found {trials}.").format(trials=trials))
    if minutes is not None:
        check_minutes(minutes)
    if generation < 1:
        raise ConfigError(
            _("--generation must be at least 1; found {generation}.").format(generation=generation)
        )


def check_minutes(minutes: float) -> None:
    """Raise ConfigError unless the minutes of a study are more than 0 and finite."""
    if not 0 < minutes < math.inf:
        raise ConfigError(
            _("--minutes must be more than 0; found {minutes:g}.").format(minutes=minutes)
        )
