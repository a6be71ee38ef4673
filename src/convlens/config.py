"""Every setting once: frozen dataclasses with help and range.

The flags of the command line, the sections of `run.toml` and the options page of the documentation are made from
the fields below; nothing else holds a default.
"""

import dataclasses
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import tomli_w

from convlens.errors import ConfigError
from convlens.setting import Section, setting, typed, unknown

__all__ = [
    "AUGMENT_PRESETS",
    "LEARNING_RATES",
    "AugmentConfig",
    "Config",
    "DataConfig",
    "ModelConfig",
    "TrainingConfig",
    "TransferConfig",
    "all_settings",
]

LEARNING_RATES = {  # a good first value by optimizer; Keras' own default for adadelta, 0.001, hardly moves
    "sgd": 0.05,
    "momentum": 0.02,
    "adam": 1e-3,
    "adamw": 2e-3,
    "rmsprop": 1e-3,
    "adagrad": 1e-2,
    "adadelta": 1.0,
}

AUGMENT_PRESETS: dict[
    str, dict[str, Any]
] = {  # a row sets single fields of AugmentConfig; flip is decided by the data
    "none": {},
    "light": {"shift": 0.1, "zoom": 0.1, "rotate": 5.0},
    "strong": {
        "shift": 0.1,
        "zoom": 0.25,
        "rotate": 10.0,
        "shear": 5.0,
        "erase": 0.25,
        "randaugment": 1,
    },
}


@dataclass(frozen=True)
class DataConfig(Section):
    """Which images, how large, and how they are divided."""

    size: str = setting(
        "auto", "side of the images in pixels: 64, or height x width as 48x64, or auto"
    )
    fit: str = setting(
        "auto",
        "how an image of another shape is made to fit (auto: stretch, or crop for a backbone, as it was scored)",
        choices=("auto", "stretch", "crop", "pad"),
    )
    channels: str = setting(
        "auto", "colour, or grey where every image is", choices=("auto", "grey", "rgb")
    )
    val: float = setting(0.2, "share of the training images kept for validation", low=0, high=0.9)
    test: float = setting(
        0.2,
        "share of all images kept for the test, where the source has no test set",
        low=0,
        high=0.9,
    )
    limit: int | None = setting(None, "use at most so many images, a stratified draw", low=2)
    pattern: str | None = setting(
        None, "label in a file name: a regular expression with a group (?P<label>...)"
    )


@dataclass(frozen=True)
class ModelConfig(Section):
    """Which network; the fields after the second shape `custom_cnn` only."""

    model: str = setting("small_resnet", "name of the network (`convlens models` lists them)")
    stem: str = setting(
        "paper",
        "first layers: the paper's, or small, where those that shrink an image to a quarter of its side keep it",
        choices=("paper", "small"),
    )
    filters: tuple[int, ...] = setting(
        (32, 64, 128), "custom_cnn: filters of each block", low=1, high=4096
    )
    convs_per_block: int = setting(1, "custom_cnn: convolutions in a block", low=1, high=8)
    kernel_size: int = setting(3, "custom_cnn: side of the kernels", low=1, high=31)
    strides: int = setting(1, "custom_cnn: step of the convolutions", low=1, high=8)
    padding: str = setting(
        "same", "custom_cnn: border of the convolutions", choices=("same", "valid")
    )
    pooling: str | None = setting(
        None,
        "custom_cnn: kind of pooling (max where not given); of a backbone: how its last map becomes a vector (average)",
        choices=("max", "average", "avg", "none"),
    )
    pool_size: int = setting(2, "custom_cnn: side of the pooling window", low=1, high=16)
    pool_strides: int | None = setting(
        None, "custom_cnn: step of the pooling (its side where not given)", low=1, high=16
    )
    dense: tuple[int, ...] = setting(
        (128,), "custom_cnn: units of the dense layers before the last", low=1, high=65536
    )
    dropout: float = setting(
        0.25, "custom_cnn: dropout after each block and dense layer", low=0, high=0.95
    )
    activation: str = setting(
        "relu",
        "custom_cnn: activation",
        choices=("relu", "leaky_relu", "elu", "selu", "silu", "gelu", "tanh", "sigmoid"),
    )
    initializer: str = setting(
        "glorot_uniform",
        "custom_cnn: how weights start",
        choices=(
            "glorot_uniform",
            "glorot_normal",
            "he_uniform",
            "he_normal",
            "lecun_normal",
            "random_normal",
            "random_uniform",
        ),
    )


