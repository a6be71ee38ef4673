"""Sections: every setting with its default, its help and its range.

The flags of the command line, the sections of `run.toml` and the options page of the documentation
are made from these fields. Nothing else holds a default.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from convlens.language import N_
from convlens.presets import (
    ACTIVATIONS,
    AUGMENT_PRESETS,
    INITIALIZERS,
    LEARNING_RATES,
    RECIPES,
    SCHEDULES,
)
from convlens.setting import Section, setting


@dataclass(frozen=True)
class DataConfig(Section):
    """Which images are used, in which size, and how they are split."""

    size: str = setting(
        "auto", N_("size of the images in pixels: one side as 64, height x width as 48x64, or auto")
    )
    fit: str = setting(
        "auto",
        N_(
            "how an image of another shape is fitted to the size (auto stretches it, or crops it "
            "for a backbone, as it was scored)"
        ),
        choices=("auto", "stretch", "crop", "pad"),
    )
    channels: str = setting(
        "auto",
        N_("colours of the images (auto is grey where every image is grey)"),
        choices=("auto", "grey", "rgb"),
    )
    layout: str = setting(
        "auto",
        N_(
            "what a folder is whose name is that of a split, such as train (auto takes it as a "
            "split, unless images of other folders would be lost)"
        ),
        choices=("auto", "classes", "splits"),
    )
    val: float = setting(
        0.2, N_("share of the training images kept for validation"), low=0, high=0.9
    )
    test: float = setting(
        0.2,
        N_("share of all images kept for the test, where the source has no test set"),
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


@dataclass(frozen=True)
class ModelConfig(Section):
    """Which network is trained. The fields after the second are for `custom_cnn` only."""

    model: str = setting("small_resnet", N_("name of the network (`convlens models` lists them)"))
    stem: str = setting(
        "paper",
        N_(
            "first layers of the network (small keeps the size of images, which the first layers "
            "of many papers shrink to a quarter of their side)"
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
            "layers that are trained after the head: patterns with commas between them, as "
            "block5_conv*, the number of last layers, or all"
        ),
    )
    layer_decay: float = setting(
        0.5,
        N_("learning rate of the layers on the next larger feature map, as a share of those above"),
        above=0,
        high=1,
    )
    gradual: bool = setting(
        False,
        N_("unfreeze from the top down, one size of feature map after another, in the first half"),
    )
    train_batch_norm: bool = setting(
        False,
        N_(
            "train unfrozen batch normalisations too, on the statistics of the batches; otherwise "
            "they keep their own"
        ),
    )


@dataclass(frozen=True)
class AugmentConfig(Section):
    """How training images are changed at random. A field that is None has the preset's value."""

    augment: str = setting(
        "light", N_("preset for the fields below"), choices=tuple(AUGMENT_PRESETS)
    )
    flip: bool | None = setting(
        None, N_("mirror left and right (default: only where the classes allow it)")
    )
    shift: float | None = setting(
        None, N_("largest shift, as a share of the side"), low=0, high=0.5
    )
    zoom: float | None = setting(None, N_("largest zoom in or out, as a share"), low=0, high=0.9)
    rotate: float | None = setting(None, N_("largest rotation in degrees"), low=0, high=180)
    shear: float | None = setting(None, N_("largest shear in degrees"), low=0, high=60)
    erase: float | None = setting(None, N_("probability that a rectangle is erased"), low=0, high=1)
    randaugment: int | None = setting(
        None, N_("number of random colour operations on an image"), low=0, high=8
    )
    mixup: float | None = setting(None, N_("alpha of mixup; 0 switches it off"), low=0, high=10)
    cutmix: float | None = setting(None, N_("alpha of CutMix; 0 switches it off"), low=0, high=10)


@dataclass(frozen=True)
class TrainingConfig(Section):
    """How the network is trained."""

    recipe: str = setting(
        "standard",
        N_(
            "preset for the network and its training (standard has the defaults of the other "
            "flags; fast learns in few passes, and is used where no network, batch size or setting "
            "of the optimizer is given); other flags take precedence"
        ),
        choices=tuple(RECIPES),
    )
    epochs: int = setting(
        20, N_("passes over the training images, or epochs of --steps-per-epoch steps"), low=1
    )
    steps_per_epoch: int | None = setting(
        None,
        N_("steps of an epoch, which ends with a validation (default: one pass over the images)"),
        low=1,
    )
    batch_size: int = setting(64, N_("images in a step"), low=1)
    micro_batch: int | None = setting(
        None,
        N_(
            "images of a step that are computed at a time, where their gradients are added up; 0 "
            "is all of them (default: as many as fit into the memory)"
        ),
        low=0,
    )
    learning_rate: float | None = setting(
        None, N_("largest learning rate (default: depends on the optimizer)"), above=0
    )
    optimizer: str = setting("adamw", N_("optimizer"), choices=tuple(LEARNING_RATES))
    schedule: str = setting("one_cycle", N_("learning rate over time"), choices=SCHEDULES)
    warmup_epochs: float = setting(
        1.0, N_("epochs in which the learning rate rises before the cosine"), low=0
    )
    weight_decay: float = setting(
        0.05, N_("adamw: weight decay of the kernels; muon: of the last one"), low=0, high=1
    )
    label_smoothing: float = setting(
        0.0, N_("share of a label that is spread over all classes"), low=0, high=0.5
    )
    average_weights: bool = setting(
        False,
        N_(
            "validate and keep an average of the late weights (of a mean age of a tenth of the "
            "steps) instead of those of the last step"
        ),
    )
    class_weights: str = setting(
        "auto",
        N_(
            "weigh rare classes more (auto does so where the largest class has 1.5 times the "
            "images of the smallest)"
        ),
        choices=("auto", "on", "off"),
    )
    patience: int = setting(
        0,
        N_("epochs without a better validation score before the training stops; 0 is never"),
        low=0,
    )
    seed: int = setting(0, N_("seed of every random choice"), low=0, high=2**31 - 1)
    precision: str = setting(
        "auto", N_("arithmetic of the training"), choices=("auto", "float32", "bfloat16")
    )
    threads: int | None = setting(
        None, N_("number of processor threads (default: all)"), low=1, high=1024
    )
    workers: int | None = setting(
        None,
        N_(
            "processes of --cluster that train one network together, each on its share of every "
            "step (--backend jax)"
        ),
        low=1,
        high=4096,
    )
    backend: str = setting(
        "auto",
        N_("engine under Keras (auto is KERAS_BACKEND, or else tensorflow)"),
        choices=("auto", "tensorflow", "jax", "torch"),
    )
    calibration: bool = setting(
        True,
        N_(
            "calibrate the probabilities on the validation images, and choose a threshold for none "
            "of these"
        ),
    )
    accept: float = setting(
        0.95,
        N_("share of the correctly classified validation images that the threshold accepts"),
        low=0.5,
        high=1,
    )
    tensorboard: bool = setting(
        False, N_("write scalars, histograms and the graph for TensorBoard")
    )
    snapshots: int = setting(
        0, N_("states of the network that are kept on the way; 0 is none"), low=0, high=1000
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
