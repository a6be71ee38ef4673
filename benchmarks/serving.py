"""Measure a server over an exported folder, against what it could reach at most.

python benchmarks/serving.py FOLDER IMAGES [--classifier FILE] [--seconds 20] [--rounds 3]
                             [--minutes 0] [--out serving.json]

FOLDER is an exported one, and IMAGES a folder of JPEG files. The server is compared with decoding
plus kernel in this process: its latency at one client, and at eight clients its throughput with as
many threads. Both are measured in turn, so that a busy computer disturbs both. The processor time
of the clients, which run on the same computer, is taken away. With --classifier, TensorFlow is
measured behind the same server. With --minutes, good, damaged, huge, slow and cancelled requests
follow, whose answers are compared with predictions in this process.
"""

import argparse
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from load import Load, measure
from mixed_load import run_mixed
from rich.console import Console
from server_process import Running, running, serve_command
from serving_tensorflow import WAYS
from tables import table_of
from wire import post

from convlens.preprocess import prepare
from convlens.serve.model import Served, open_served

CLIENTS = 8
WARM_UP = 2.0  # seconds


def main() -> None:
    """Measure, print a table, and write the raw results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="exported folder")
    parser.add_argument("images", type=Path, help="folder of JPEG images, with its subfolders")
    parser.add_argument("--number", type=int, default=200, help="of images")
    parser.add_argument("--classifier", type=Path, help="the file that FOLDER was exported from")
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=0, help="of mixed load")
    parser.add_argument("--out", type=Path, help="file for the raw results")
    asked = parser.parse_args()
    paths = sorted(asked.images.rglob("*.jpg"))
    chosen = np.linspace(0, len(paths) - 1, min(asked.number, len(paths))).astype(int)
    files = [paths[index].read_bytes() for index in chosen]
    served = open_served(asked.folder, asked.threads)
    results: dict[str, Any] = {"threads": asked.threads, "images": len(files)}
    results["server"] = against_process(asked, served, files)
    if asked.classifier is not None:
        results["tensorflow"] = {way: of_tensorflow(asked, files, way) for way in WAYS}
    show(results)
    if asked.minutes:
        with started(serve_command(asked.folder, f"--threads={asked.threads}")) as server:
            results["mixed"] = run_mixed(server, served.predictor, files, 60 * asked.minutes)
        show_mixed(results["mixed"])
    if asked.out is not None:
        asked.out.write_text(json.dumps(results, indent=1), encoding="utf-8")
    sys.exit(1 if results.get("mixed", {}).get("wrong") else 0)


def against_process(
    asked: argparse.Namespace, served: Served, files: Sequence[bytes]
) -> list[dict[str, Any]]:
    """Return what the server and this process have reached in each round."""
    requests = [post("/predict", file, "image/jpeg") for file in files]
    rounds = []
    with started(serve_command(asked.folder, f"--threads={asked.threads}")) as server:
        measure(server.port, requests, CLIENTS, WARM_UP)
        together(served, files, WARM_UP)
        for _ in range(asked.rounds):
            here = alone(served, files, asked.seconds)
            one = measure(server.port, requests, 1, asked.seconds)
            rate_here, seconds_here = together(served, files, asked.seconds)
            before = server.seconds()
            eight = measure(server.port, requests, CLIENTS, asked.seconds)
            used = server.seconds() - before
            rounds.append(
                {
                    "here_latencies": here,
                    "latencies": one.latencies,
                    "here_rate": rate_here,
                    "here_seconds_per_image": seconds_here,
                    "server_seconds_per_image": used / len(eight.latencies),
                    **facts_of(eight, asked.threads),
                }
            )
    return rounds


def facts_of(load: Load, threads: int) -> dict[str, Any]:
    """Return what eight clients have measured."""
    return {
        "rate": load.rate(threads),
        "rate_with_clients": len(load.latencies) / load.wall,
        "clients_share": load.own / load.wall / threads,
        "latencies_of_eight": load.latencies,
    }


def alone(served: Served, files: Sequence[bytes], seconds: float) -> list[float]:
    """Return the times of decoding plus kernel, one image after the other."""
    times = []
    end = time.perf_counter() + seconds
    for file in cycle(files):
        start = time.perf_counter()
        if start > end:
            return times
        served.engine.alone(prepare(io.BytesIO(file), served.predictor.preprocessing)[None])
        times.append(time.perf_counter() - start)
    return times


def together(served: Served, files: Sequence[bytes], seconds: float) -> tuple[float, float]:
    """Return images a second, decoded and computed with all threads, and processor time of one."""
    end = time.perf_counter() + seconds

    def work(first: int) -> int:
        number = 0
        for file in cycle([*files[first:], *files[:first]]):
            if time.perf_counter() > end:
                return number
            served.engine.beside(prepare(io.BytesIO(file), served.predictor.preprocessing)[None])
            number += 1
        return number

    starts = np.linspace(0, len(files), served.threads, endpoint=False).astype(int).tolist()
    began = time.perf_counter()
    began_own = time.process_time()
    with ThreadPoolExecutor(served.threads) as pool:
        number = sum(pool.map(work, starts))
    wall = time.perf_counter() - began
    return number / wall, (time.process_time() - began_own) / number


def of_tensorflow(asked: argparse.Namespace, files: Sequence[bytes], way: str) -> dict[str, Any]:
    """Return what TensorFlow reaches behind the same server."""
    program = Path(__file__).with_name("serving_tensorflow.py")
    paths = [str(path.resolve()) for path in (program, asked.folder, asked.classifier)]
    options = [f"--way={way}", f"--threads={asked.threads}"]
    requests = [post("/predict", file, "image/jpeg") for file in files]
    with started([sys.executable, *paths, *options]) as server:
        measure(server.port, requests, CLIENTS, WARM_UP)
        one = measure(server.port, requests, 1, asked.seconds)
        eight = measure(server.port, requests, CLIENTS, asked.seconds)
    return {"latencies": one.latencies, **facts_of(eight, asked.threads)}


@contextmanager
def started(command: Sequence[str]) -> Iterator[Running]:
    """Start a server in folders of its own."""
    with tempfile.TemporaryDirectory() as place, running(command, Path(place)) as server:
        yield server


def show(results: dict[str, Any]) -> None:
    """Print the medians of all rounds."""
    rounds = results["server"]
    rate = np.median([one["rate"] for one in rounds])
    rate_here = np.median([one["here_rate"] for one in rounds])
    latency = milliseconds(rounds, "latencies")
    latency_here = milliseconds(rounds, "here_latencies")
    table = table_of("", "ms at one client", "images/s at eight")
    table.add_row("decoding plus kernel", f"{latency_here:.2f}", f"{rate_here:.1f}")
    table.add_row("server", f"{latency:.2f}", f"{rate:.1f}")
    for way, found in results.get("tensorflow", {}).items():
        median = milliseconds([found], "latencies")
        table.add_row(f"TensorFlow, {way}", f"{median:.2f}", f"{found['rate']:.1f}")
    console = Console(highlight=False)
    console.print(table)
    console.print(f"the server takes {latency - latency_here:.2f} ms more (at most 1.5)")
    share = np.median([one["clients_share"] for one in rounds])
    console.print(
        f"it reaches {rate / rate_here:.1%} of the throughput (at least 85 %); "
        f"the clients took {share:.1%} of the processors, which is taken away"
    )
    used = 1000 * np.median([one["server_seconds_per_image"] for one in rounds])
    used_here = 1000 * np.median([one["here_seconds_per_image"] for one in rounds])
    console.print(f"an image takes {used:.2f} ms of processor time, {used_here:.2f} ms here")
    for way, found in results.get("tensorflow", {}).items():
        console.print(f"it is {rate / found['rate']:.1f} times as fast as TensorFlow, {way}")


def milliseconds(rounds: Sequence[dict[str, Any]], name: str) -> float:
    """Return the median over the rounds of the median of some times."""
    return 1000 * float(np.median([np.median(one[name]) for one in rounds]))


def show_mixed(found: dict[str, Any]) -> None:
    """Print what the mixed load has found."""
    console = Console(highlight=False)
    for (kind, outcome), number in found["outcomes"]:
        console.print(f"{kind:<10} {number:>9,} {outcome}")
    memory = found["megabytes"]
    console.print(
        f"memory: {memory[0]:.0f} MB at first, {memory[len(memory) // 4]:.0f} MB after a quarter, "
        f"{memory[-1]:.0f} MB in the end, {max(memory):.0f} MB at most"
    )
    console.print("\n".join(found["wrong"][:20]) or "no wrong answer", markup=False)


if __name__ == "__main__":
    main()
