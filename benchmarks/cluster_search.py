"""A search of 16 trials on one computer and on four nodes: the tables must be the same.

    python benchmarks/cluster_search.py FOLDER [IMAGES]

The four nodes are processes of this computer with one processor each. IMAGES is what `convlens
search` takes, mnist5k unless something else is given. A search that was finished before is used.
"""

import csv
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ray_nodes import nodes

TRIALS = 16
NODES = 4
STORE = 100 * 2**20  # bytes
SETTINGS = ("--epochs", "3", "--limit", "500", "--size", "14", "--threads", "1")
VARIED = ("filters=4|8|8,16", "dropout=0..0.5", "optimizer=adamw,momentum", "batch_size=16,32,64")


def search(images: str, run: Path, *more: str) -> None:
    """Run a search unless it is finished, and print how long it took."""
    if run.exists() and "best" in json.loads((run / "search.json").read_text(encoding="utf-8")):
        return
    words = [sys.executable, "-m", "convlens", "search", images, "--trials", str(TRIALS)]
    for one in VARIED:
        words += ["--vary", one]
    began = time.monotonic()
    subprocess.run([*words, *SETTINGS, "--run", str(run), *more], check=True)
    print(f"{run.name}: {time.monotonic() - began:.0f} s")


def rows(run: Path) -> list[dict[str, str]]:
    """Return the rows of trials.csv without the seconds."""
    with (run / "trials.csv").open(newline="", encoding="utf-8") as file:
        return [
            {name: text for name, text in row.items() if name != "seconds"}
            for row in csv.DictReader(file)
        ]


def found(run: Path) -> dict[str, Any]:
    """Return the best trial of a search and its scores."""
    facts = json.loads((run / "search.json").read_text(encoding="utf-8"))
    return {name: facts[name] for name in ("best", "validation", "metrics")}


def main(folder: Path, images: str) -> int:
    """Search twice, and return 0 if both have found the same."""
    search(images, folder / "one")
    with nodes(NODES, STORE) as address:
        search(images, folder / "four", "--cluster", address)
    same_rows = rows(folder / "one") == rows(folder / "four")
    same_best = found(folder / "one") == found(folder / "four")
    print(f"the same table: {same_rows}; the same best trial and scores: {same_best}")
    return 0 if same_rows and same_best else 1


if __name__ == "__main__":
    images = sys.argv[2] if len(sys.argv) > 2 else "mnist5k"
    sys.exit(main(Path(sys.argv[1]), images))
