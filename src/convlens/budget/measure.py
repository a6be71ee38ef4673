"""Measure: the seconds of decoding, features, a head and the end of a run, on this machine with these images."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from convlens.budget.choose import Measured
from convlens.budget.plan import trial_folder
from convlens.classifier.runtime import Compiled
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared
from convlens.data.splits import Splits
from convlens.data.store import DIGEST_BYTES, Store, is_stored
from convlens.errors import ImageError
from convlens.evaluation.evaluate import evaluate
from convlens.preprocess import Preprocessing, prepare
from convlens.report.finish import Scored, write_evaluation
from convlens.run import Run
from convlens.training.fit import State
from convlens.training.trainer import Trainer
from convlens.transfer.backbone import BackboneOrigin, body_of, open_features

SAMPLED = 48  # images that are decoded to measure
SPENT = 1.0  # seconds on features, at least
ENDING = 8.0  # times the building of a network that a head's run takes for building it again, keeping and reporting
ROWS = 2048  # features of a product that is timed
# Steps of L-BFGS for a linear head, all strengths together. On features of efficientnet_lite0 it took 50 and 43 for
# 1,280 and 192 photographs of cats and dogs, 227 and 197 for 640 and 382 digits of ten classes.
STEPS = 300
SCORED = 64  # images whose answers are timed


def decode_some(dataset: Dataset, preprocessing: Preprocessing) -> tuple[NDArray[np.uint8], float]:
    """Return some images, (m, height, width, channels), and the seconds of decoding one, on all processors."""

    def read(index: int) -> NDArray[np.uint8]:
        try:
            return prepare(dataset.images[index], preprocessing)
        except (ImageError, OSError):
            return np.zeros(preprocessing.shape, np.uint8)

    indices = np.unique(np.linspace(0, len(dataset) - 1, SAMPLED).astype(int))
    read(int(indices[0]))  # imports what decodes
    began = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        images = np.stack(list(pool.map(read, indices.tolist())))
    return images, (time.monotonic() - began) / len(indices)


def measure_backbone(origin: BackboneOrigin, dataset: Dataset, config: Config) -> Measured:
    """Measure a frozen backbone on some images; the end of its run is judged by how long the building takes.

    Raises:
        ModelError: its weights cannot be had.
    """
    preprocessing = origin.preprocess(dataset, config)
    images, decode = decode_some(dataset, preprocessing)
    none = np.empty(0, np.int64)
    store = Store(images, np.zeros((len(images), DIGEST_BYTES), np.uint8), {})
    some = Prepared(dataset, preprocessing, store, Splits(np.arange(len(images)), none, none))
    began = time.monotonic()
    body = body_of(origin.assemble(some, config))
    building = time.monotonic() - began
    network, features = open_features(body, preprocessing, config.training.precision)
    wanted = min(config.data.limit or len(dataset), len(dataset))
    measured = Measured(
        images=len(dataset),
        decode=decode,
        wanted=wanted,
        feature=_seconds_an_image(network, images),
        rest=ENDING * building + _head_seconds(wanted, features.width, dataset.num_classes),
    )
    if not is_stored(dataset, preprocessing):
        return measured
    prepared = origin.prepare(dataset, config, None)
    indices = np.concatenate([prepared.splits.train, prepared.splits.val, prepared.splits.test])
    return replace(measured, stored=True, missing=len(features.missing(prepared.store, indices)))


def _seconds_an_image(network: Compiled, images: NDArray[np.uint8]) -> float:
    network(images)  # the first call may compile
    began, done = time.monotonic(), 0
    while time.monotonic() - began < SPENT:
        network(images)
        done += len(images)
    return (time.monotonic() - began) / done


def _head_seconds(count: int, width: int, num_classes: int) -> float:
    """Return the seconds that a linear head takes: its steps, each a product there and one back."""
    rows = np.random.default_rng(0).random((min(count, ROWS), width), np.float32)
    kernel = np.ones((width, num_classes))  # in float64, as SciPy has it
    spans = []
    for _ in range(8):
        began = time.monotonic()
        rows.T @ (rows @ kernel)
        spans.append(time.monotonic() - began)
    return min(spans) * count / len(rows) * STEPS  # of such short ones the least is the truest


def rehearse_ending(trainer: Trainer) -> tuple[float, float]:
    """Return the seconds from the last epoch to the report, measured by reporting the network as it is.

    The answers that are reported are random. The second number is the seconds that one image is answered in.

    Raises:
        StorageError: there is no place for temporary files.
    """
    prepared = trainer.prepared
    splits, data = prepared.splits, prepared.dataset
    scored = splits.test if len(splits.test) else splits.val
    if not len(scored):
        return 0.0, 0.0
    rows = (
        np.random.default_rng(0)
        .dirichlet(np.ones(data.num_classes), len(scored))
        .astype(np.float32)
    )
    with trial_folder() as folder:
        run = Run.create(folder / "ending", "")
        began = time.monotonic()
        trainer.describe_run(run)
        run.write_history([], append=False)
        trainer.keep(trainer.float32, State(), run)
        classifier, some = run.classifier(), scored[:SCORED]
        classifier.probabilities(prepared.store.images, indices=some)  # compiles
        middle = time.monotonic()
        classifier.probabilities(prepared.store.images, indices=some)
        answer = (time.monotonic() - middle) / len(some)
        found = evaluate(
            data.labels[scored], rows, data.class_names, images_seen="test", threshold=0.5
        )
        write_evaluation(
            run, run.folder, classifier, Scored(found, prepared, scored), {"test_evaluations": 0}
        )
        return time.monotonic() - began + answer * (len(splits.val) + len(splits.test)), answer
