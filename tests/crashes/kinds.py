"""Kinds: how each kind of file is saved, and how the product loads it.

Each kind has a first and a second version. To load a file is to do what the product does with it:
a journal is searched to its end, and images that are missing in the store are decoded.
"""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from convlens.classifier.assembly import assemble
from convlens.classifier.classifier import Classifier
from convlens.config import Config
from convlens.data.digests import digests_of
from convlens.data.sources import load_data
from convlens.data.store import Store, open_store
from convlens.evaluation.evaluate import evaluate
from convlens.preprocess import Preprocessing
from convlens.report.page import write_report
from convlens.run import Run
from convlens.studies.compare import FACTS, open_comparison
from convlens.studies.journal import Search, suggest
from convlens.studies.space import Choices, Range
from convlens.training.checkpoint import State, load_state, save_state
from convlens.transfer.feature_cache import FeatureCache
from tests.conftest import without_charts

SEEN = Preprocessing(8, 8, 3)
KERNEL = np.random.default_rng(1).normal(size=(8 * 8 * 3, 5)).astype(np.float32)
SPACE = {"dropout": Range(0.0, 0.5), "filters": Choices(("4", "4,8"))}


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        save: Writes a version, 1 or 2, into a folder.
        load: Returns what there is, in parts. Each part is the old or the new one; if the first
            part is the new one, which is written last, then so are the others.
    """

    save: Callable[[Path, int], None]
    load: Callable[[Path], tuple[Any, ...]]


def save_a_state(folder: Path, version: int) -> None:
    keras.utils.set_random_seed(version)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    save_state(folder / "state.npz", model, State(epoch=version))


def load_a_state(folder: Path) -> tuple[Any, ...]:
    state, groups = load_state(folder / "state.npz")
    return (state.epoch, [array.tolist() for group in groups for array in group])


def save_history(folder: Path, version: int) -> None:
    rows = [{"epoch": epoch, "seconds": 1.5, "loss": 1 / epoch} for epoch in range(1, version + 1)]
    Run(folder).write_history(rows)


def save_settings(folder: Path, version: int) -> None:
    Run(folder).write("run.toml", Config().replace(epochs=version).to_toml())


def save_classifier(folder: Path, version: int) -> None:
    keras.utils.set_random_seed(version)
    flat = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    model = assemble(flat, SEEN, 2, "flat")
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    classifier = Classifier.from_logits(model, ("a", "b"), SEEN, float(version))
    replace(classifier, examples=images).save(folder / "classifier.keras")


def load_classifier(folder: Path) -> tuple[Any, ...]:
    classifier = Classifier.load(folder / "classifier.keras")
    weights = [one.tolist() for one in classifier.model.get_weights()]
    return ((classifier.temperature, weights),)


def save_report(folder: Path, version: int) -> None:
    evaluation = evaluate([0, 1, 1], np.eye(2)[[0, 1, version - 1]], ["a", "b"])
    with without_charts():
        write_report(folder, evaluation, title=f"version {version}")


def load_report(folder: Path) -> tuple[Any, ...]:
    """Return the titles, since a report also has the time at which it was written."""
    page = folder / "report.html"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    is_whole = text.rstrip().endswith("</html>")
    found = re.search(r"version \d", text)
    return Run(folder).report["title"], (is_whole, found and found[0])


def save_store(folder: Path, version: int) -> None:
    load_store(folder, 4 * version)


def load_store(folder: Path, count: int = 8) -> tuple[Any, ...]:
    images = _image_folder(folder.with_name(f"{folder.name}-images"), count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVLENS_CACHE", str(folder))
        store = open_store(load_data(str(images)), SEEN)
        return (store.images.tolist(), store.looks.tobytes(), store.problems)


def _image_folder(folder: Path, count: int) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
        (folder / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / "ab"[number % 2] / f"{number}.png")
    return folder


def save_features(folder: Path, version: int) -> None:
    load_features(folder, 100 * version)


def load_features(folder: Path, count: int = 200) -> tuple[Any, ...]:
    images = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), np.uint8)
    store = Store(images, digests_of(images), {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVLENS_CACHE", str(folder))
        cache = FeatureCache("key", KERNEL.shape[1])
        cache.compute(_features_of, store, np.arange(count))
        return (cache.gather(store, np.arange(count)).tobytes(),)


def _features_of(images: np.ndarray) -> np.ndarray:
    rows = images.reshape(len(images), -1).astype(np.float32)
    return np.stack([row @ KERNEL for row in rows])  # the same bits in batches of any size


def save_journal(folder: Path, version: int) -> None:
    """Search until so many trials are finished, as `search` does."""
    found = Search.open(folder, seed=3)
    while True:
        trials = found.trials
        running = [trial for trial in trials if not trial.state.is_finished()]
        if not running and len(trials) >= version:
            return
        trial = found.study.ask() if not running else _continued(found, running[0])
        config = suggest(trial, SPACE, Config())
        known = trials[trial.number].intermediate_values if running else {}
        for epoch in (1, 2):
            if epoch not in known:
                trial.report(config.model.dropout / epoch, epoch)
        found.study.tell(trial, config.model.dropout)


def _continued(found: Search, trial: Any) -> Any:
    import optuna

    return optuna.Trial(found.study, trial._trial_id)


def load_journal(folder: Path) -> tuple[Any, ...]:
    save_journal(folder, 2)
    trials = Search.open(folder, seed=3).trials
    return tuple((one.state, one.params, one.value, one.intermediate_values) for one in trials)


def save_facts(name: str, folder: Path, version: int) -> None:
    facts = {"models": ["a", "b"]} | ({"ranking": ["b", "a"]} if version == 2 else {})
    Run(folder).write(name, json.dumps(facts, indent=1))


KINDS = {
    "state": Kind(save_a_state, load_a_state),
    "history": Kind(save_history, lambda folder: (Run(folder).history,)),
    "settings": Kind(save_settings, lambda folder: (Run.open(folder).config,)),
    "classifier": Kind(save_classifier, load_classifier),
    "report": Kind(save_report, load_report),
    "store and looks": Kind(save_store, load_store),
    "features": Kind(save_features, load_features),
    "journal of a search": Kind(save_journal, load_journal),
    "search": Kind(
        partial(save_facts, "search.json"), lambda folder: (Run(folder).read("search.json"),)
    ),
    "compare": Kind(
        partial(save_facts, FACTS), lambda folder: (open_comparison(folder).read(FACTS),)
    ),
}
