"""Compare trainings from scratch, on frozen features and fine-tuned; draw accuracy and time.

python benchmarks/transfer.py FOLDER --chart docs/transfer.png

Every row is a `convlens train` command in a process of its own, which is printed, so that it can be
run alone. The seconds are those from its start to its end, from JPEG files to the report. The first
rows begin with an empty cache; "features kept" repeats the row before it. The accuracy is that of
the test images; all choices are made on validation images.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from convlens import backend
from convlens.charts.style import BLUE, ORANGE, Chart, style
from convlens.data.sources import load_data
from convlens.evaluation.paired import compare_pairs


class Row(NamedTuple):
    """A training.

    Attributes:
        name: The name of the row.
        options: The options of `convlens train`.
        cold: Whether the cache is empty at the start.
        openvino: Whether OpenVINO may be used.
    """

    name: str
    options: str
    cold: bool = True
    openvino: bool = True


ROWS = (
    Row(
        "the deck's CNN",
        "--model cats_dogs_3conv --size 64 --epochs 25 --batch-size 10 --optimizer adam",
    ),
    Row("small_resnet", "--model small_resnet --size 64 --epochs 120 --augment strong"),
    Row("frozen, on Keras", "--backbone efficientnet_lite0", openvino=False),
    Row("frozen", "--backbone efficientnet_lite0"),
    Row("frozen, features kept", "--backbone efficientnet_lite0", cold=False),
    Row("fine-tuned", "--backbone efficientnet_lite0 --unfreeze all", cold=False),
    Row("frozen, 20 a class", "--backbone efficientnet_lite0 --few 20", cold=False),
    Row("frozen, 5 a class", "--backbone efficientnet_lite0 --few 5", cold=False),
)
FROM_SCRATCH = ("the deck's CNN", "small_resnet")
TICKS = (10, 20, 30, 60, 120, 240)
PLAIN = (
    "import sys; sys.modules['openvino'] = None; from convlens.cli import main; sys.exit(main())"
)


def main() -> None:
    """Run the rows, print them, and compare frozen with fine-tuned."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", help="photographs in a folder for each class, split into train and test"
    )
    parser.add_argument("--chart", type=Path, help="PNG file for the chart")
    parser.add_argument("--only", default="", help="rows whose name contains this text")
    arguments = parser.parse_args()
    rows = [row for row in ROWS if arguments.only in row.name]
    with tempfile.TemporaryDirectory() as place:
        found = [
            measure(row, arguments.folder, Path(place), number) for number, row in enumerate(rows)
        ]
        table(found)
        runs = {one["name"]: Path(place) / one["run"] for one in found}
        if {"frozen", "fine-tuned"} <= set(runs):
            print(compare(runs["fine-tuned"], runs["frozen"], arguments.folder))
    if arguments.chart:
        chart(found, arguments.chart)


def measure(row: Row, folder: str, place: Path, number: int) -> dict[str, Any]:
    """Run a row, and return its accuracy, its seconds and its peak memory."""
    caches = sorted(place.glob("cache-*"))  # of the rows before; a single row begins with none
    cache = caches[-1] if caches and not row.cold else place / f"cache-{number}"
    words = ["train", folder, *row.options.split(), "--run", str(place / f"run-{number}")]
    print(f"\n{row.name}: convlens {shlex.join(words[:-2])}", flush=True)
    start = ["-m", "convlens"] if row.openvino else ["-c", PLAIN]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *start, *words], env=os.environ | {"CONVLENS_CACHE": str(cache)}
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise SystemExit(f"{row.name} ended with {os.waitstatus_to_exitcode(status)}")
    report = json.loads((place / f"run-{number}" / "report.json").read_text())
    score = report["metrics"]["accuracy"]
    memory = used.ru_maxrss / 1e6  # Linux counts in kB
    return score | {"name": row.name, "seconds": seconds, "memory": memory, "run": f"run-{number}"}


def table(rows: list[dict[str, Any]]) -> None:
    """Print the rows as a Markdown table."""
    print("\n| training | test accuracy, 95 % interval | n | seconds | GB |")
    print("|---|---:|---:|---:|---:|")
    for row in rows:
        accuracy = f"{row['value']:.2%} [{100 * row['low']:.2f}, {100 * row['high']:.2f}]"
        numbers = f"{row['n']:,} | {row['seconds']:.0f} | {row['memory']:.1f}"
        print(f"| {row['name']} | {accuracy} | {numbers} |")
    print(f"\n{os.cpu_count()} cores, seed 0")


def compare(tuned: Path, frozen: Path, folder: str) -> str:
    """Return the paired test of two runs on the test images."""
    backend.start()
    from convlens.classifier.classifier import Classifier

    dataset = load_data(folder)
    test = np.flatnonzero(dataset.splits == "test")
    images = [dataset.images[i] for i in test]
    labels = [dataset.class_names[dataset.labels[i]] for i in test]
    correct = []
    for run in (tuned, frozen):
        predictions = Classifier.load(run).predict(images)
        pairs = zip(predictions, labels, strict=True)
        correct.append([prediction.label == label for prediction, label in pairs])
    return str(*compare_pairs(("fine-tuned", "frozen"), np.array(correct)))


def chart(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw accuracies with intervals against seconds; trained backbones are above, enlarged."""
    with style():
        figure = Chart(figsize=(8, 5), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for row in rows:
            scratch = row["name"] in FROM_SCRATCH
            axes = below if scratch else above
            color = ORANGE if scratch else BLUE
            value = 100 * row["value"]
            ends = [[value - 100 * row["low"]], [100 * row["high"] - value]]
            axes.errorbar(row["seconds"], value, ends, fmt="o", color=color, capsize=3)
            name = row["name"].replace(", ", ",\n")
            axes.annotate(
                name,
                (row["seconds"], value),
                (7, 0),
                textcoords="offset points",
                fontsize=8,
                va="center",
            )
        above.set(
            ylim=(95.5, 100),
            ylabel="test accuracy, %",
            title="Cats and dogs: on a trained backbone",
        )
        below.set(
            ylim=(70, 92),
            ylabel="test accuracy, %",
            title="From scratch",
            xscale="log",
            xlim=(8, 400),
            xlabel="seconds from JPEG files to the report",
        )
        below.set_xticks(TICKS, [str(tick) for tick in TICKS])
        below.minorticks_off()
        figure.savefig(path, dpi=150)
    print(f"chart: {path}")


if __name__ == "__main__":
    main()
