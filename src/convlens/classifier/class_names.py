"""Class names: which class of a classifier a user means."""

from collections.abc import Sequence
from difflib import get_close_matches

from convlens.errors import ConfigError
from convlens.files import and_more
from convlens.language import _, one_of

NAMES = 10  # classes in a message


def find_class(name: str, known: Sequence[str]) -> int:
    """Return the number of a class of a classifier.

    Raises:
        ConfigError: If the classifier does not know it; near names are suggested.
    """
    if name in known:
        return known.index(name)
    lower = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), lower, n=3)
    rule = _("the classifier knows no class {name!r}; it knows {classes}.")
    if near:
        rule = _("the classifier knows no class {name!r}; did you mean {near}?")
    raise ConfigError(
        rule.format(
            name=name,
            near=one_of([lower[one] for one in near]),
            classes=and_more(known, NAMES),
        )
    )


def refuse_same_class(label: str | int, against: str | int | None) -> None:
    """Raise ConfigError if a class is to be explained against itself."""
    if label == against:
        raise ConfigError(
            _("a class is explained against another one; --class and --against are the same.")
        )
