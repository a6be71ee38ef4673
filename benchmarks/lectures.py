"""Train the networks of the lectures, and our own, on their images; print accuracy and seconds.

python benchmarks/lectures.py --mnist FOLDER --cifar10 FILE.npz --cats-dogs FOLDER

Every row is a `convlens train` command, which is printed, so that any row can be run alone. The
accuracy is that of the test images, which are used once, at the end of a run.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from tables import table_of

ROWS = (  # data, options, the deck's result
    ("mnist", "--model mnist_2conv --epochs 10 --batch-size 300 --optimizer adam", "99.12 %"),
    ("cifar10", "--model cifar_4conv --epochs 20 --batch-size 128 --optimizer adam", "78.3 %"),
    ("cifar10", "--model small_resnet --epochs 20 --learning-rate 0.004", "-"),
    (
        "cats_dogs",
        "--model cats_dogs_3conv --size 64 --epochs 25 --batch-size 10 --optimizer adam",
        "80.30 %, of 8,000",
    ),
    ("cats_dogs", "--model small_resnet --size 64 --epochs 120 --augment strong", "-"),
)


def main() -> None:
    """Run the rows whose images are given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("mnist", "cifar10", "cats_dogs"):
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            dest=name,
            help=f"path of {name}; without it, its rows are left out",
        )
    parser.add_argument("--only", help="rows whose options contain this text")
    paths = vars(parser.parse_args())
    console = Console(highlight=False, soft_wrap=True, width=140)
    table = table_of("data", "network", "deck", "test accuracy", "95 % interval", "n", "seconds")
    for data, options, deck in ROWS:
        if paths[data] is None or (paths["only"] or "") not in options:
            continue
        words = ["train", paths[data], *options.split()]
        console.print(f"[bold]convlens {shlex.join(words)}[/bold]")
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            subprocess.run(
                [sys.executable, "-m", "convlens", *words, "--run", str(run)], check=True
            )
            report = json.loads((run / "report.json").read_text())
        score = report["metrics"]["accuracy"]
        interval = f"[{score['low']:.2%}, {score['high']:.2%}]"
        seconds = f"{report['seconds']:.0f}"
        table.add_row(
            data,
            report["network"],
            deck,
            f"{score['value']:.2%}",
            interval,
            f"{score['n']:,}",
            seconds,
        )
    console.print(table)
    console.print(
        f"{os.cpu_count()} cores; seed 0; seconds are those of the training, with its validation"
    )


if __name__ == "__main__":
    main()
