"""Open damaged files of every kind that a user can give, and count what is raised.

python benchmarks/mutations.py [--count 10000] [--seed 0]

Good images, tables, arrays, configurations and classifiers are generated and changed at random:
bytes are replaced, cut out, repeated or overwritten, also inside of archives. Whatever a file holds
then, it must open or be refused with a `ConvlensError`. The first mutation that raises anything
else, or takes more than ten seconds, is kept and named, and the exit code is 1.
"""

import argparse
import contextlib
import gzip
import io
import string
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from damage import IMAGES, changed, save_image
from PIL import Image
from rich.console import Console

from convlens import Classifier, Config, ConvlensError, backend, load_data
from convlens.preprocess import Preprocessing, prepare

LONGEST = 10.0  # seconds
CLASSES = ("cat", "dog")

Opener = Callable[[Path], object]


def main() -> None:
    """Mutate files in turn; print a line for each kind, and the first fault."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    backend.start()
    rng = np.random.default_rng(asked.seed)
    console = Console(highlight=False)
    outcomes: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeds = make_seeds(folder / "good")
        for path, opener in seeds:
            opener(path)
        for number in range(asked.count):
            path, opener = seeds[number % len(seeds)]
            content = mutated(path, rng)
            damaged = folder / "damaged" / path.name
            damaged.parent.mkdir(exist_ok=True)
            damaged.write_bytes(content)
            began = time.perf_counter()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    opener(damaged)
                outcome = "opened"
            except ConvlensError:
                outcome = "refused"
            except Exception as error:
                kept = Path.cwd() / f"mutation-{asked.seed}-{number}{path.suffix}"
                kept.write_bytes(content)
                console.print(f"{type(error).__name__}: {error}\nkept in {kept}", markup=False)
                sys.exit(1)
            if time.perf_counter() - began > LONGEST:
                console.print(f"{path.name}, mutation {number}: it took more than {LONGEST:.0f} s")
                sys.exit(1)
            outcomes[path.suffix, outcome] += 1
            damaged.unlink()
    for suffix in sorted({suffix for suffix, _ in outcomes}):
        opened = outcomes[suffix, "opened"]
        refused = outcomes[suffix, "refused"]
        console.print(f"{suffix:<8}{opened:>8,} opened{refused:>8,} refused")


def mutated(path: Path, rng: np.random.Generator) -> bytes:
    """Return the content of a file with changes, half of those of archives in a single member."""
    content = path.read_bytes()
    if path.suffix not in (".npz", ".keras") or rng.random() < 0.5:
        letters = (
            string.printable.encode() if path.suffix in (".csv", ".toml") else bytes(range(256))
        )
        return changed(content, letters, rng)
    archive = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(archive, "w") as new:
        chosen = old.namelist()[rng.integers(len(old.namelist()))]
        for name in old.namelist():
            member = old.read(name)
            letters = string.printable.encode() if name.endswith(".json") else bytes(range(256))
            new.writestr(name, changed(member, letters, rng) if name == chosen else member)
    return archive.getvalue()


def make_seeds(folder: Path) -> list[tuple[Path, Opener]]:
    """Write good files, and return each with the function that opens it."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (24, 20, 3), dtype=np.uint8)
    seeds: list[tuple[Path, Opener]] = []
    for suffix, modes in IMAGES.items():
        for mode in modes:
            path = folder / f"{mode.replace(';', '')}.{suffix}"
            save_image(pixels, mode, path)
            seeds.append((path, open_image_file))
    x = np.concatenate([pixels[None]] * 4)
    y = np.array([0, 1, 0, 1])
    np.savez(folder / "bytes.npz", x=x, y=y)
    np.savez_compressed(folder / "floats.npz", x_train=x / 255, y_train=y, class_names=CLASSES)
    seeds += [(folder / f"{name}.npz", load_data) for name in ("bytes", "floats")]
    for number in range(12):
        Image.fromarray(pixels).save(folder / f"row_{number}.png")
    rows = "".join(f"row_{number}.png,{CLASSES[number % 2]},train\n" for number in range(12))
    (folder / "table.csv").write_text(f"path,label,split\n{rows}", encoding="utf-8")
    seeds.append((folder / "table.csv", partial_table(folder)))
    (folder / "settings.toml").write_text(Config().to_toml(), encoding="utf-8")
    seeds.append((folder / "settings.toml", Config.from_toml))
    labels = (2049).to_bytes(4, "big") + (4).to_bytes(4, "big") + y.astype(np.uint8).tobytes()
    shape = (2051, 4, 24, 20)
    images = b"".join(side.to_bytes(4, "big") for side in shape) + x[..., 0].tobytes()
    (folder / "train-images-idx3-ubyte").write_bytes(images)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    seeds += [
        (folder / name, partial_idx(folder))
        for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz")
    ]
    save_classifier(folder / "classifier.keras")
    seeds.append((folder / "classifier.keras", Classifier.load))
    return seeds


def save_classifier(path: Path) -> None:
    """Write the file of a small classifier with random weights."""
    from convlens.classifier.assembly import assemble
    from convlens.zoo.create import build

    preprocessing = Preprocessing(32, 32, 1)
    model = assemble(lambda x: build("lenet5", x, 2), preprocessing, 2, "lenet5")
    Classifier.from_logits(model, CLASSES, preprocessing).save(path)


def open_image_file(path: Path) -> object:
    """Prepare an image for a network."""
    return prepare(path, Preprocessing(16, 16, 3))


def partial_table(folder: Path) -> Opener:
    """Return a function that opens a damaged table beside good images."""

    def opener(path: Path) -> object:
        beside = folder / "damaged.csv"
        beside.write_bytes(path.read_bytes())
        return load_data(beside)

    return opener


def partial_idx(folder: Path) -> Opener:
    """Return a function that opens a damaged IDX file beside its good partner."""

    def opener(path: Path) -> object:
        pair = folder / "pair"
        pair.mkdir(exist_ok=True)
        for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz"):
            (pair / name).write_bytes((folder / name).read_bytes())
        (pair / path.name).write_bytes(path.read_bytes())
        return load_data(pair)

    return opener


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
