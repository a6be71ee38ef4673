"""Sections of training: the settings of the augmentation and of the training itself."""

from dataclasses import dataclass

from convlens.language import N_
from convlens.presets import AUGMENT_PRESETS, LEARNING_RATES, RECIPES, SCHEDULES
from convlens.setting import Section, setting


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
            "preset for the network and its training (fast learns in few epochs; standard is "
            "small_resnet, trained with adamw for 20 epochs); other flags take precedence"
        ),
        choices=tuple(RECIPES),
    )
    epochs: int = setting(
        20,
        N_(
            "number of epochs; an epoch is one pass over the training images, or the number "
            "of steps in --steps-per-epoch"
        ),
        low=1,
    )
    steps_per_epoch: int | None = setting(
        None,
        N_(
            "number of steps in an epoch; each epoch ends with a validation (default: one "
            "pass over the images)"
        ),
        low=1,
    )
    batch_size: int = setting(64, N_("number of images in a batch"), low=1)
    micro_batch: int | None = setting(
        None,
        N_(
            "number of images of a batch that are computed at a time; their gradients are "
            "added up; 0 is the whole batch (default: as many as fit into the memory)"
        ),
        low=0,
    )
    learning_rate: float | None = setting(
        None, N_("largest learning rate (default: depends on the optimizer)"), above=0
    )
    optimizer: str = setting("adamw", N_("optimizer"), choices=tuple(LEARNING_RATES))
    schedule: str = setting("one_cycle", N_("schedule of the learning rate"), choices=SCHEDULES)
    warmup_epochs: float = setting(
        1.0,
        N_("epochs of warm-up, in which the learning rate rises before it follows the cosine"),
        low=0,
    )
    weight_decay: float = setting(
        0.05,
        N_("weight decay: with adamw of all kernels, with muon of the last kernel only"),
        low=0,
        high=1,
    )
    label_smoothing: float = setting(
        0.0, N_("share of a label that is spread over all classes"), low=0, high=0.5
    )
    average_weights: bool = setting(
        False,
        N_(
            "validate and keep an average of the weights of the latest steps (their mean age "
            "is a tenth of the steps so far) instead of the weights of the last step"
        ),
    )
    class_weights: str = setting(
        "auto",
        N_(
            "give rare classes more weight (auto does so if the largest class has at least "
            "1.5 times as many images as the smallest)"
        ),
        choices=("auto", "on", "off"),
    )
    patience: int = setting(
        0,
        N_(
            "number of epochs without a better validation score after which the training "
            "stops; 0 switches this off"
        ),
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
            "number of processes of --cluster that train one network together, each on its "
            "share of every batch (--backend jax)"
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
            "calibrate the probabilities on the validation images, and choose the threshold "
            "for the answer 'none of these'"
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
        0,
        N_("number of states of the network that are kept during the training; 0 is none"),
        low=0,
        high=1000,
    )
