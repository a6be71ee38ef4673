"""Measure how fast convlens is, beside what else people use, and draw what was found.

python benchmarks/speed/bench.py [--full] [--data FOLDER] [--torch PYTHON] [--others PYTHON]
                                 [--results FOLDER] [--only TEXT]

Each measurement is a command in a process of its own, which is printed, so that it can be run
alone. Its result is kept as a JSON file among the results. A measurement whose file exists is not
repeated, so that this command goes on where it was stopped. The programs that are compared run in
turn, round after round. In each round, the limits of the machine are measured too.

--full adds the trainings to an accuracy with three seeds, which take hours. DATA is a folder with
`cifar10.npz`, `mnist`, `fashion_mnist` and `cats_dogs`, as far as they are at hand; rows without
their images are left out. --torch names a Python that has PyTorch, and --others one that has fastai
or Ultralytics (pip install torch torchvision fastai ultralytics psutil).
"""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from drawing import draw
from rich.console import Console

from convlens import backend
from convlens.precision import has_fast_bfloat16

HERE = Path(__file__).parent
ROUNDS = 3
SEEDS = 3
OTHERS = ("fastai", "ultralytics")  # programs that read files, and the packages that they need
NETWORKS = ("cifar_4conv", "small_resnet", "fast_cnn")
IMAGES = {False: (1_000, 10_000, 100_000), True: (1_000, 10_000, 100_000, 1_000_000)}
CLASSES = (2, 10, 100, 1_000)
SIDES = (32, 64, 128, 224)
LARGE_BATCHES = "--batch-size 512 --learning-rate 0.12"
RECIPES = (  # images, the deck's program, options of convlens; --mirror scores with a second view
    (
        "cifar10.npz",
        "deck_cifar10",
        f"--recipe fast --model fast_cnn_wide --epochs 6 --val 0.05 {LARGE_BATCHES} --mirror",
    ),
    (
        "cifar10.npz",
        "deck_cifar10",
        f"--recipe fast --model fast_cnn_large --epochs 8 --val 0.03 {LARGE_BATCHES} --mirror",
    ),
    (
        "cifar10.npz",
        "deck_cifar10",
        f"--recipe fast --model fast_cnn_large --epochs 15 --val 0.03 {LARGE_BATCHES} --mirror",
    ),
    ("cifar10.npz", "deck_cifar10", "--backbone efficientnet_lite0 --size 192 --val 0.1"),
    (
        "cifar10.npz",
        "deck_cifar10",
        "--backbone efficientnet_lite0 --size 160 --unfreeze 16 --augment none --flip --epochs 5 "
        "--batch-size 128 --learning-rate 0.0004 --label-smoothing 0.1 --val 0.05",
    ),
    (
        "mnist",
        "deck_mnist",
        "--recipe fast --size 20 --epochs 1 --steps-per-epoch 120 --val 0.05 --no-audit "
        "--no-calibration",
    ),
    ("mnist", "deck_mnist", "--recipe fast --epochs 1"),
    ("fashion_mnist", "", f"--recipe fast --epochs 12 --flip --val 0.1 {LARGE_BATCHES} --mirror"),
    (
        "cats_dogs",
        "",
        "--recipe fast --size 64 --batch-size 64 --epochs 80 --augment strong --mirror",
    ),
)


@dataclass(frozen=True)
class Measurement:
    """A command that prints a line of JSON.

    Attributes:
        part: What is measured, which is the name of a folder among the results.
        name: The name of the row.
        number: The round or the seed.
        words: The script and its arguments.
        python: The Python that runs it.
    """

    part: str
    name: str
    number: int
    words: tuple[str, ...]
    python: str = sys.executable

    def file(self, results: Path) -> Path:
        """Return where the result is kept."""
        return results / self.part / f"{self.name}-{self.number}.json"


