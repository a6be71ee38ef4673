"""Compare what exported classifiers say of the same image files with what convlens says of them.

python benchmarks/exports.py RUN=DATA... [--images 2000] [--results RESULTS.json]

RUN is a run or a classifier file; DATA is what `convlens train` takes, or a folder of images of any
kind without classes, as benchmarks/varied_images.py writes it. The last images are used. Images of
arrays are written as PNG files first, so that every program reads the same files.

The classes and probabilities of each way are compared with those of `Classifier.predict`: the
engines as the `predict.py` of the exported folder runs them, REST through `convlens serve`, and the
page of `--to web` in Chromium. Each image comes alone. What a way refuses to read is counted.
"""

import argparse
import functools
import http.server
import importlib.util
import json
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image
from rich.console import Console
from server_process import running, serve_command
from tables import table_of

from convlens import backend
from convlens.run import Run

CLIENTS = 4  # of the server, at a time
Found = list[list[float] | str]  # the probabilities of each image, or why it was not read
CLASSIFY = """async (names) => {
  const { Network } = await import("./network.mjs");
  const network = await Network.open();
  const rows = [];
  for (const name of names) {
    const file = await (await fetch(`../files/${encodeURIComponent(name)}`)).blob();
    try {
      rows.push((await network.classifyFile(file)).probabilities);
    } catch (error) {
      rows.push(String(error.message || error));
    }
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
    expected = np.stack([classifier.predict(file)[0].probabilities for file in files])
    found = {"n": len(files), "classes": len(classifier.class_names)}
    for way in asked.only or READERS:
        to, read = READERS[way]
        folder = place / to
        if not folder.exists():
            export_classifier(path, Target(to), folder)
        found[way] = difference(read(folder, files), expected, files)
        print(f"{run} {way}: {found[way]}", flush=True)
    return found


def write_files(data: str, number: int, place: Path) -> list[Path]:
    """Return image files of a data set, its last ones, which are written if they are arrays."""
    from convlens.cli.predict_images import find_images
    from convlens.data.sources import load_data

    if Path(data).is_dir() and any(path.is_file() for path in Path(data).iterdir()):
        files, _notes = find_images([data])
        return files[-number:]
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


def difference(found: Found, expected: np.ndarray, files: list[Path]) -> dict[str, Any]:
    """Return how many classes changed, how far probabilities differ, and what was not read."""
    is_read = np.array([not isinstance(row, str) for row in found])
    rows = np.array([row for row in found if not isinstance(row, str)])
    apart = np.abs(rows - expected[is_read]).max(1)
    refused = Counter(row for row in found if isinstance(row, str))
    names = np.array([file.name for file in files])[is_read]
    return {
        "changed": int((rows.argmax(1) != expected[is_read].argmax(1)).sum()),
        "largest": float(apart.max()),
        "mean": float(np.abs(rows - expected[is_read]).mean()),
        "refused": dict(refused.most_common()),
        "furthest": [f"{names[index]} {apart[index]:.1e}" for index in np.argsort(-apart)[:5]],
    }


def read_folder(folder: Path, files: list[Path]) -> Found:
    """Return what the `predict.py` of an exported folder says of each image."""
    spec = importlib.util.spec_from_file_location("predict", folder / "predict.py")
    assert spec is not None
    assert spec.loader is not None
    predict = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(predict)
    network = predict.Network(folder)
    rows: Found = []
    for file in files:
        try:
            rows.append(list(network.classify(file)["probabilities"].values()))
        except ValueError as error:
            rows.append(str(error))
    return rows


def read_server(folder: Path, files: list[Path]) -> Found:
    """Return the same as a server answers."""
    with (
        tempfile.TemporaryDirectory() as place,
        running(serve_command(folder), Path(place)) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=120) as client,
    ):

        def ask(file: Path) -> list[float] | str:
            headers = {"Content-Type": "application/octet-stream"}
            answer = client.post("/predict", content=file.read_bytes(), headers=headers)
            found = answer.json()
            return found["error"] if answer.is_error else list(found["probabilities"].values())

        with ThreadPoolExecutor(CLIENTS) as pool:
            return list(pool.map(ask, files))


def read_browser(folder: Path, files: list[Path]) -> Found:
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
            page.set_default_timeout(0)
            rows: Found = page.evaluate(CLASSIFY, names)
            browser.close()
            server.shutdown()
    return rows


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Sends files without a line for each of them."""

    def log_message(self, *words: object) -> None:
        """Print nothing."""


READERS: dict[str, tuple[str, Callable[[Path, list[Path]], Found]]] = {
    "onnx": ("onnx", read_folder),
    "openvino": ("openvino", read_folder),
    "litert": ("litert", read_folder),
    "saved_model": ("saved_model", read_folder),
    "rest": ("openvino", read_server),
    "browser": ("web", read_browser),
}


def show(rows: dict[str, dict[str, Any]]) -> None:
    """Print changed classes, the largest difference and refused images, for each run and way."""
    ways = [way for way in READERS if any(way in row for row in rows.values())]
    table = table_of("network", "images", *ways)
    for name, row in rows.items():
        cells = [
            f"{row[way]['changed']}, {row[way]['largest']:.1e}, {sum(row[way]['refused'].values())}"
            for way in ways
            if way in row
        ]
        table.add_row(name, f"{row['n']:,}", *cells)
    Console(width=140).print(table)  # a narrow terminal would cut numbers


if __name__ == "__main__":
    main()
