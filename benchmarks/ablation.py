"""Measure what each ingredient of the fast recipe brings: train without it, and compare.

python benchmarks/ablation.py --data cifar10.npz [--limit N] [--epochs E] [--seed S]
                              [--only NAME] [--results FOLDER]

Each row is a training in a process of its own, whose result is kept as a JSON file among the
results. A row whose file exists is not repeated, so that this command goes on where it was stopped.
The score is that of the validation images, which also chose the epoch: the test images stay unused.
--only repeats for several rows, --seed for several seeds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
from keras import ops

import convlens
from convlens.config import Config
from convlens.data import augment
from convlens.data.transforms import FLIP
from convlens.evaluation.metrics import wilson
from convlens.pipeline import begin, prepare_images
from convlens.run import Run
from convlens.screen import Screen
from convlens.training import muon
from convlens.training.network import Origin
from convlens.training.setup import Setup
from convlens.training.trainer import Trainer
from convlens.transfer.origin import choose_origin
from convlens.zoo.fast import WHITEN

SGD_RATES = (0.1, 0.3, 1.0)  # the best of them stands for SGD


def learn_first_layer() -> None:
    """Let the first layer learn, from random weights."""

    def adapt(origin: Origin, model: keras.Model, prepared: Any) -> None:
        model.get_layer(WHITEN).trainable = True

    Origin._adapt = adapt


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


def end_in_largest() -> None:
    """Let the logits see the largest value of each map instead of the average."""
    keras.layers.GlobalAveragePooling2D = keras.layers.GlobalMaxPooling2D


@dataclass(frozen=True)
class Row:
    """What differs from the recipe: settings of convlens, and a change of its code."""

    settings: dict[str, Any] = field(default_factory=dict)
    change: Callable[[], None] = lambda: None


ROWS = {
    "recipe": Row(),
    "no whitening": Row(change=learn_first_layer),
    "no identity": Row(change=begin_at_random),
    "random flips": Row(change=flip_at_random),
    **{f"SGD, rate {r:g}": Row({"optimizer": "momentum", "learning_rate": r}) for r in SGD_RATES},
    "norms grow, rate 0.05": Row({"learning_rate": 0.05}, let_norms_grow),
    "no label smoothing": Row({"label_smoothing": 0.0}),
    "largest value": Row(change=end_in_largest),
    "averaged weights": Row({"average_weights": True}),
    "batch 512": Row({"batch_size": 512}),
    "one-cycle": Row({"schedule": "one_cycle"}),
    "constant rate": Row({"schedule": "constant"}),
    "constant rate, averaged": Row({"schedule": "constant", "average_weights": True}),
}


def measure(name: str, asked: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Train a row in this process, and return its scores and its seconds."""
    row = ROWS[name]
    row.change()
    config = Config().replace(recipe="fast", audit=False, limit=asked.limit, seed=seed)
    config = config.replace(epochs=asked.epochs, **row.settings)
    begin(config)
    screen = Screen(quiet=True)
    origin = choose_origin(config)
    prepared = prepare_images(origin, convlens.load_data(asked.data), config, screen)
    trainer = Trainer(Setup.create(prepared, config, origin), screen)
    with tempfile.TemporaryDirectory() as folder:
        state = trainer.run(Run.create(Path(folder) / "run", ""))
    best = state.history[state.best_epoch - 1]
    return {
        "row": name,
        "seed": seed,
        "n": len(prepared.splits.val),
        "val_accuracy": best["val_accuracy"],
        "last_val_accuracy": state.history[-1]["val_accuracy"],
        "seconds": sum(epoch["seconds"] for epoch in state.history),
    }


def main() -> None:
    """Train the rows that have no result yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--only", action="append", choices=ROWS)
    parser.add_argument("--results", type=Path, default=Path("ablation"))
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)  # of one row, in its process
    asked = parser.parse_args()
    if asked.into is not None:
        found = measure(asked.only[0], asked, asked.seed[0])
        asked.into.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        return
    folder = asked.results / f"{Path(asked.data).stem}-{asked.limit}-{asked.epochs}"
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{'row':26}{'seed':>5}  validation accuracy (95 % interval), last epoch, seconds")
    for seed in asked.seed or [0]:
        for name in asked.only or ROWS:
            into = folder / f"{name.replace(' ', '_').replace(',', '')}-{seed}.json"
            if not into.exists():
                words = ["--data", asked.data, "--epochs", str(asked.epochs), "--seed", str(seed)]
                words += ["--limit", str(asked.limit)] if asked.limit else []
                words += ["--only", name, "--into", str(into)]
                subprocess.run([sys.executable, __file__, *words], check=True)
            found = json.loads(into.read_text(encoding="utf-8"))
            score = wilson(round(found["val_accuracy"] * found["n"]), found["n"])
            last = f"{100 * found['last_val_accuracy']:.1f} %"
            print(f"{name:26}{seed:5}  {score}  {last}  {found['seconds']:.0f} s", flush=True)


if __name__ == "__main__":
    main()