def main() -> None:
    """Run what is missing, and draw all results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--data", type=Path, help="a folder with the images")
    parser.add_argument("--torch", help="a Python that has PyTorch and convlens")
    parser.add_argument("--others", help="a Python that has fastai or Ultralytics")
    parser.add_argument("--results", type=Path, default=Path("bench"))
    parser.add_argument("--only", default="", help="rows whose PART/NAME-NUMBER has this text")
    given = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    backend.start()  # without its messages, since the versions are asked for
    # The lecture's program computes with the kernels that TensorFlow chooses by itself.
    env = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    for one in measurements(given.full, given.data, given.torch, available(given.others, console)):
        file = one.file(given.results)
        if given.only in f"{one.part}/{one.name}-{one.number}" and not file.exists():
            command = [one.python, str(HERE / one.words[0]), *one.words[1:]]
            console.print(f"[bold]{shlex.join(['python', *command[1:]])}[/bold]")
            facts = machine()
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=env, check=False)
            if done.returncode:
                console.print(f"  it ended with {done.returncode}, so that its row is left out")
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            found = json.loads(done.stdout.splitlines()[-1])
            file.write_text(json.dumps(found | {"command": shlex.join(one.words)} | facts))
            console.print("  " + json.dumps(found))
    draw(given.results, console)


def available(python: str | None, console: Console) -> dict[str, str]:
    """Return the Python for each of OTHERS that it has, and say which it has not."""
    found = {}
    for name in OTHERS if python else ():
        command = [
            str(python),
            "-c",
            f"import importlib.util as u; u.find_spec({name!r}) or exit(1)",
        ]
        if subprocess.run(command, check=False).returncode:
            console.print(f"{python} does not have {name}, so that its rows are left out")
        else:
            found[name] = str(python)
    return found


def machine() -> dict[str, object]:
    """Return on what is measured."""
    return {
        "cores": psutil.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "bfloat16": has_fast_bfloat16(),
        "load": os.getloadavg()[0],
        "versions": backend.versions(),
    }


def measurements(
    full: bool, data: Path | None, torch: str | None, others: dict[str, str]
) -> Iterator[Measurement]:
    """Yield everything that is measured, in the order in which it is done."""
    yield Measurement("start", "start", 0, ("start.py",))
    for number in range(ROUNDS):
        yield Measurement("limits", "limits", number, ("limits.py",))
        yield from throughput(number, torch)
    for images in IMAGES[full]:
        yield Measurement("growth", f"images-{images}", 0, ("growth.py", "--images", str(images)))
    for classes in CLASSES:
        words = ("growth.py", "--classes", str(classes))
        yield Measurement("growth", f"classes-{classes}", 0, words)
    for side in SIDES:
        words = ("growth.py", "--images", "2000", "--side", str(side))
        yield Measurement("growth", f"side-{side}", 0, words)
    if data is not None:
        yield from from_files(data, others | ({"torch": torch} if torch else {}))
    if data is not None and full:
        yield from to_accuracy(data)


def throughput(number: int, torch: str | None) -> Iterator[Measurement]:
    """Yield one round of trainings on random images."""
    own = ["deck", "convlens", *(["keras_bfloat16"] if has_fast_bfloat16() else [])]
    for network in NETWORKS:
        for program in own:
            words = ("throughput.py", program, "--network", network)
            yield Measurement("throughput", f"{network}-{program}", number, words)
    others = ["torch", "torch_compiled", *(["torch_bfloat16"] if has_fast_bfloat16() else [])]
    for program in others if torch else ():
        words = ("throughput.py", program)
        yield Measurement("throughput", f"cifar_4conv-{program}", number, words, str(torch))


def from_files(data: Path, others: dict[str, str]) -> Iterator[Measurement]:
    """Yield trainings that begin with files of photographs.

    Args:
        data: The folder with the images.
        others: The Python for each program that this one cannot run.
    """
    folder = data / "cats_dogs" / "train"
    if not folder.is_dir():
        return
    pythons = {"keras": sys.executable, "convlens": sys.executable, **others}
    for number in range(ROUNDS):
        for size in (64, 224):
            for program, python in pythons.items():
                words = ("files.py", program, str(folder), "--size", str(size))
                yield Measurement("files", f"{size}-{program}", number, words, python)


def to_accuracy(data: Path) -> Iterator[Measurement]:
    """Yield the deck's programs and the recipes, seed after seed."""
    for seed in range(SEEDS):
        decks = set()
        for name, deck, options in RECIPES:
            path = data / name
            if not path.exists():
                continue
            if deck and deck not in decks:
                decks.add(deck)
                words = ("accuracy.py", deck, str(path), "--seed", str(seed))
                yield Measurement("accuracy", deck, seed, words)
            own = [word for word in options.split() if word != "--mirror"]
            views = ["--mirror"] if "--mirror" in options.split() else []
            words = ("accuracy.py", "convlens", str(path), "--seed", str(seed), *views, "--", *own)
            row = f"{path.stem}{options.replace(' ', '_').replace('--', '-')}"
            yield Measurement("accuracy", row, seed, words)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on with what is missing")
