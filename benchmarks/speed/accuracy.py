"""Train to an accuracy: the programs of the lectures as written, and recipes of convlens.

python benchmarks/speed/accuracy.py deck_cifar10 FILE.npz [--epochs 20] [--seed 0]
python benchmarks/speed/accuracy.py deck_mnist FOLDER [--epochs 10] [--seed 0]
python benchmarks/speed/accuracy.py convlens PATH [--seed 0] [--mirror] -- OPTION...

The options are those of `convlens train`. --mirror adds `convlens evaluate --views mirror`.

Prints one line of JSON: the seconds of the whole command; those from the start of its process until
its accuracy is printed, after which `convlens train` writes its report; the processor time of all
its cores, which tells how long it would take on a machine that nobody else uses; and the accuracy
of the test images. A deck's program ends with its accuracy. It trains on the images of the path
that are not its test images, and keeps 20 % of them for validation, as convlens does.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

DECKS = {  # of each program: the network, the batch size and the epochs
    "deck_cifar10": ("cifar_4conv", 128, 20),
    "deck_mnist": ("mnist_2conv", 300, 10),
}


def main() -> None:
    """Run the program, and print what it took and what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", choices=(*DECKS, "convlens"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--epochs", type=int, help="of a deck's program; by default as written")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mirror", action="store_true", help="score with a second view, too")
    words = sys.argv[1:]
    own = words.index("--") if "--" in words else len(words)
    given = parser.parse_args(words[:own])
    if given.program == "convlens":
        found = convlens(given.data, given.seed, words[own + 1 :], mirror=given.mirror)
    else:
        found = deck(given.program, given.data, given.seed, given.epochs)
    print(json.dumps(found))


def deck(program: str, path: Path, seed: int, epochs: int | None) -> dict[str, object]:
    """Train as the lecture does, with Keras' own `fit` in float32."""
    import keras

    import convlens
    from convlens.zoo.create import create_model

    network, batch_size, as_written = DECKS[program]
    keras.utils.set_random_seed(seed)
    dataset = convlens.load_data(path)
    pixels = np.asarray(dataset.images).astype("float32") / 255
    pixels = pixels.reshape(*pixels.shape[:3], -1)
    targets = keras.utils.to_categorical(dataset.labels)
    is_test = np.asarray(dataset.splits == "test")
    model = create_model(network)
    model.compile(
        "adam", keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    model.fit(
        pixels[~is_test],
        targets[~is_test],
        batch_size=batch_size,
        epochs=epochs or as_written,
        validation_split=0.2,
        verbose=2,
    )
    _loss, accuracy = model.evaluate(pixels[is_test], targets[is_test], verbose=0)
    seconds = round(time.time() - psutil.Process().create_time(), 1)
    return {
        "seconds": seconds,
        "scored_seconds": seconds,
        "processor_seconds": processor_seconds(resource.RUSAGE_SELF),
        "epochs": epochs or as_written,
        "accuracy": round(accuracy, 4),
        "images": int(is_test.sum()),
    }


def convlens(path: Path, seed: int, options: list[str], *, mirror: bool) -> dict[str, object]:
    """Run `convlens train` with options, and score it with a second view if asked to."""
    program = [sys.executable, "-m", "convlens"]
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        words = ["train", str(path), "--seed", str(seed), *options, "--run", str(run)]
        # Features that another run has kept would be missing from the time.
        env = os.environ | {"CONVLENS_CACHE": str(Path(folder) / "cache"), "CONVLENS_LANG": "en"}
        began = time.perf_counter()
        scored = scored_at([*program, *words], env)
        if mirror:
            command = [*program, "evaluate", str(run), "--views", "mirror"]
            subprocess.run(command, check=True, stdout=sys.stderr, env=env)
            scored = time.perf_counter()
        seconds = time.perf_counter() - began
        report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    accuracy = report["views"]["together"] if mirror else report["metrics"]["accuracy"]
    return {
        "seconds": round(seconds, 1),
        "scored_seconds": round(scored - began, 1),
        "processor_seconds": processor_seconds(resource.RUSAGE_CHILDREN),
        "accuracy": round(accuracy["value"], 4),
        "images": accuracy["n"],
        "options": " ".join(options),
        "views": "mirror" if mirror else "one",
    }


def scored_at(command: list[str], env: dict[str, str]) -> float:
    """Run a training, show what it prints, and return when it has printed its accuracy."""
    scored = 0.0
    env = env | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as training:
        for line in training.stdout or ():
            print(line, end="", file=sys.stderr, flush=True)
            if line.startswith("Accuracy"):
                scored = time.perf_counter()
    if training.returncode:
        sys.exit(training.returncode)
    return scored


def processor_seconds(whose: int) -> float:
    """Return the processor time of this process or of its children that have ended."""
    used = resource.getrusage(whose)
    return round(used.ru_utime + used.ru_stime, 1)


if __name__ == "__main__":
    main()
