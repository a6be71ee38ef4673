"""Measure what each ingredient of the fast recipe brings: train without it, and compare.

python benchmarks/ablation.py --data cifar10.npz [--limit N] [--epochs E] [--seed S] [--only ROW]

Each row is a process of its own, whose result is kept as a JSON file (--results) and not repeated.
The score is of the validation images, which also chose the epoch. --only and --seed may be given
several times.
"""

import argparse
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

import convlens
from convlens.config import Config
from convlens.data import augment
from convlens.data.transforms import FLIP
from convlens.evaluation.metrics import wilson
from convlens.pipeline import begin, prepare_images
from convlens.run import Run
from convlens.screen import Screen
from convlens.training import fit, muon
from convlens.training.network import Origin
from convlens.training.setup import Setup
from convlens.training.trainer import Trainer
from convlens.transfer.origin import choose_origin
from convlens.zoo.fast import WHITEN


def learn_first_layer() -> None:
    """Let the first layer learn, from random weights."""
    Origin._adapt = lambda origin, model, prepared: setattr(
        model.get_layer(WHITEN), "trainable", True
    )


def begin_at_random() -> None:
    """Give the kernels after the first layer random weights instead of the identity."""
    real = Origin._adapt

    def adapt(origin: Origin, model: keras.Model, prepared: Any) -> None:
        real(origin, model, prepared)
        for layer in model.layers:
            if layer.name.endswith("_conv"):
                layer.kernel.assign(layer.kernel_initializer(layer.kernel.shape))

    Origin._adapt = adapt


def flip_at_random() -> None:
    """Draw anew in each epoch whether an image is mirrored."""
    augment._alternating = lambda seed, epoch, indices: augment._uniform(
        augment._keys(seed, epoch, indices), FLIP + 1
    )[:, FLIP]


def let_norms_grow() -> None:
    """Let Muon step as Keras' own does, with its momentum; the kernels are still matrices."""

    def step(self: Any, gradient: Any, variable: Any, lr: Any, m: Any) -> None:
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        matrix = ops.reshape(ops.add(gradient, self.momentum * m), (-1, variable.shape[-1]))
        update = self.lr_adjust(lr * self.zeropower_via_newtonschulz5(matrix, self.ns_steps))
        self.assign_sub(variable, ops.reshape(update, variable.shape))

    muon.MOMENTUM = 0.95
    muon.Muon._muon_update_step = step


def repeat_hard_images() -> None:
    """From the fourth epoch on, show the hardest quarter twice in place of the easiest quarter.

    The hardest images are those on which the network has the largest loss when the epoch begins.
    """
    real = fit._Checkpoint.on_epoch_begin

    def begin_epoch(self: Any, epoch: int, logs: Any = None) -> None:
        real(self, epoch, logs)
        if epoch < 3:
            return
        train = self.train
        starts = range(0, len(train.indices), AT_A_TIME)
        parts = [train.indices[start : start + AT_A_TIME] for start in starts]
        logits = [self.model.predict_on_batch(train.images[part]) for part in parts]
        losses = keras.losses.sparse_categorical_crossentropy(
            train.labels[train.indices], np.concatenate(logits), from_logits=True
        )
        ranked = train.indices[np.argsort(-ops.convert_to_numpy(losses), kind="stable")]
        quarter = len(ranked) // 4
        shown = np.concatenate([ranked[:-quarter], ranked[:quarter]])
        train._order = (epoch, np.random.default_rng((train.seed, epoch)).permutation(shown))

    fit._Checkpoint.on_epoch_begin = begin_epoch


def end_in_largest() -> None:
    """Let the logits see the largest value of each map instead of the average."""
    keras.layers.GlobalAveragePooling2D = keras.layers.GlobalMaxPooling2D


AT_A_TIME = 500  # images whose loss is computed at a time
# What differs from the recipe: settings of convlens, or a change of its code.
CHANGES = {
    "no whitening": learn_first_layer,
    "no identity": begin_at_random,
    "random flips": flip_at_random,
    "norms grow, rate 0.05": let_norms_grow,
    "largest value": end_in_largest,
    "hard images twice": repeat_hard_images,
}
ROWS: dict[str, dict[str, Any]] = {
    "recipe": {},
    **{name: {} for name in CHANGES},
    "norms grow, rate 0.05": {"learning_rate": 0.05},
    "SGD, rate 0.1": {"optimizer": "momentum", "learning_rate": 0.1},
    "SGD, rate 0.3": {"optimizer": "momentum", "learning_rate": 0.3},
    "SGD, rate 1": {"optimizer": "momentum", "learning_rate": 1.0},
    "no label smoothing": {"label_smoothing": 0.0},
    "averaged weights": {"average_weights": True},
    "batch 512": {"batch_size": 512},
    "one-cycle": {"schedule": "one_cycle"},
    "constant rate": {"schedule": "constant"},
    "constant rate, averaged": {"schedule": "constant", "average_weights": True},
}


def measure(name: str, asked: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Train a row in this process, and return its scores and its seconds."""
    CHANGES.get(name, lambda: None)()
    config = Config().replace(recipe="fast", audit=False, limit=asked.limit, seed=seed)
    config = config.replace(epochs=asked.epochs, **ROWS[name])
    begin(config)
    screen = Screen(quiet=True)
    origin = choose_origin(config)
    prepared = prepare_images(origin, convlens.load_data(asked.data), config, screen)
    trainer = Trainer(Setup.create(prepared, config, origin), screen)
    with tempfile.TemporaryDirectory() as folder:
        state = trainer.run(Run.create(Path(folder) / "run", ""))
    best = state.history[state.best_epoch - 1]
    scores = {"n": len(prepared.splits.val), "val_accuracy": best["val_accuracy"]}
    scores["last"] = state.history[-1]["val_accuracy"]
    scores["seconds"] = sum(epoch["seconds"] for epoch in state.history)
    return {"row": name, "seed": seed, **scores}


def main() -> None:
    """Train the rows that have no result yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--only", action="append", choices=ROWS)
    parser.add_argument("--results", type=Path, default=Path("ablation"))
    asked = parser.parse_args()
    folder = asked.results / f"{Path(asked.data).stem}-{asked.limit}-{asked.epochs}"
    folder.mkdir(parents=True, exist_ok=True)
    for seed in asked.seed or [0]:
        for name in asked.only or ROWS:
            into = folder / f"{name.replace(' ', '_').replace(',', '')}-{seed}.json"
            if not into.exists():
                with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                    found = pool.submit(measure, name, asked, seed).result()
                into.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
            found = json.loads(into.read_text(encoding="utf-8"))
            score = wilson(round(found["val_accuracy"] * found["n"]), found["n"])
            last = f"last epoch {100 * found['last']:.1f} %"
            print(f"{name:26}{seed:5}  {score}  {last}  {found['seconds']:.0f} s", flush=True)


if __name__ == "__main__":
    main()