@dataclass(frozen=True)
class TransferConfig(Section):
    """Somebody else's network: which, and how much of it learns on."""

    backbone: str | None = setting(
        None,
        "take the features of a trained network: its name, or a classifier file or run; only a head learns",
    )
    weights: str | None = setting(
        None,
        "trained weights of the network: imagenet, or a file (.h5, .weights.h5, .keras) with or without its head",
    )
    head: tuple[int, ...] = setting(
        (), "units of dense layers between the features and the answer", low=1, high=65536
    )
    unfreeze: str | None = setting(
        None,
        "layers that learn on after the head: patterns with commas (block5_conv*), the last so many, or all",
    )
    layer_decay: float = setting(
        0.5,
        "learning rate of the layers on the next larger map, as a share of those above",
        above=0,
        high=1,
    )
    gradual: bool = setting(
        False, "unfreeze from the top down, one size of map after another, in the first half"
    )
    train_batch_norm: bool = setting(
        False,
        "let unfrozen batch normalisations learn too, from the batches; else they keep their statistics",
    )


@dataclass(frozen=True)
class AugmentConfig(Section):
    """Random changes of the training images; a field that is not given has the preset's value."""

    augment: str = setting("light", "preset for the fields below", choices=tuple(AUGMENT_PRESETS))
    flip: bool | None = setting(
        None, "mirror left and right (where not given: only where the classes allow it)"
    )
    shift: float | None = setting(None, "largest shift, as a share of the side", low=0, high=0.5)
    zoom: float | None = setting(None, "largest zoom in or out, as a share", low=0, high=0.9)
    rotate: float | None = setting(None, "largest rotation, degrees", low=0, high=180)
    shear: float | None = setting(None, "largest shear, degrees", low=0, high=60)
    erase: float | None = setting(None, "probability that a rectangle is erased", low=0, high=1)
    randaugment: int | None = setting(
        None, "number of random colour operations on an image", low=0, high=8
    )
    mixup: float | None = setting(None, "alpha of mixup; 0 is off", low=0, high=10)
    cutmix: float | None = setting(None, "alpha of cutmix; 0 is off", low=0, high=10)


@dataclass(frozen=True)
class TrainingConfig(Section):
    """How the network learns."""

    epochs: int = setting(
        20, "passes over the training images, or of --steps-per-epoch steps", low=1
    )
    steps_per_epoch: int | None = setting(
        None,
        "steps of an epoch, after which it is validated (where not given: one pass over the images)",
        low=1,
    )
    batch_size: int = setting(64, "images in a step", low=1)
    learning_rate: float | None = setting(
        None, "largest step size (where not given: by optimizer)", above=0
    )
    optimizer: str = setting("adamw", "optimizer", choices=tuple(LEARNING_RATES))
    schedule: str = setting(
        "one_cycle", "learning rate over time", choices=("constant", "cosine", "one_cycle")
    )
    warmup_epochs: float = setting(1.0, "epochs of rising learning rate before the cosine", low=0)
    weight_decay: float = setting(0.05, "adamw: decay of the kernels", low=0, high=1)
    label_smoothing: float = setting(
        0.0, "share of a label spread over all classes", low=0, high=0.5
    )
    class_weights: str = setting(
        "auto",
        "weigh rare classes more (auto: where the largest has 1.5 times the smallest)",
        choices=("auto", "on", "off"),
    )
    patience: int = setting(
        0, "stop after so many epochs without a better validation score; 0 is never", low=0
    )
    seed: int = setting(0, "every random choice follows from it", low=0, high=2**31 - 1)
    precision: str = setting(
        "auto", "arithmetic of the training", choices=("auto", "float32", "bfloat16")
    )
    threads: int | None = setting(
        None, "processor threads (where not given: all)", low=1, high=1024
    )
    backend: str = setting(
        "auto",
        "engine under Keras (auto: KERAS_BACKEND, else tensorflow)",
        choices=("auto", "tensorflow", "jax", "torch"),
    )
    calibration: bool = setting(
        True,
        "make probabilities honest on the validation images, and choose a threshold for none of these",
    )
    accept: float = setting(
        0.95,
        "share of the rightly named validation images that the threshold lets pass",
        low=0.5,
        high=1,
    )
    tensorboard: bool = setting(False, "write scalars, histograms and the graph for TensorBoard")


