"""Compare the two recipes of `convlens train` on several sources of images, with several seeds.

python benchmarks/defaults.py [--data FOLDER] [--seed S] [--only ROW] [--results FOLDER]

FOLDER holds `cifar10.npz`, `mnist`, `fashion_mnist` and `cats_dogs`; rows whose images it lacks are
left out. --seed and --only may be given several times. Each training is a command of its own, whose
result is kept as a JSON file (--results) and not repeated.

Both recipes get the same images for a seed, so that their answers to the test images are compared
by an exact McNemar test. The table adds up the images of all seeds, which draw partly the same
test images, so that a p-value that is close to a limit says little.
"""

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

from rich.console import Console
from scipy.stats import binomtest
from tables import table_of

ROWS = {  # the images, a folder of --data or a name that convlens knows, and further options
    "CIFAR-10, 12,000": ("cifar10.npz", "--limit 12000"),
    "Fashion-MNIST, 12,000": ("fashion_mnist", "--limit 12000"),
    "MNIST, 12,000": ("mnist", "--limit 12000"),
    "mnist5k, 5,000": ("mnist5k", ""),
    "cats and dogs, 4,000": ("cats_dogs", "--size 64"),
    "Fashion-MNIST, 2,000": ("fashion_mnist", "--limit 2000"),
    "digits, 1,797": ("digits", ""),
    "cats and dogs, 400": ("cats_dogs", "--size 64 --limit 400"),
    "mnist5k, 300": ("mnist5k", "--limit 300 --test 0.4"),
}
BUILT_IN = ("mnist5k", "digits")
RECIPES = ("standard", "fast")


def main() -> None:
    """Train what has no result yet, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--only", action="append", choices=ROWS)
    parser.add_argument("--results", type=Path, default=Path("defaults"))
    asked = parser.parse_args()
    asked.results.mkdir(parents=True, exist_ok=True)
    seeds = asked.seed or [0, 1, 2]
    console = Console(highlight=False, width=120)
    table = table_of("images", "test images", *(f"{one}, %" for one in RECIPES), "seconds", "p")
    for name in asked.only or ROWS:
        source = source_of(name, asked.data)
        if source is None:
            console.print(f"{name}: --data has no such images, so that the row is left out")
            continue
        found = {
            recipe: [kept(asked.results, name, source, recipe, seed, console) for seed in seeds]
            for recipe in RECIPES
        }
        table.add_row(name, *cells(found))
    console.print(table)


def source_of(name: str, data: Path | None) -> str | None:
    """Return what `convlens train` gets as the images of a row, or None if they are not there."""
    source, _options = ROWS[name]
    if source in BUILT_IN:
        return source
    path = None if data is None else data / source
    return str(path) if path is not None and path.exists() else None


def kept(
    results: Path, name: str, source: str, recipe: str, seed: int, console: Console
) -> dict[str, Any]:
    """Return the kept result of a training, which is trained if it has none."""
    file = results / f"{re.sub(r'[^a-zA-Z0-9]+', '_', name)}-{recipe}-{seed}.json"
    if not file.exists():
        console.print(f"{name}, {recipe}, seed {seed}")
        file.write_text(json.dumps(train(name, source, recipe, seed)))
    return json.loads(file.read_text())


def train(name: str, source: str, recipe: str, seed: int) -> dict[str, Any]:
    """Train with a recipe; return the seconds, and for each test image whether it is correct."""
    _source, options = ROWS[name]
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [sys.executable, "-m", "convlens", "train", source, *options.split()]
        command += ["--recipe", recipe, "--seed", str(seed), "--run", str(run)]
        env = os.environ | {"CONVLENS_CACHE": f"{folder}/cache", "CONVLENS_LANG": "en"}
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=env)
        seconds = time.perf_counter() - began
        with (run / "predictions.csv").open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    correct = {row["file"]: row["true"] == row["predicted"] for row in rows}
    return {"seconds": round(seconds, 1), "correct": correct}


def cells(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Return the cells of a row."""
    shares = {
        recipe: [100 * mean(one["correct"].values()) for one in seeds]
        for recipe, seeds in found.items()
    }
    only = dict.fromkeys(RECIPES, 0)
    for standard, fast in zip(*(found[recipe] for recipe in RECIPES), strict=True):
        for file, is_correct in fast["correct"].items():
            if is_correct != standard["correct"][file]:
                only["fast" if is_correct else "standard"] += 1
    discordant = sum(only.values())
    p = binomtest(only["fast"], discordant).pvalue if discordant else 1.0
    seconds = " and ".join(
        f"{median(one['seconds'] for one in seeds):.0f}" for seeds in found.values()
    )
    return [
        f"{len(found['fast'][0]['correct']):,}",
        *(f"{mean(each):.2f} ({min(each):.2f} to {max(each):.2f})" for each in shares.values()),
        seconds,
        f"{p:.2g}",
    ]


if __name__ == "__main__":
    main()
