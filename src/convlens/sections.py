"""Sections: every setting with its default, its help and its range.

The flags of the command line, the sections of `run.toml` and the options page of the documentation
are made from these fields and those of `convlens.sections_of_training`. Nothing else holds a
default, except that a training that nobody has named follows a recipe (`convlens.recipe_choice`).
"""

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from convlens.errors import ConfigError
from convlens.language import N_, _
from convlens.presets import ACTIVATIONS, INITIALIZERS
from convlens.sections_of_training import AugmentConfig, TrainingConfig
from convlens.setting import Section, setting

LARGEST_SIDE = 4096  # pixels


def parse_size(text: str) -> tuple[int, int]:
    """Return (height, width) of a size such as "64" or "48x64".

    Raises:
        ConfigError: If the text has another form, or a side is above 4096.
    """
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", text)
    height = int(match[1]) if match else 0
    width = int(match[2] or height) if match else 0
    if not (1 <= height <= LARGEST_SIDE and 1 <= width <= LARGEST_SIDE):
        raise ConfigError(
            _(
                "--size must be a side such as 64, or height x width such as 48x64, up to "
                "{largest}; found {text!r}."
            ).format(largest=LARGEST_SIDE, text=text)
        )
    return height, width


@dataclass(frozen=True)
class DataConfig(Section):
    """Which images are used, in which size, and how they are split."""

    size: str = setting(
        "auto",
        N_(
            "size of the images in pixels: a side such as 64, height x width such as 48x64, or auto"
        ),
    )
    fit: str = setting(
        "auto",
        N_(
            "how images of another shape are fitted to the size (auto stretches them; for a "
            "backbone, it crops them, as when the backbone was scored)"
        ),
        choices=("auto", "stretch", "crop", "pad"),
    )
    channels: str = setting(
        "auto",
        N_("colours of the images (auto is grey if every image is grey)"),
        choices=("auto", "grey", "rgb"),
    )
    layout: str = setting(
        "auto",
        N_(
            "whether folders that are named like splits, such as train, are splits or classes"
            " (auto takes them as splits, unless images in other folders would be left out)"
        ),
        choices=("auto", "classes", "splits"),
    )
    val: float = setting(
        0.2, N_("share of the training images kept for validation"), low=0, high=0.9
    )
    test: float = setting(
        0.2,
        N_("share of all images kept for the test, if the source has no test set"),
        low=0,
        high=0.9,
    )
    limit: int | None = setting(None, N_("largest number of images to use, drawn by class"), low=2)
    pattern: str | None = setting(
        None,
        N_("regular expression that finds the label in a file name, with a group (?P<label>...)"),
    )
    audit: bool = setting(
        True,
        N_("check the images before the training, as `convlens audit` does, in short form"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size != "auto":
            parse_size(self.size)


@dataclass(frozen=True)
class ModelConfig(Section):
    """Which network is trained.

    The fields after the second are for `custom_cnn`; a backbone reads `pooling`, too.
    """

    model: str = setting("small_resnet", N_("name of the network (`convlens models` lists them)"))
    stem: str = setting(
        "paper",
        N_(
            "first layers of the network (small keeps the size of the images; the first "
            "layers of many papers reduce each side to a quarter)"
        ),
        choices=("paper", "small"),
    )
    filters: tuple[int, ...] = setting(
        (32, 64, 128), N_("custom_cnn: filters of each block"), low=1, high=4096
    )
    convs_per_block: int = setting(1, N_("custom_cnn: convolutions in a block"), low=1, high=8)
    kernel_size: int = setting(3, N_("custom_cnn: side of the kernels"), low=1, high=31)
    strides: int = setting(1, N_("custom_cnn: strides of the convolutions"), low=1, high=8)
    padding: str = setting(
        "same", N_("custom_cnn: padding of the convolutions"), choices=("same", "valid")
    )
    pooling: str | None = setting(
        None,
        N_(
            "custom_cnn: kind of pooling (default max); with a backbone, how the last feature map "
            "becomes a vector (default average)"
        ),
        choices=("max", "average", "avg", "none"),
    )
    pool_size: int = setting(2, N_("custom_cnn: side of the pooling window"), low=1, high=16)
    pool_strides: int | None = setting(
        None, N_("custom_cnn: strides of the pooling (default: its side)"), low=1, high=16
    )
    dense: tuple[int, ...] = setting(
        (128,), N_("custom_cnn: units of the dense layers before the last"), low=1, high=65536
    )
    dropout: float = setting(
        0.25, N_("custom_cnn: dropout rate after each block and dense layer"), low=0, high=0.95
    )
    activation: str = setting("relu", N_("custom_cnn: activation"), choices=ACTIVATIONS)
    initializer: str = setting(
        "glorot_uniform", N_("custom_cnn: initializer of the weights"), choices=INITIALIZERS
    )


@dataclass(frozen=True)
class TransferConfig(Section):
    """Which trained network is used, and how much of it is trained further."""

    backbone: str | None = setting(
        None,
        N_(
            "trained network whose features are used, while only a head is trained: a name, a "
            "classifier file or a run"
        ),
    )
    weights: str | None = setting(
        None,
        N_(
            "trained weights of the network: imagenet, or a file (.h5, .weights.h5, .keras) with "
            "or without its head"
        ),
    )
    head: tuple[int, ...] = setting(
        (), N_("units of dense layers between the features and the logits"), low=1, high=65536
    )
    unfreeze: str | None = setting(
        None,
        N_(
            "layers that are trained after the head: patterns separated by commas, such as "
            "block5_conv*, the number of last layers, or all; see --keep-maps"
        ),
    )
    layer_decay: float = setting(
        0.5,
        N_(
            "learning rate of the layers on the next larger feature map, as a share of that "
            "of the layers above"
        ),
        above=0,
        high=1,
    )
    gradual: bool = setting(
        False,
        N_(
            "unfreeze the layers from the last to the first, one size of feature map at a "
            "time, during the first half of the training"
        ),
    )
    train_batch_norm: bool = setting(
        False,
        N_(
            "also train unfrozen batch normalisations, with the statistics of the batches; "
            "otherwise they keep their own statistics"
        ),
    )
    keep_maps: bool | None = setting(
        None,
        N_(
            "compute the frozen layers below the trained ones only once for each image, and "
            "keep their feature maps (default: if images are not augmented, except by flips)"
        ),
    )


SECTIONS: dict[str, type[Section]] = {
    "data": DataConfig,
    "model": ModelConfig,
    "transfer": TransferConfig,
    "augment": AugmentConfig,
    "training": TrainingConfig,
}


def all_settings() -> Iterator[tuple[str, dataclasses.Field[Any]]]:
    """Yield the name of the section and the field of every setting, in order."""
    for name, section in SECTIONS.items():
        for item in dataclasses.fields(section):
            yield name, item
