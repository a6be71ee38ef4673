"""Augmentation: whether a training changes its images at random, and how, in words."""

from dataclasses import asdict

from convlens.config import AugmentConfig
from convlens.language import N_, _, listed

CHANGES = {  # that have a name in each language
    "flip": N_("flip"),
    "shift": N_("shift"),
    "zoom": N_("zoom"),
    "rotate": N_("rotate"),
    "shear": N_("shear"),
    "erase": N_("erase"),
}


def is_augmented(augmentation: AugmentConfig) -> bool:
    """Return whether a resolved configuration changes the training images at random."""
    return any(value for name, value in asdict(augmentation).items() if name != "augment")


def describe_augmentation(augmentation: AugmentConfig) -> str:
    """Return the augmentation in words.

    >>> describe_augmentation(AugmentConfig(augment="none", flip=True, shift=0.1))
    'flip, shift 0.1'
    """
    words = [
        _describe_change(name, value)
        for name, value in asdict(augmentation).items()
        if name != "augment" and value
    ]
    return listed(words) if words else _("no augmentation")


def _describe_change(name: str, value: float) -> str:
    change = _(CHANGES[name]) if name in CHANGES else name
    if value is True:
        return change
    return _("{change} {size:g}").format(change=change, size=value)
