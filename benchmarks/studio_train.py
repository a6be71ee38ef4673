"""How long it takes from the click on "Start the training" to a classifier, and to its report.

    python benchmarks/studio_train.py [--images 20] [--way head]

A workspace with three classes of that many photographs of 640 x 480 pixels, as a webcam takes
them, is made in a temporary folder. A studio is started on it as `convlens studio` does, and asked
as its page asks. The cache is empty, so that everything is decoded. Each line is a stage of the
training with the seconds since the click, and the seconds of processor time that the training had
used by then, which do not depend on what else the computer does.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from PIL import Image
from studio_process import make_workspace, started

CLASSES = ("cup", "pen", "plant")
SIZE = (640, 480)
PAUSE = 0.1  # seconds between two looks


def main() -> None:
    """Measure, and print a line for each stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--way", default="head")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "studio"
        make_photographs(folder / "images", given.images)
        make_workspace(folder)
        variables = {"CONVLENS_CACHE": str(Path(place) / "cache"), "CONVLENS_LANG": "en"}
        with started(folder, variables) as (_process, url, token):
            headers = {"X-Convlens-Token": token}
            with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
                watch(client, folder, given.way)


def watch(client: httpx.Client, folder: Path, way: str) -> None:
    """Start a training, and print when its stages begin."""
    clicked = time.perf_counter()
    asked = client.post("/api/trainings", json={"way": way})
    asked.raise_for_status()
    run = asked.json()["training"]["run"]
    process = psutil.Process(processes(folder)[0])
    used = 0.0
    seen = set()

    def note(stage: str) -> None:
        if stage in seen:
            return
        seen.add(stage)
        print(f"{stage:40} {time.perf_counter() - clicked:6.1f} s  {used:6.1f} s of processor time")

    while True:
        (one,) = client.get("/api/trainings").json()["trainings"]
        try:
            times = process.cpu_times()
            used = times.user + times.system
        except psutil.Error:
            pass  # it has ended
        if one["state"] not in ("waiting", "running"):
            note(one["state"])
            return
        note((one["progress"] or {}).get("stage") or "the process is started")
        if (folder / "runs" / run / "classifier.keras").exists():
            note("there is a classifier")
        time.sleep(PAUSE)


def processes(folder: Path) -> list[int]:
    """Return the numbers of the processes of the trainings."""
    content: dict[str, Any] = json.loads((folder / ".studio" / "trainings.json").read_text())
    return [one["pid"] for one in content["trainings"]]


def make_photographs(root: Path, number: int) -> None:
    """Write JPEG files that differ by class as much as things before a webcam do."""
    rng = np.random.default_rng(0)
    for name in CLASSES:
        thing = rng.integers(0, 256, (9, 12, 3))
        for index in range(number):
            small = np.clip(thing + rng.normal(0, 25, thing.shape), 0, 255).astype(np.uint8)
            large = Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC)
            noise = rng.normal(0, 6, (SIZE[1], SIZE[0], 3))
            pixels = np.clip(np.asarray(large, np.float64) + noise, 0, 255).astype(np.uint8)
            path = root / name / f"webcam-{index}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path, quality=90)


if __name__ == "__main__":
    main()
