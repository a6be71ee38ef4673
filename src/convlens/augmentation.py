"""Augmentation: the random changes of training images, by preset and settings, and in words."""

from dataclasses import asdict, fields, replace

from convlens.config import AUGMENT_PRESETS, AugmentConfig
from convlens.language import N_, _, listed

CHANGES = {  # that have a name in each language
    "flip": N_("flip"),
    "shift": N_("shift"),
    "zoom": N_("zoom"),
    "rotate": N_("rotate"),
    "shear": N_("shear"),
    "erase": N_("erase"),
}


def resolve(config: AugmentConfig, *, flip_allowed: bool) -> AugmentConfig:
    """Return the configuration with every field set.

    A field that is not given takes the value of the preset, or else is off.

    Args:
        config: The configuration as given.
        flip_allowed: The value of `flip` if it is not given and the preset is not "none"; see
            `convlens.data.augment.flip_is_safe`.

    Example:
        >>> resolve(AugmentConfig(augment="none", shift=0.2), flip_allowed=True).shift
        0.2
    """
    preset = {
        "flip": flip_allowed and config.augment != "none",
        "randaugment": 0,
        **AUGMENT_PRESETS[config.augment],
    }
    missing = [item.name for item in fields(config) if getattr(config, item.name) is None]
    return replace(config, **{name: preset.get(name, 0.0) for name in missing})


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
    return listed(words) if words else _("none")


def _describe_change(name: str, value: float) -> str:
    change = _(CHANGES[name]) if name in CHANGES else name
    if value is True:
        return change
    return _("{change} {size:g}").format(change=change, size=value)
