"""Measure: what decoding, features, training and reporting cost on this machine, with these images.

Everything is measured with a small part of the real work, shortly before the real work begins.
Nothing of these trials is kept: they write into temporary folders, and networks get their weights
back.
"""

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens import backend
from convlens.budget.choose import BackboneCosts
from convlens.budget.plan import Costs
from convlens.budget.snapshot_costs import snapshot_seconds
from convlens.classifier.runtime import Compiled
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.digests import DIGEST_BYTES
from convlens.data.limited import limited
from convlens.data.prepared import Prepared
from convlens.data.splits import Splits
from convlens.data.store import Store, is_stored
from convlens.errors import ImageError, StorageError
from convlens.evaluation.evaluate import evaluate
from convlens.language import _
from convlens.language_choice import language, speak
from convlens.preprocess import Preprocessing, prepare
from convlens.reasons import system_reason
from convlens.report.results import Scored, write_evaluation
from convlens.run import Run
from convlens.screen import Screen
from convlens.training.checkpoint import State
from convlens.training.observer import Observer
from convlens.training.setup import Setup
from convlens.training.trainer import Trainer
from convlens.transfer.backbone import body_of
from convlens.transfer.features import open_features
from convlens.transfer.origin import BackboneOrigin

SAMPLED = 48  # images that are decoded
SPENT = 1.0  # seconds that are spent on features at least
# Building a network again, saving its head and reporting took up to this many times as long as
# building it once.
ENDING = 8.0
ROWS = 2048  # images in the matrix product that is timed for the head
PRODUCTS = 8  # how often that product is timed
# Iterations of L-BFGS for a linear head, all regularization strengths together. On features of
# efficientnet_lite0 it took 50 and 43 for 1,280 and 192 photographs of cats and dogs, and 227 and
# 197 for 640 and 382 digits of ten classes.
ITERATIONS = 300
SCORED = 64  # images whose prediction is timed
VAL_STEPS = 20  # largest number of validation batches that are timed
ENDLESS = 10**9  # steps


def decode_some(dataset: Dataset, preprocessing: Preprocessing) -> tuple[NDArray[np.uint8], float]:
    """Decode an even sample of the images.

    Args:
        dataset: The images. Those that cannot be read become black.
        preprocessing: How they are decoded.

    Returns:
        The decoded images, (m, height, width, channels), and the seconds per image with all
        processors at work.
    """

    def read(index: int) -> NDArray[np.uint8]:
        try:
            return prepare(dataset.images[index], preprocessing)
        except (ImageError, OSError):
            return np.zeros(preprocessing.shape, np.uint8)

    indices = np.unique(np.linspace(0, len(dataset) - 1, SAMPLED).astype(int)).tolist()
    read(indices[0])  # the first call imports the decoder
    began = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count(), initializer=speak, initargs=(language(),)) as pool:
        images = np.stack(list(pool.map(read, indices)))
    return images, (time.monotonic() - began) / len(indices)


def measure_backbone(origin: BackboneOrigin, dataset: Dataset, config: Config) -> BackboneCosts:
    """Return what training a linear head on a frozen backbone costs, measured on a few images.

    The end of the run is estimated from the time that building the network takes.

    Args:
        origin: The backbone.
        dataset: The images.
        config: The configuration with this backbone.

    Raises:
        ModelError: If the weights of the backbone are not available.
    """
    dataset = limited(dataset, config)[0]
    preprocessing = origin.preprocess(dataset, config)
    images, decode = decode_some(dataset, preprocessing)
    none = np.empty(0, np.int64)
    store = Store(images, np.zeros((len(images), DIGEST_BYTES), np.uint8), {})
    sample = Prepared(dataset, preprocessing, store, Splits(np.arange(len(images)), none, none))
    began = time.monotonic()
    body = body_of(origin.assemble(sample, config))
    building = time.monotonic() - began
    network, features = open_features(body, sample, config.training.precision)
    costs = BackboneCosts(
        decode=decode,
        wanted=len(dataset),
        feature=_feature_seconds(network, images),
        rest=ENDING * building + _head_seconds(len(dataset), features.width, dataset.num_classes),
    )
    if not is_stored(dataset, preprocessing):
        return costs
    prepared = origin.prepare(dataset, config, None)
    indices = np.concatenate([prepared.splits.train, prepared.splits.val, prepared.splits.test])
    return replace(costs, missing=len(features.missing(prepared.store, indices)))


def _feature_seconds(network: Compiled, images: NDArray[np.uint8]) -> float:
    """Return the seconds in which the features of one image are computed."""
    network(images)  # the first call may compile
    done = 0
    began = time.monotonic()
    while time.monotonic() - began < SPENT:
        network(images)
        done += len(images)
    return (time.monotonic() - began) / done


def _head_seconds(count: int, width: int, num_classes: int) -> float:
    """Return the seconds in which a linear head is fitted to (count, width) features.

    Each iteration of L-BFGS multiplies the features with the kernel, and their transpose with the
    result. These products are so short that the fastest of several is the most reliable.
    """
    rows = np.random.default_rng(0).random((min(count, ROWS), width), np.float32)
    kernel = np.ones((width, num_classes))  # float64, as in SciPy
    fastest = min(_seconds_of(lambda: rows.T @ (rows @ kernel)) for _ in range(PRODUCTS))
    return fastest * count / len(rows) * ITERATIONS


