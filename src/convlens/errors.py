"""Every error that convlens raises on purpose, one tree, and the exit code of each.

    ConvlensError              1  the root: catch this to catch them all
    ├── ConfigError            2  a flag, a field of run.toml or an argument out of range
    ├── DataError              3  a data source that is missing, empty or malformed
    │   └── ImageError       3  one image that cannot be read
    ├── ModelError             4  an unknown model, or one that cannot take these images
    ├── RunError               5  a run folder that is missing, taken or not finished
    ├── ClassifierError        6  a classifier file that was cut, changed or is not one
    ├── TrainingError          7  a training that cannot go on (the loss is not finite)
    ├── BackendError           8  an engine (TensorFlow, JAX, PyTorch) that is missing
    ├── StorageError           9  a disk that is full or cannot be written
    └── Interrupted          130  Ctrl-C, after what was done has been kept

A message says what must hold, what was found and where, and what to do.
"""

from typing import ClassVar

__all__ = [
    "BackendError",
    "ClassifierError",
    "ConfigError",
    "ConvlensError",
    "DataError",
    "Interrupted",
    "ModelError",
    "ImageError",
    "RunError",
    "StorageError",
    "TrainingError",
]


class ConvlensError(Exception):
    """Root of the tree; `exit_code` is what the command line returns for it."""

    exit_code: ClassVar[int] = 1


class ConfigError(ConvlensError):
    """A flag, a field of run.toml or an argument is out of range or does not exist."""

    exit_code = 2


class DataError(ConvlensError):
    """A data source is missing, empty or malformed."""

    exit_code = 3


class ImageError(DataError):
    """One image cannot be read: truncated, empty, no image, or too large."""


class ModelError(ConvlensError):
    """A model is unknown, or cannot take images of this size."""

    exit_code = 4


class RunError(ConvlensError):
    """A run folder is missing, taken, or lacks what is asked of it."""

    exit_code = 5


class ClassifierError(ConvlensError):
    """A classifier file was cut, changed, or is not one."""

    exit_code = 6


class TrainingError(ConvlensError):
    """A training cannot go on, as when the loss is not finite."""

    exit_code = 7


class BackendError(ConvlensError):
    """An engine (TensorFlow, JAX, PyTorch) is missing or was chosen too late."""

    exit_code = 8


class StorageError(ConvlensError):
    """A file cannot be written: disk full, or no permission."""

    exit_code = 9


class Interrupted(ConvlensError):  # noqa: N818 - nothing went wrong
    """Ctrl-C was pressed; what was done has been kept."""

    exit_code = 130
