"""Train: the whole way from a dataset to a classifier, its report and its run folder."""

from pathlib import Path

import keras

from convlens import backend
from convlens.classifier.assembly import set_weights
from convlens.config import Config
from convlens.conflicts import refuse_conflicts
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared
from convlens.errors import Interrupted, RunError, StorageError
from convlens.run import Run
from convlens.screen import Screen
from convlens.training.network import Origin, require_unseen_test
from convlens.training.trainer import Trainer
from convlens.transfer.backbone import choose_origin
from convlens.transfer.stages import make_trainer


def train(  # noqa: PLR0913 - the public door; all but the first have defaults
    dataset: Dataset,
    config: Config | None = None,
    *,
    model: keras.Model | None = None,
    run: str | Path | None = None,
    start_from: str | Path | None = None,
    resume: bool = False,
    find_rate: bool = False,
    screen: Screen | None = None,
) -> Run:
    """Train a classifier and return its run: `run.classifier()`, `run.report`, `run.history`.

    Args:
        dataset: from `load_data`.
        config: every setting; `Config().replace(epochs=5)` changes some.
        model: a Keras model of one's own instead of a network of the zoo; it has the best weights afterwards.
        run: name or folder of the new run.
        start_from: a classifier file or run to train further.
        resume: go on with the run of that name, which was killed or stopped.
        find_rate: look for a learning rate first, and train with it.
        screen: where the progress is shown.

    Raises:
        ConvlensError: see `convlens.errors`; nothing of an earlier run is lost.
        Interrupted: Ctrl-C; the state and the best epoch are kept.
    """
    screen = screen or Screen()
    if resume:
        trainer, folder = _resumed(dataset, run, screen)
    else:
        config = config or Config()
        refuse_conflicts("train", {"find_learning_rate": find_rate} | config.transfer.changed())
        backend.start(config.training.backend, config.training.threads)
        if run is not None:
            Run.refuse_taken(Run.place(run))
        origin = choose_origin(config, model, start_from)
        trainer = make_trainer(_prepared(origin, dataset, config, screen), config, origin, screen)
        require_unseen_test(origin.trained, trainer.prepared, trainer.config)
        folder = Run.create(run, f"{dataset.name}-{origin.name}")
        if find_rate:
            trainer.find_learning_rate(folder)
        trainer.describe_run(folder)
    try:
        trainer.announce(folder)
        trainer.run(folder)
        classifier = trainer.finish(folder)
    except KeyboardInterrupt:
        raise Interrupted(f"stopped before the end. {trainer.how_to_go_on(folder)}") from None
    except StorageError as error:
        raise StorageError(
            f"{error} Free some space, then: {trainer.how_to_go_on(folder)}"
        ) from error
    if model is not None:
        set_weights(model, classifier.model.get_weights())
    return folder


def _prepared(origin: Origin, dataset: Dataset, config: Config, screen: Screen) -> Prepared:
    with screen.counter("decoding") as progress:
        return origin.prepare(dataset, config, progress)


def _resumed(dataset: Dataset, name: str | Path | None, screen: Screen) -> tuple[Trainer, Run]:
    """Return a stopped run and its trainer: the run's configuration, network and division of the images."""
    if name is None:
        raise RunError("to resume, name the run: --resume --run NAME.")
    run = Run.open(name)
    if run.finished:
        raise RunError(
            f"{run.folder}: this run is finished. To train its classifier further: --from {run.folder}."
        )
    for kind, name in (("folds", "a cross-validation"), ("few", "a training on few images")):
        if kind in run.data:
            raise RunError(
                f"{run.folder}: {name} cannot be resumed. Start it anew under another --run name."
            )
    config = run.config
    backend.start(config.training.backend, config.training.threads)
    origin = choose_origin(config, start_from=run.start_path if run.start_path.exists() else None)
    prepared = run.divided(_prepared(origin, dataset, config, screen))
    return make_trainer(prepared, config, origin, screen), run
