"""Verify: whether an exported folder is whole and still gives the probabilities of its proof."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convlens.errors import ExportError
from convlens.export.folder import engine_version, open_network
from convlens.language import _


@dataclass(frozen=True)
class Verified:
    """What the examples of an exported folder gave.

    Attributes:
        facts: The content of convlens.json.
        examples: The number of examples.
        largest: The largest difference of a probability from what is recorded.
        engine_version: The version of the engine that ran them, which may be another one than that
            of the export.
    """

    facts: dict[str, Any]
    examples: int
    largest: float
    engine_version: str


def verify(folder: Path) -> Verified:
    """Classify the examples of an exported folder and compare their probabilities.

    Raises:
        ExportError: If the folder is not whole, or if a probability differs by more than allowed.
        BackendError: If the engine is not installed.
    """
    network = open_network(folder).network
    examples = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    largest = network.check()
    allowed = network.facts["tolerance"]
    found_version = engine_version(network.facts["engine"])
    if not largest <= allowed:  # also if it is NaN
        raise ExportError(
            _(
                "{folder}: the examples must get their recorded probabilities within "
                "{allowed:.1g}; with {engine} {found} they differ by {largest:.2g}. It was "
                "exported with {engine} {known}."
            ).format(
                folder=folder,
                allowed=allowed,
                engine=network.facts["engine"],
                found=found_version,
                known=network.facts["engine_version"],
                largest=largest,
            )
        )
    return Verified(network.facts, len(examples), largest, found_version)