def rehearse_ending(setup: Setup) -> tuple[float, float]:
    """Measure the end of a run by writing a report of random predictions.

    Args:
        setup: The setup of the training whose end is measured.

    Returns:
        The seconds from the last epoch to the report, and the seconds of one prediction. Both are 0
        if there are no images to score.

    Raises:
        StorageError: If there is no place for temporary files.
    """
    prepared = setup.prepared
    splits = prepared.splits
    scored = splits.test if len(splits.test) else splits.val
    if not len(scored):
        return 0.0, 0.0
    data = prepared.dataset
    random = np.random.default_rng(0).dirichlet(np.ones(data.num_classes), len(scored))
    with trial_folder() as folder:
        run = Run.create(folder / "ending", "")
        began = time.monotonic()
        setup.describe(run)
        run.write_history([])
        setup.save_classifier(run, State(), {})
        classifier = run.classifier()

        def predict() -> None:
            classifier.probabilities(prepared.store.images, indices=scored[:SCORED])

        predict()  # the first call compiles
        prediction = _seconds_of(predict) / len(scored[:SCORED])
        evaluation = evaluate(
            data.labels[scored],
            random.astype(np.float32),
            data.class_names,
            images_seen="test",
            threshold=0.5,
        )
        found = Scored(evaluation, prepared, scored)
        write_evaluation(run, run.folder, classifier, found, {"test_evaluations": 0})
        ending = time.monotonic() - began
    return ending + prediction * (len(splits.val) + len(splits.test)), prediction


def measure_costs(trainer: Trainer, seconds: float) -> Costs:
    """Return the costs of a training, which is started and then undone.

    The mean of the steps counts and not their median, because whatever else the computer does is
    part of the time. The network must be compiled again before it is trained.

    Args:
        trainer: The training that is measured.
        seconds: The time that is spent on steps after the first, which compiles. At least one step
            is measured.

    Raises:
        StorageError: If there is no place for temporary files.
    """
    model = trainer.model
    model.optimizer.build(model.trainable_variables)
    with backend.unchanged(model), trial_folder() as folder:
        start, step = _step_seconds(trainer, Run.create(folder / "trial", ""), seconds)
        compiling, validation = _validation_seconds(trainer, seconds / step)
        keep = _saving_seconds(trainer, folder / "trial.keras", seconds)
        start += compiling + snapshot_seconds(trainer, keep)
    return Costs(step * trainer.train.parts, validation, keep, start)


class _Enough(Exception):  # noqa: N818 - nothing went wrong
    """Ends a trial as soon as enough steps are timed."""


def _step_seconds(trainer: Trainer, run: Run, seconds: float) -> tuple[float, float]:
    """Return the seconds before the end of the first step, and of each step after it."""
    marks: list[float] = []

    def enough() -> bool:
        marks.append(time.monotonic())
        if len(marks) > 1 and marks[-1] - marks[0] >= seconds:
            raise _Enough
        return False

    steps = trainer.train.steps
    trainer.train.steps = ENDLESS  # so that no validation comes between the steps
    began = time.monotonic()
    with contextlib.suppress(_Enough):
        # A state that is kept between two steps would count as a part of them.
        trainer.run(run, stop_requested=enough, screen=Screen(quiet=True), observer=Observer())
    trainer.train.steps = steps
    return marks[0] - began, (marks[-1] - marks[0]) / (len(marks) - 1)


def _validation_seconds(trainer: Trainer, affordable: float) -> tuple[float, float]:
    """Return the seconds of a compiling first validation batch and of a validation after it.

    `affordable` is the number of batches that may be timed.
    """
    val = trainer.val
    if val is None:
        return 0.0, 0.0
    timed = max(1, min(val.steps, VAL_STEPS, int(affordable)))
    compiling = _seconds_of(lambda: trainer.model.evaluate(val, steps=1, verbose=0))
    spent = _seconds_of(lambda: trainer.model.evaluate(val, steps=timed, verbose=0))
    return compiling, spent * val.steps / timed


def _saving_seconds(trainer: Trainer, path: Path, seconds: float) -> float:
    """Return the seconds in which a classifier is written.

    It is written twice, because the first time may import something, unless once takes longer than
    `seconds`.
    """
    spent = _seconds_of(lambda: trainer.setup.classifier().save(path))
    return spent if spent > seconds else _seconds_of(lambda: trainer.setup.classifier().save(path))


def _seconds_of(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


@contextlib.contextmanager
def trial_folder() -> Iterator[Path]:
    """Yield a temporary folder for a trial of which nothing is kept, not even in memory.

    Raises:
        StorageError: If the folder cannot be made.
    """
    try:
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    except OSError as error:
        raise StorageError(
            _(
                "measuring needs a folder for temporary files; {reason}. Set TMPDIR to another "
                "place."
            ).format(reason=system_reason(error))
        ) from error
    with folder as name, backend.forgotten():
        yield Path(name)
