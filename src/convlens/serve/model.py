"""Model: the network that is served. Its examples are replayed before it answers anybody."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convlens.errors import ExportError
from convlens.export.folder import Exported, engine_version, open_network
from convlens.language import _
from convlens.preprocess import prepare
from convlens.serve.engines import Engine, open_engine


@dataclass(frozen=True, eq=False)
class Served:
    """An exported folder that is served.

    Attributes:
        predictor: Its network, classes and preprocessing.
        engine: What computes its probabilities.
        threads: How many threads decode and compute.
        examples: The number of golden examples that were replayed.
        largest: The largest difference of a probability of theirs from what is recorded.
    """

    predictor: Exported
    engine: Engine
    threads: int
    examples: int
    largest: float

    @property
    def name(self) -> str:
        """The name of the run, as the export recorded it."""
        return str(self.predictor.network.facts["name"])

    @property
    def engine_name(self) -> str:
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
    engine = open_engine(predictor.network, threads)
    predictor.network.run = engine.alone
    recorded = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    seen = predictor.preprocessing
    images = [prepare(folder / "examples" / name, seen)[None] for name in recorded]
    found = [[run(image)[0] for image in images] for run in engine]
    largest = float(np.abs(np.array(found) - np.array(list(recorded.values()))).max())
    allowed = predictor.network.facts["tolerance"]
    if not largest <= allowed:  # also if it is NaN
        raise ExportError(
            _(
                "{folder}: the examples must get their recorded probabilities within "
                "{allowed:.1g}; here they differ by {largest:.2g}. Export the classifier again."
            ).format(folder=folder, allowed=allowed, largest=largest)
        )
    return Served(predictor, engine, threads, len(recorded), largest)
