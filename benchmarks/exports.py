"""Compare what exported classifiers say of the same image files with what convlens says of them.

python benchmarks/exports.py RUN=DATA... [--images 2000] [--results RESULTS.json]

RUN is a run or a classifier file; DATA is what `convlens train` takes. Its last images are used.
Images of arrays are written as PNG files first, so that every program reads the same files. The
classes and probabilities of each way are compared with those of `Classifier.predict`: the engines
in this process, REST through `convlens serve`, and the page of `--to web` in Chromium.
"""

import argparse
import functools
import http.server
import json
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table
from server_process import running, serve_command

from convlens import backend
from convlens.run import Run

TOGETHER = 25  # images of a request
CLASSIFY = """async (names) => {
  const { Network } = await import("./network.mjs");
  const network = await Network.open();
  const rows = [];
  for (const name of names) {
    const file = await (await fetch(`../files/${encodeURIComponent(name)}`)).blob();
    rows.push((await network.classifyFile(file)).probabilities);
  }
  return rows;
}"""


def main() -> None:
    """Export each run to each format, classify the images, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", help="RUN=DATA")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--only", action="append", choices=READERS, help="one of the ways")
    parser.add_argument("--results", type=Path)
    asked = parser.parse_args()
    backend.start()
    rows = {}
    for pair in asked.runs:
        run, data = pair.split("=")
        with tempfile.TemporaryDirectory() as place:
            rows[Path(run).stem] = measure(run, data, Path(place), asked)
        show(rows)
        if asked.results:
            asked.results.write_text(json.dumps(rows, indent=1))


def measure(run: str, data: str, place: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Return what each way says of the images, against Keras."""
    from convlens.classifier.classifier import Classifier
    from convlens.export.export import export_classifier
    from convlens.export.target import Target

    files = write_files(data, asked.images, place / "files")
    path = Run.find_classifier(run)
    classifier = Classifier.load(path)
    expected = np.stack([one.probabilities for one in classifier.predict(files)])
    found = {"n": len(files), "classes": len(classifier.class_names)}
    for way in asked.only or READERS:
        to, read = READERS[way]
        folder = place / to
        if not folder.exists():
            export_classifier(path, Target(to), folder)
        found[way] = difference(read(folder, files), expected)
        print(f"{run} {way}: {found[way]}", flush=True)
    return found


def write_files(data: str, number: int, place: Path) -> list[Path]:
    """Return image files of a data set, its last ones, which are written if they are arrays."""
    from convlens.data.sources import load_data

    dataset = load_data(data)
    place.mkdir()
    total = len(dataset.images)
    files = []
    for index in range(max(0, total - number), total):
        image = dataset.images[index]
        if isinstance(image, np.ndarray):
            file = place / f"{index}.png"
            Image.fromarray(image.squeeze()).save(file)
        else:
            file = Path(image)
        files.append(file)
    return files


def difference(found: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    """Return how many classes changed, and how far the probabilities differ."""
    apart = np.abs(found - expected)
    return {
        "changed": int((found.argmax(1) != expected.argmax(1)).sum()),
        "largest": float(apart.max()),
        "mean": float(apart.mean()),
    }


def read_folder(folder: Path, files: list[Path]) -> np.ndarray:
    """Return (n, classes) probabilities of an exported folder, computed in this process."""
    from convlens.export.folder import open_network

    return np.stack([one.probabilities for one in open_network(folder).predict(files)])


def read_server(folder: Path, files: list[Path]) -> np.ndarray:
    """Return the same as a server answers."""
    rows = []
    with (
        tempfile.TemporaryDirectory() as place,
        running(serve_command(folder), Path(place)) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=120) as client,
    ):
        for start in range(0, len(files), TOGETHER):
            parts = [("images", file.read_bytes()) for file in files[start : start + TOGETHER]]
            answer = client.post("/predict", files=parts).raise_for_status()
            rows += [list(one["probabilities"].values()) for one in answer.json()]
    return np.array(rows)


def read_browser(folder: Path, files: list[Path]) -> np.ndarray:
    """Return the same as the page of the folder finds in Chromium."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(folder, Path(place) / "page")
        shown = Path(place) / "files"
        shown.mkdir()
        names = [f"{number}{file.suffix}" for number, file in enumerate(files)]
        for name, file in zip(names, files, strict=True):
            shutil.copyfile(file, shown / name)
        handler = functools.partial(Quiet, directory=place)
        with (
            http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
            sync_playwright() as playwright,
        ):
            threading.Thread(target=server.serve_forever, daemon=True).start()
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_address[1]}/page/")
            rows = page.evaluate(CLASSIFY, names)
            browser.close()
            server.shutdown()
    return np.array(rows)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Sends files without a line for each of them."""

    def log_message(self, *words: object) -> None:
        """Print nothing."""


READERS: dict[str, tuple[str, Callable[[Path, list[Path]], np.ndarray]]] = {
    "onnx": ("onnx", read_folder),
    "openvino": ("openvino", read_folder),
    "litert": ("litert", read_folder),
    "saved_model": ("saved_model", read_folder),
    "rest": ("openvino", read_server),
    "browser": ("web", read_browser),
}


def show(rows: dict[str, dict[str, Any]]) -> None:
    """Print changed classes and the largest difference of a probability, for each run and way."""
    ways = [way for way in READERS if any(way in row for row in rows.values())]
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    for heading in ("network", "images", *ways):
        table.add_column(heading, justify="left" if heading == "network" else "right")
    for name, row in rows.items():
        cells = [f"{row[way]['changed']}, {row[way]['largest']:.1e}" for way in ways if way in row]
        table.add_row(name, f"{row['n']:,}", *cells)
    Console(width=140).print(table)  # a narrow terminal would cut numbers


if __name__ == "__main__":
    main()
