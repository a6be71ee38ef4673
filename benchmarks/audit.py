"""Find copies that were planted into real images, and measure the speed of the audit.

python benchmarks/audit.py DATA --results FILE.json [--only copies|speed|hashes|others]

DATA is a folder of labelled images that convlens can read. Each part is written to the results as
soon as it is done; parts of earlier runs are kept.
    copies  recall and precision by kind of copy; see audit_bed.py.
    speed   Pillow alone, which decodes the files, against a first and a second audit.
    hashes  1,000,000 random hashes, some of which differ in few bits only.
    others  copies, with other tools side by side; --others names a Python that has them.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from audit_bed import beds, kinds, originals_of
from audit_others import TOOLS
from peak_memory import peak
from PIL import Image

from convlens import backend
from convlens.audit.audit import audit_data
from convlens.config import DataConfig
from convlens.data.duplicates import FEWEST_PROPOSALS, SHARE_OF_PROPOSALS, find_pairs
from convlens.data.input_shape import choose_preprocessing
from convlens.data.neighbours import neighbours
from convlens.data.proposals import MOST_BITS
from convlens.data.sources import load_data
from convlens.data.store import open_store

PARTS = ("hashes", "speed", "copies", "others")  # the first is the one whose memory is measured
OWN = "convlens"
HASHES = 1_000_000
PLANTED = 10_000  # hashes that differ in few bits from another one
FARTHEST = 60  # bits
BANDS = ((0, 31), (32, 45), (46, FARTHEST))  # bits
ROUNDS = 3
Pair = tuple[str, str]


def main() -> None:
    """Run the parts that were asked for, and print them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="a folder of labelled images")
    parser.add_argument("--results", type=Path, required=True, help="a JSON file")
    parser.add_argument("--only", choices=PARTS, help="one part; without it, all of them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, help="the number of originals [all]")
    parser.add_argument("--each", type=int, default=80, help="copies of each kind")
    parser.add_argument("--side", type=int, help="the shorter side of originals [as they are]")
    parser.add_argument("--others", type=Path, help="a Python that has the other tools")
    arguments = parser.parse_args()
    backend.start()
    parts = [arguments.only] if arguments.only else list(PARTS)
    if arguments.only is None and arguments.others is None:
        parts.remove("others")
    run: dict[str, Callable[[argparse.Namespace], Any]] = {
        "hashes": search_hashes,
        "speed": measure_speed,
        "copies": find_copies,
        "others": find_copies,
    }
    for part in parts:
        arguments.part = part
        name = part if arguments.side is None else f"{part} at {arguments.side} pixels"
        with tempfile.TemporaryDirectory() as cache:
            os.environ["CONVLENS_CACHE"] = cache
            results = read(arguments.results) | {name: run[part](arguments)}
        arguments.results.write_text(json.dumps(results, indent=1), encoding="utf-8")


def read(path: Path) -> dict[str, Any]:
    """Return the results so far."""
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def find_copies(arguments: argparse.Namespace) -> dict[str, Any]:
    """Plant copies, and return what each tool finds."""
    paths = [Path(path) for path in load_data(arguments.data).images]
    originals = originals_of(paths, arguments.limit)
    tools = [OWN]
    if arguments.part == "others":
        if arguments.others is None:
            raise SystemExit("--only others needs --others PYTHON")
        tools += TOOLS
    planted: list[tuple[str, str, str]] = []
    pairs: dict[str, set[Pair]] = {}
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "bed"
        for bed in beds(originals, arguments.each, arguments.seed, folder, arguments.side):
            planted += bed.planted
            for tool in tools:
                found, taken = search_bed(tool, bed.folder, arguments.others)
                seconds[tool] = seconds.get(tool, 0.0) + taken
                if found is not None:
                    pairs.setdefault(tool, set()).update(found)
    known = {numbers_of(pair) for pair in pairs[OWN] if not kinds_of(pair)}
    named = [[str(originals[number]) for number in sorted(numbers)] for numbers in sorted(known)]
    print(f"pairs among the {len(originals)} originals alone, to be looked at: {named}")
    rows = {tool: judge(planted, found, known) for tool, found in pairs.items()}
    show_copies(rows, seconds)
    raw = {tool: sorted(found) for tool, found in pairs.items()}
    return {
        "originals": len(originals),
        "known": named,
        "seconds": seconds,
        "rows": rows,
        "planted": planted,
        "pairs": raw,
    }


def search_bed(tool: str, folder: Path, python: Path | None) -> tuple[list[Pair] | None, float]:
    """Return the pairs of file names that a tool finds, and the seconds; None if it is missing."""
    if tool != OWN:
        command = [str(python), str(Path(__file__).with_name("audit_others.py")), tool, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{tool}: left out: {done.stderr.strip().splitlines()[-1]}")
            return None, 0.0
        answer = json.loads(done.stdout.splitlines()[-1])
        return [(first, second) for first, second in answer["pairs"]], answer["seconds"]
    began = time.perf_counter()
    dataset = load_data(folder)
    store = open_store(dataset, choose_preprocessing(dataset, DataConfig()))
    found = find_pairs(store)
    seconds = time.perf_counter() - began
    if not found.complete or found.crowded:
        print(f"not all was compared: complete {found.complete}, crowded {found.crowded}")
    names = [Path(path).name for path in dataset.images]
    rows = zip(found.first.tolist(), found.second.tolist(), strict=True)
    pairs = [sorted((names[first], names[second])) for first, second in rows]
    return [(first, second) for first, second in pairs], seconds


def numbers_of(pair: Pair) -> tuple[int, ...]:
    """Return the numbers of the originals of a pair, one if it is a copy and its original."""
    return tuple(sorted({int(Path(name).stem.partition("-")[0]) for name in pair}))


def kinds_of(pair: Pair) -> list[str]:
    """Return the kinds of the copies in a pair."""
    of_files = [Path(name).stem.partition("-")[2] for name in pair]
    return [kind for kind in of_files if kind]


def judge(
    planted: Sequence[tuple[str, str, str]], pairs: set[Pair], known: set[tuple[int, ...]]
) -> dict[str, dict[str, float]]:
    """Return what was found by kind, and for all kinds together.

    A pair of different originals is false, and counts for the kinds of both images. It is not false
    if the originals alone are such a pair.
    """
    false = [pair for pair in pairs if len(numbers_of(pair)) == 2 and numbers_of(pair) not in known]
    wrong = Counter(kind for pair in false for kind in set(kinds_of(pair)))
    there = Counter(kind for _, _, kind in planted)
    found = Counter(
        kind for original, copy, kind in planted if tuple(sorted((original, copy))) in pairs
    )
    rows = {kind: _row(there[kind], found[kind], wrong[kind]) for kind in kinds() if kind in there}
    return rows | {"all": _row(there.total(), found.total(), len(false))}


def _row(planted: int, found: int, false: int) -> dict[str, float]:
    return {
        "planted": planted,
        "found": found,
        "recall": found / planted,
        "false": false,
        "precision": found / max(1, found + false),
    }


def show_copies(rows: dict[str, dict[str, dict[str, float]]], seconds: dict[str, float]) -> None:
    """Print recall and precision by kind, with the tools side by side."""
    for tool in rows:
        print(f"{tool}: {seconds[tool]:.1f} s")
    print(f"{'kind':24}{'planted':>8}" + "".join(f"{tool:>22}" for tool in rows))
    for kind, own in rows[OWN].items():
        parts = [
            f"{found[kind]['found']:8.0f}{found[kind]['recall']:7.1%}{found[kind]['precision']:7.1%}"
            for found in rows.values()
        ]
        print(f"{kind:24}{own['planted']:8.0f}" + "".join(parts))


def measure_speed(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the seconds of Pillow alone, of a first and of a second audit."""
    dataset = load_data(arguments.data)
    paths = [Path(path) for path in dataset.images]
    for path in paths:
        path.read_bytes()  # so that no round waits for the disk
    alone: list[float] = []
    first: list[float] = []
    second: list[float] = []
    for _ in range(ROUNDS):
        alone.append(timed(lambda: decode(paths)))
        with tempfile.TemporaryDirectory() as cache:
            os.environ["CONVLENS_CACHE"] = cache
            first.append(timed(lambda: audit_data(load_data(arguments.data))))
            refusal = mock.patch("PIL.Image.open", side_effect=AssertionError("an image is opened"))
            with refusal:
                second.append(timed(lambda: audit_data(load_data(arguments.data))))
    seconds = {"Pillow alone": alone, "first audit": first, "second audit": second}
    for name, values in seconds.items():
        print(f"{name:14} {statistics.median(values):8.2f} s for {len(paths)} images")
    share = statistics.median(alone) / statistics.median(first)
    print(f"the first audit has {share:.0%} of the speed of Pillow alone")
    return {"images": len(paths), "seconds": seconds, "share": share}


def timed(work: Callable[[], Any]) -> float:
    """Return the seconds that some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def decode(paths: Iterable[Path]) -> None:
    """Decode files with Pillow alone, with as many threads as the store has."""

    def read_one(path: Path) -> None:
        with Image.open(path) as image:
            image.load()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(read_one, paths):
            pass


def search_hashes(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return how long a search among random hashes takes, and what it finds."""
    rng = np.random.default_rng(arguments.seed)
    hashes = rng.integers(0, 2**64, (HASHES, 4), dtype=np.uint64)
    bits = rng.integers(0, FARTHEST + 1, PLANTED)
    flipped = rng.permuted(np.tile(np.arange(256), (PLANTED, 1)), axis=1) < bits[:, None]
    masks = np.packbits(flipped, axis=1).view(np.uint64)
    hashes[:PLANTED] = hashes[PLANTED : 2 * PLANTED] ^ masks
    limit = FEWEST_PROPOSALS + int(SHARE_OF_PROPOSALS * HASHES)
    before = peak()
    began = time.perf_counter()
    found = neighbours(hashes, None, MOST_BITS[0], limit)
    seconds = time.perf_counter() - began
    more = peak() - before
    pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    hit = np.array([(place, place + PLANTED) in pairs for place in range(PLANTED)])
    print(f"{HASHES:,} hashes: {seconds:.1f} s, {more:,.0f} MiB more than before")
    recall = {}
    for low, high in BANDS:
        recall[f"{low}-{high}"] = float(hit[(bits >= low) & (bits <= high)].mean())
        print(f"pairs that differ in {low} to {high} bits: {recall[f'{low}-{high}']:.2%} found")
    return {"hashes": HASHES, "seconds": seconds, "more MiB": more, "recall": recall}


if __name__ == "__main__":
    main()
