"""Asked: the settings of a study as they were asked for, which its trainings decide each for itself.

What "auto" means can differ between two folds, for example whether rare classes weigh more. The
run.toml of a study has what its own last training has decided, so that a resumed study needs both.
"""

from convlens.config import Config
from convlens.errors import RunError
from convlens.language import _
from convlens.pipeline import begin
from convlens.run import Run
from convlens.training.network import Origin
from convlens.transfer.origin import choose_origin

ASKED = "state/asked.toml"


def write_asked(run: Run, config: Config) -> None:
    """Keep the settings that were asked for.

    Raises:
        StorageError: If they cannot be written.
    """
    run.write(ASKED, config.to_toml())


def read_asked(run: Run) -> Config:
    """Return the settings that were asked for.

    Raises:
        ConfigError: If the file is missing or damaged.
    """
    return Config.from_toml(run.folder / ASKED)


def reopen(run: Run, kind: str) -> tuple[Config, Origin]:
    """Return the settings and the network of a study that was stopped.

    Args:
        run: The run of the study, which is locked.
        kind: What data.json of such a study has: "folds" or "few".

    Raises:
        RunError: If it is finished, is of another kind, or an earlier version began it.
    """
    if kind not in run.data:
        message = _("{folder}: this run is one training, which `{command}` continues.")
        raise RunError(message.format(folder=run.folder, command=run.resume_command()))
    run.refuse_finished()
    if not (run.folder / ASKED).exists():
        message = _(
            "{folder}: an earlier version began these trainings and did not keep what a resume "
            "needs. Start them anew under another --run name."
        )
        raise RunError(message.format(folder=run.folder))
    config = read_asked(run)
    begin(config)
    start_from = run.start_path if run.start_path.exists() else None
    return config, choose_origin(config, start_from=start_from)
