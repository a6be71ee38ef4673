"""Model: the network that is served. Its examples are replayed before it answers anybody."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens.errors import ExportError
from convlens.export.folder import Exported, engine_version, open_network
from convlens.language import _
from convlens.preprocess import ImageArray, prepare

Run = Callable[[ImageArray], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Served:
    """An exported folder that is served.

    Attributes:
        predictor: Its network, classes and preprocessing.
        threads: How many threads decode and compute.
        run: Maps uint8 (n, height, width, channels) to float32 (n, num_classes). Any number of
            threads may call it.
        examples: The number of golden examples that were replayed.
        largest: The largest difference of a probability of theirs from what is recorded.
    """

    predictor: Exported
    threads: int
    run: Run
    examples: int
    largest: float

    @property
    def name(self) -> str:
        """The name of the run, as the export recorded it."""
        return str(self.predictor.network.facts["name"])

    @property
    def engine(self) -> str:
        """The engine and its version."""
        engine = self.predictor.network.facts["engine"]
        return "{engine} {version}".format(engine=engine, version=engine_version(engine))


def open_served(folder: Path, threads: int) -> Served:
    """Open an exported folder, and replay its golden examples as they would be served.

    Raises:
        ExportError: If the folder is not whole, or if a probability differs by more than allowed.
        BackendError: If the engine is not installed.
    """
    predictor = open_network(folder)
    lock = threading.Lock()

    def run(images: ImageArray) -> NDArray[np.float32]:
        with lock:
            return predictor.probabilities(images)

    examples, largest = _replay(predictor, run, folder)
    return Served(predictor, threads, run, examples, largest)


def _replay(predictor: Exported, run: Run, folder: Path) -> tuple[int, float]:
    """Return the number of the examples, and the largest difference of a probability of theirs."""
    recorded = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    files = [folder / "examples" / name for name in recorded]
    images = np.stack([prepare(file, predictor.preprocessing) for file in files])
    largest = float(np.abs(run(images) - np.array(list(recorded.values()))).max())
    allowed = predictor.network.facts["tolerance"]
    if not largest <= allowed:  # also if it is NaN
        raise ExportError(
            _(
                "{folder}: the examples must get their recorded probabilities within "
                "{allowed:.1g}; here they differ by {largest:.2g}. Export the classifier again."
            ).format(folder=folder, allowed=allowed, largest=largest)
        )
    return len(files), largest