@dataclass(frozen=True)
class Config:
    """The whole configuration: what `run.toml` holds."""

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    transfer: TransferConfig = TransferConfig()
    augment: AugmentConfig = AugmentConfig()
    training: TrainingConfig = TrainingConfig()

    def replace(self, **values: Any) -> "Config":
        """Return a copy with settings changed by name, whatever their section.

        What follows from a changed setting is decided anew: a new `augment` resets the other fields of its section, a new
        `optimizer` the learning rate, a `backbone` has no augmentation, so that its features are computed once, and
        layers that `unfreeze` learn for 5 epochs in batches of 32 with light augmentation; unless they are given too.

        Raises:
            ConfigError: an unknown name, or a value of the wrong type or out of range.

        >>> Config().replace(epochs=3, size="32").training.epochs
        3
        """
        if values.get("unfreeze") is not None:
            values = {"augment": "light", "epochs": 5, "batch_size": 32} | values
        elif values.get("backbone") is not None:
            values = {"augment": "none"} | values
        if "augment" in values:
            values = (
                dict.fromkeys((item.name for item in dataclasses.fields(AugmentConfig)), None)
                | values
            )
        if "optimizer" in values:
            values = {"learning_rate": None} | values
        sections: dict[str, dict[str, Any]] = {name: {} for name in _SECTIONS}
        where = {item.name: section for section, item in all_settings()}
        for name, value in values.items():
            if name not in where:
                raise ConfigError(unknown(name, list(where)))
            sections[where[name]][name] = typed(name, value, _SECTIONS[where[name]])
        changed = {
            name: dataclasses.replace(getattr(self, name), **some)
            for name, some in sections.items()
        }
        return dataclasses.replace(self, **changed)

    def to_toml(self) -> str:
        """Return the text of `run.toml`; a setting that is None is left out."""
        sections = {name: dataclasses.asdict(getattr(self, name)) for name in _SECTIONS}
        kept = {
            n: {k: v for k, v in values.items() if v is not None} for n, values in sections.items()
        }
        return tomli_w.dumps(kept)

    @classmethod
    def from_toml(cls, path: str | Path) -> "Config":
        """Read `run.toml`. Raises ConfigError for a file that is missing, malformed, or has unknown names."""
        try:
            table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(
                f"{path}: a configuration must be a readable file; {error.strerror}."
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: a configuration must be TOML; {error}.") from error
        values: dict[str, Any] = {}
        for section, entries in table.items():
            if section not in _SECTIONS or not isinstance(entries, Mapping):
                raise ConfigError(f"{path}: {unknown(section, list(_SECTIONS), 'section')}")
            if strangers := [
                name for name in entries if name not in get_type_hints(_SECTIONS[section])
            ]:
                raise ConfigError(
                    f"{path}: {unknown(strangers[0], list(get_type_hints(_SECTIONS[section])))}"
                )
            values |= entries
        try:
            return cls().replace(**values)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error


_SECTIONS: dict[str, type[Section]] = {
    "data": DataConfig,
    "model": ModelConfig,
    "transfer": TransferConfig,
    "augment": AugmentConfig,
    "training": TrainingConfig,
}


def all_settings() -> Iterator[tuple[str, dataclasses.Field[Any]]]:
    """Yield (section, field) of every setting, in order."""
    for name, section in _SECTIONS.items():
        for item in dataclasses.fields(section):
            yield name, item
