"""Opening: what the commands that train do first."""

from convlens import backend
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.sources import load_data
from convlens.errors import RunError


def open_images(path: str, config: Config) -> Dataset:
    """Load labelled images and start the engine that the configuration names.

    Args:
        path: A folder, a file or the name of a data set.
        config: The configuration, which also says how labels are found in file names.
    """
    backend.choose(config.training.backend)  # first, as a data set of Keras imports the engine
    dataset = load_data(path, pattern=config.data.pattern)
    backend.start(config.training.backend, config.training.threads)
    return dataset


def require_name(run: str | None, what: str, command: str) -> str:
    """Return the name of what is resumed.

    Raises:
        RunError: If no name was given.
    """
    if run is None:
        raise RunError(
            "to resume, name the {what}: convlens {command} --run NAME --resume.".format(
                what=what, command=command
            )
        )
    return run
