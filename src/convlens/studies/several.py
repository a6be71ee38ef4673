"""Several: the settings of a run of several trainings, each of which decides what is "auto"."""

from convlens.config import Config
from convlens.errors import RunError
from convlens.language import _
from convlens.run import Run
from convlens.run_folder import ASKED, SETTINGS


def write_asked(run: Run, config: Config) -> None:
    """Write the settings as they were asked for.

    Raises:
        StorageError: If they cannot be written.
    """
    run.write(ASKED, config.to_toml())


def read_asked(run: Run) -> Config:
    """Return the settings as they were asked for.

    Raises:
        RunError: If an earlier version of convlens has made the run, which did not record them.
    """
    if not (run.folder / ASKED).exists():
        raise RunError(
            _(
                "{folder}: an earlier convlens made this run, which it cannot continue. Start it "
                "anew under another --run name."
            ).format(folder=run.folder)
        )
    return Config.from_toml(run.folder / ASKED)


def as_begun(run: Run, config: Config) -> Config:
    """Return settings with the micro-batch of one training, if it has begun and has decided on it.

    How much memory is free may have changed since then.
    """
    if not (run.folder / SETTINGS).exists():
        return config
    return config.replace(micro_batch=run.config.training.micro_batch or 0)
