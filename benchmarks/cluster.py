"""Asking a cluster: what `predict --cluster` costs beside `predict`, and that it prints the same.

The nodes are processes of this computer with one processor each. They share its processors, so that
more of them cannot be faster: what is measured is the time of all processes together (processor
time), which other programs change less than the time on the clock. Each command runs with a few
images first, which takes what does not depend on the images: starting Ray, the actors and the
engine. The rest is divided by the images.

    python benchmarks/cluster.py RUN FOLDER --images 100000 --source cifar10.npz

FOLDER receives the images, where a second run finds them, and what the commands print.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
from PIL import Image
from ray_nodes import nodes

FOLDER = 1000  # images in a folder
FEW = 1000  # images that take the time to start, more or less
STORE = 100 * 2**20  # bytes of a node's object store
EVERY = 0.5  # seconds after which the time of all processes is read again
PROJECTED = 10_000_000  # images


class Cost(NamedTuple):
    """What a command took.

    Attributes:
        images: The number of images.
        seconds: The time on the clock.
        command: The processor time of the command in seconds.
        actors: That of the processes that decode and classify; 0 if the command itself does so.
        others: That of all other processes of Ray.
        memory: The largest memory of the command in MiB.
        disk: The size of the answers in MiB.
    """

    images: int
    seconds: float
    command: float
    actors: float
    others: float
    memory: float
    disk: float


def main() -> int:
    """Measure, and print a row for each command; return 0 if all have printed the same."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", help="a run, or the file of a classifier")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--nodes", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--engine", choices=["keras", "openvino"], default="openvino")
    parser.add_argument("--source", help="an .npz file with x_train; random pixels without it")
    given = parser.parse_args()
    place = given.folder / f"images-{given.images}"
    if not (place / "all.csv").exists():
        _write_images(place, given.images, given.source)
    words = [sys.executable, "-m", "convlens", "predict", given.run, "--engine", given.engine]
    words += ["--format", "csv"]
    _report("none", _twice(words, place, "alone"))
    same = True
    for number in given.nodes:
        with nodes(number, STORE) as address:
            found = _twice([*words, "--cluster", address], place, f"nodes-{number}")
        _report(str(number), found)
        same &= (place / "alone.csv").read_bytes() == (place / f"nodes-{number}.csv").read_bytes()
    print(f"the same bytes: {same}")
    return 0 if same else 1


def _twice(words: Sequence[str], place: Path, name: str) -> list[Cost]:
    """Run a command with a few images and with all of them, and return what both took."""
    on_cluster = "--cluster" in words
    costs = []
    for kind in ("few", "all"):
        answers = place / f"answers-{name}-{kind}"
        shutil.rmtree(answers, ignore_errors=True)
        # The list names the images that lie in the folder, in the same order.
        source = place / f"{kind}.csv" if on_cluster else place / "images"
        if kind == "few" and not on_cluster:
            source /= "0000"
        more = ["--answers", str(answers)] if on_cluster else []
        images = len((place / f"{kind}.csv").read_text().splitlines()) - 1
        output = place / f"{name}.csv"
        costs.append(_measured([*words, str(source), *more], output, images, answers))
    return costs


def _measured(words: Sequence[str], output: Path, images: int, answers: Path) -> Cost:
    """Return what a command took."""
    began = time.perf_counter()
    before = _times()
    with output.open("wb") as file, subprocess.Popen(words, stdout=file) as process:
        with _watched() as latest:
            _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{words} ended with {process.returncode}")
    latest.pop(process.pid, None)
    spent = {True: 0.0, False: 0.0}
    for pid, (is_actor, now) in latest.items():
        spent[is_actor] += now - before[pid][1] if pid in before else now
    own = used.ru_utime + used.ru_stime
    disk = sum(path.stat().st_size for path in answers.rglob("*") if path.is_file())
    seconds = time.perf_counter() - began
    memory = used.ru_maxrss / 1024
    return Cost(images, seconds, own, spent[True], spent[False], memory, disk / 2**20)


@contextmanager
def _watched() -> Iterator[dict[int, tuple[bool, float]]]:
    """Keep the times of the processes below this one up to date; Ray ends some of them."""
    latest = _times()
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(EVERY):
            latest.update(_times())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield latest
    finally:
        stop.set()
        thread.join()


def _times() -> dict[int, tuple[bool, float]]:
    """Return, of each process below this one, whether it is an actor, and its seconds."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
            title = "".join(process.cmdline()[:1])
        except psutil.NoSuchProcess:
            continue
        found[process.pid] = (title.startswith("ray::MapWorker"), times.user + times.system)
    return found


def _report(name: str, costs: Sequence[Cost]) -> None:
    """Print what was measured, and what follows from it for many images."""
    few, everything = costs
    number = everything.images - few.images
    each = Cost(
        1, *((one - other) / number for one, other in zip(everything[1:], few[1:], strict=True))
    )
    for cost in costs:
        print(json.dumps({"nodes": name, **cost._asdict()}))
    work = each.command + each.actors + each.others
    print(
        f"nodes: {name}, per image: {1e3 * each.seconds:.3f} ms on the clock, "
        f"{1e3 * work:.3f} ms of processors (command {1e3 * each.command:.3f}, "
        f"actors {1e3 * each.actors:.3f}, others {1e3 * each.others:.3f}); "
        f"{PROJECTED:,} images: {work * PROJECTED / 3600:.1f} hours of one processor, "
        f"{each.disk * PROJECTED:,.0f} MiB of answers",
        flush=True,
    )


def _write_images(place: Path, number: int, source: str | None) -> None:
    """Write small images into folders, and lists of a few and of all of them."""
    if source:
        with np.load(source) as file:
            pixels = file["x_train"]
    else:
        pixels = np.random.default_rng(0).integers(0, 256, (10_000, 32, 32, 3), np.uint8)
    paths = []
    for index in range(number):
        path = place / "images" / f"{index // FOLDER:04d}" / f"{index:08d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[index % len(pixels)]).save(path)
        paths.append(str(path))
    for kind, some in (("few", paths[:FEW]), ("all", paths)):
        (place / f"{kind}.csv").write_text("\n".join(["image", *some]) + "\n")


if __name__ == "__main__":
    sys.exit(main())
