"""Errors: every error that convlens raises on purpose, in one tree, with the exit code of each.

    ConvlensError              1  the root: catch it to catch them all
    ├── ConfigError            2  a flag, a field of run.toml or an argument is wrong
    ├── DataError              3  a data source is missing, empty or malformed
    │   └── ImageError         3  one image cannot be read
    ├── ModelError             4  a model is unknown, or cannot take these images
    ├── RunError               5  a run folder is missing, taken or not finished
    ├── ClassifierError        6  a file is not a whole classifier
    ├── TrainingError          7  a training cannot go on (the loss is not finite)
    ├── BackendError           8  an engine (TensorFlow, JAX, PyTorch) is missing
    ├── StorageError           9  a file cannot be written, as when the disk is full
    ├── ExportError           10  a network cannot be exported, or an export is not what it was
    ├── AuditError            11  an audit found what --fail-on does not allow
    ├── ClusterError          12  a cluster cannot be reached, or one of its nodes differs
    └── Interrupted          130  Ctrl-C was pressed, and what was done has been kept

The message of an error says what must hold, what was found and where, and what to do.
"""

from typing import ClassVar

__all__ = [
    "AuditError",
    "BackendError",
    "ClassifierError",
    "ClusterError",
    "ConfigError",
    "ConvlensError",
    "DataError",
    "ExportError",
    "ImageError",
    "Interrupted",
    "ModelError",
    "RunError",
    "StorageError",
    "TrainingError",
]


class ConvlensError(Exception):
    """The root of the tree. The command line exits with the `exit_code` of the error."""

    exit_code: ClassVar[int] = 1


class ConfigError(ConvlensError):
    """A flag, a field of run.toml or an argument does not exist, or its value is not allowed."""

    exit_code = 2


class DataError(ConvlensError):
    """A data source is missing, empty or malformed."""

    exit_code = 3


class ImageError(DataError):
    """One image cannot be read: the file is truncated, empty, too large or not an image."""


class ModelError(ConvlensError):
    """A model is unknown, or cannot take images of this size."""

    exit_code = 4


class RunError(ConvlensError):
    """A run folder is missing or taken, or lacks what is asked of it."""

    exit_code = 5


class ClassifierError(ConvlensError):
    """A file is not a classifier, or was truncated or changed."""

    exit_code = 6


class TrainingError(ConvlensError):
    """A training cannot go on, for example because the loss is not finite."""

    exit_code = 7


class BackendError(ConvlensError):
    """An engine (TensorFlow, JAX or PyTorch) is missing, or was chosen too late."""

    exit_code = 8


class StorageError(ConvlensError):
    """A file cannot be written: the disk is full, or permission is missing."""

    exit_code = 9


class ExportError(ConvlensError):
    """A network cannot be converted, or the exported one does not compute what it should."""

    exit_code = 10


class AuditError(ConvlensError):
    """An audit found what the caller does not allow, as in a check before images are used."""

    exit_code = 11


class ClusterError(ConvlensError):
    """A cluster cannot be reached, a node of it differs, or its tasks are lost again and again."""

    exit_code = 12


class Interrupted(ConvlensError):  # noqa: N818 - nothing went wrong
    """Ctrl-C was pressed. What was done until then has been kept."""

    exit_code = 130
