"""Pipeline: the whole way from a dataset to a classifier, its report and its run folder.

The module is not called `train`, since importing it would then replace the function
`convlens.train` by the module of the same name.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras

from convlens import backend
from convlens.audit.gate import as_checked, check_before_training
from convlens.classifier.assembly import set_weights
from convlens.classifier.classifier import Classifier
from convlens.config import Config
from convlens.conflicts import refuse_conflicts
from convlens.data.dataset import Dataset
from convlens.data.draws import Indices
from convlens.data.prepared import Prepared
from convlens.errors import RunError
from convlens.files import explained_stops
from convlens.folders import remove_temporaries
from convlens.language import _
from convlens.recipe_choice import usual_training
from convlens.run import Run
from convlens.run_access import refuse_study_part
from convlens.run_folder import resume_command
from convlens.screen import Screen
from convlens.training.network import Origin, choose_network
from convlens.training.setup import Setup
from convlens.training.stage import Stage
from convlens.training.trainer import Trainer, Training
from convlens.training.unseen import (
    refuse_other_split,
    with_learned_in_training,
    with_learned_noted,
)
from convlens.transfer.fine_tune_stage import FineTuneStage, make_trainer
from convlens.transfer.head_stage import HeadStage
from convlens.transfer.origin import BackboneOrigin, choose_origin, resumed_origin
from convlens.transfer.upper_layers import upper_setup
from convlens.unread import has_kept_features, refuse_unread

StageOf = Callable[[Setup, Screen], Stage]


def train(  # noqa: PLR0913 - the public entry point; all but the first have defaults
    dataset: Dataset,
    config: Config | None = None,
    *,
    model: keras.Model | None = None,
    run: str | Path | None = None,
    start_from: str | Path | None = None,
    resume: bool = False,
    find_rate: bool = False,
    screen: Screen | None = None,
    stage_of: StageOf | None = None,
) -> Run:
    """Train a classifier and return its run.

    The run gives `run.classifier()`, `run.report` and `run.history`.

    Args:
        dataset: The labelled images, from `load_data`.
        config: All settings; `Config().replace(epochs=5)` changes some of them. If it names neither
            a network nor a part of its training, `recipe="fast"` is used, unless `model` or
            `start_from` is given.
        model: A Keras model of your own instead of a network of the zoo. It has the best weights
            afterwards.
        run: The name or the folder of the new run.
        start_from: A classifier file or a run to train further.
        resume: Whether to continue the run of that name, which was killed or stopped.
        find_rate: Whether to look for a learning rate first, and to train with it.
        screen: Where the progress is shown.
        stage_of: Makes what trains a network step by step; by default, this process trains it.

    Raises:
        ConvlensError: See `convlens.errors`. Nothing of an earlier run is lost.
        Interrupted: If Ctrl-C was pressed. The state and the best epoch are kept.

    Example:
        >>> train(load_data("photos")).report["metrics"]["accuracy"]  # doctest: +SKIP
    """
    screen = screen or Screen()
    if resume:
        if run is None:
            raise RunError(_("to resume, name the run: --resume --run NAME."))
        return _go_on(dataset, Run.open(run), screen, stage_of)
    config = config or Config()
    if model is None and start_from is None:
        config = usual_training(config, dataset)
    refuse_conflicts("train", {"find_learning_rate": find_rate} | config.transfer.changed())
    begin(config, run)
    origin = choose_origin(config, model, start_from)
    prepared = prepare_images(origin, dataset, config, screen)
    training = open_training(prepared, config, origin, screen, stage_of)
    folder = Run.create(run, f"{dataset.name}-{origin.name}")
    with folder.removed_on_failure(), folder.locked():
        for stage in training.stages:
            if find_rate and isinstance(stage, Trainer):
                stage.find_learning_rate(folder)
        training.setup.describe(folder)
        classifier = _carry_out(training, folder)
    if model is not None:
        set_weights(model, classifier.model.get_weights())
    return folder


def _go_on(dataset: Dataset, run: Run, screen: Screen, stage_of: StageOf | None) -> Run:
    """Continue a run that was stopped, and return it."""
    with run.resumed(screen) as say_where:
        training = _reopen(dataset, run, screen, stage_of)
        say_where()
        _carry_out(training, run)
    return run


def _carry_out(training: Training, run: Run) -> Classifier:
    """Train what is left of a run, score its best epoch, and return its classifier."""
    with explained_stops(run.how_to_resume):
        training.announce(run)
        training.run(run)
        return training.finish(run)


def begin(config: Config, run: str | Path | None = None) -> None:
    """Start the backend, and refuse a name that is taken before anything is computed.

    Args:
        config: The configuration, which names the backend and its threads.
        run: The name or the folder of a new run, or None.

    Raises:
        BackendError: If the backend is not installed, or another one is in use, or if this process
            was forked from one that computes.
        RunError: If the folder of the run exists.
    """
    backend.start(config.training.backend, config.training.threads)
    backend.refuse_after_fork()
    if run is not None:
        Run.refuse_taken(Run.place(run))


def prepare_images(
    origin: Origin,
    dataset: Dataset,
    config: Config,
    screen: Screen,
    drawn: Indices | None = None,
) -> Prepared:
    """Return the images decoded as the network takes them, split, and checked.

    Args:
        origin: The network.
        dataset: The images.
        config: The configuration.
        screen: Where the progress is shown.
        drawn: The images that a run uses, as in `prepare_data`.

    Raises:
        DataError: If no classifier can be made from these images.
        ConfigError: If the split would test on images that the network has learned from.
    """
    with screen.counter(_("decoding")) as progress:
        prepared = origin.prepare(dataset, config, progress, drawn)
    refuse_other_split(origin, prepared, config)
    prepared = with_learned_in_training(origin, prepared)
    prepared = with_learned_noted(origin, prepared, prepared.splits.test)
    return checked(prepared, config, screen)


def checked(prepared: Prepared, config: Config, screen: Screen) -> Prepared:
    """Return images with what an audit found, unless the configuration leaves it out."""
    if not config.data.audit:
        return prepared
    with screen.status(_("checking the images")):
        return check_before_training(prepared)


def open_training(
    prepared: Prepared,
    config: Config,
    origin: Origin,
    screen: Screen,
    stage_of: StageOf | None = None,
) -> Training:
    """Return the stages that train this network on these images; see `train`.

    Raises:
        ModelError: If the images are too small for the network, or its weights cannot be had.
        ConfigError: If a pattern of `--unfreeze` matches no layer, or if weights should be averaged
            or snapshots kept where no network learns step by step.
    """
    setup = Setup.create(prepared, config, origin)
    stages: list[Stage]
    if not isinstance(origin, BackboneOrigin):
        stages = [(stage_of or Trainer)(setup, screen)]
    elif setup.config.transfer.unfreeze is not None:
        head = HeadStage(setup, screen, continues=True)
        with screen.status(_("preparing the backbone")):
            tuned = upper_setup(setup)
        stages = [head, FineTuneStage(tuned, screen, head)]
    elif has_kept_features(setup.config):
        refuse_unread(("snapshots", "average_weights"), setup.config)
        stages = [HeadStage(setup, screen)]
    else:
        # The features of augmented images cannot be kept, so every step computes the whole network.
        stages = [make_trainer(setup, screen)]
    return Training(setup, stages, screen)


def open_trainer(prepared: Prepared, config: Config, screen: Screen) -> Trainer:
    """Return what trains a network of the zoo from scratch, for a study of many trainings.

    Raises:
        ModelError: If the images are too small for the network.
    """
    return Trainer(Setup.create(prepared, config, choose_network(config)), screen)


def _reopen(dataset: Dataset, run: Run, screen: Screen, stage_of: StageOf | None) -> Training:
    """Return the training of a stopped run, with the run's configuration, network and split.

    Raises:
        RunError: If it is finished, or these are not its images.
    """
    refuse_study_part(run.folder)
    run.refuse_finished()
    if {"folds", "few"} & run.data.keys():
        raise RunError(
            _("{folder}: this run has several trainings. Continue it with: {command}").format(
                folder=run.folder, command=resume_command(run.folder)
            )
        )
    config = run.config.as_decided()
    origin, prepared = prepare_again(run, dataset, config, screen)
    return open_training(run.divided(prepared), config, origin, screen, stage_of)


def prepare_again(
    run: Run, dataset: Dataset, config: Config, screen: Screen
) -> tuple[Origin, Prepared]:
    """Return the network and the images of a run that is resumed, with what was found of them.

    What a killed process has left in the folder of the run is removed.

    Args:
        run: The run.
        dataset: Its images.
        config: Its configuration.
        screen: Where the progress is shown.

    Raises:
        RunError: If its settings or its split were changed since it began.
        DataError: If the images cannot be used.
    """
    dataset = run.corrected(dataset)
    drawn = run.drawn(dataset)
    remove_temporaries(run.folder)
    begin(config)
    start_from = run.start_path if run.start_path.exists() else None
    origin = resumed_origin(config, start_from)
    with screen.counter(_("decoding")) as progress:
        prepared = origin.prepare(dataset, config, progress, drawn)
    notes = tuple(run.data.get("recorded_notes", ()))
    prepared = replace(prepared, recorded_notes=notes)
    return origin, as_checked(prepared, run.data.get("audit"))
