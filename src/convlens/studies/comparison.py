"""Comparison: the folder of networks that are compared."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convlens.errors import RunError
from convlens.run import Run

FACTS = "compare.json"


@dataclass(frozen=True)
class Comparison:
    """A folder with `compare.json`, `plots/` and one run per network, under the network's name.

    Attributes:
        folder: The folder, such as runs/NAME.
    """

    folder: Path

    @classmethod
    def open(cls, name: str | Path) -> "Comparison":
        """Return an existing comparison.

        Args:
            name: Its folder, or its name under `runs/`.

        Raises:
            RunError: If there is no such comparison.
        """
        folder = Path(name) if Path(name).is_dir() else Run.place(name)
        if (folder / FACTS).is_file():
            return cls(folder)
        template = (
            "{name}: a comparison is a folder that `convlens compare` made, with compare.json."
        )
        known = sorted(path.parent.name for path in Path("runs").glob(f"*/{FACTS}"))
        if known:
            template = (
                "{name}: a comparison is a folder that `convlens compare` made, with "
                "compare.json. Comparisons here: {known}."
            )
        raise RunError(template.format(name=name, known=", ".join(known)))

    @property
    def facts(self) -> dict[str, Any]:
        """The content of `compare.json`.

        It holds models, minutes and path; of a finished comparison, ranking and paired_test too.
        """
        return Run(self.folder).read(FACTS)

    def run(self, name: str) -> Run:
        """Return the run of a network."""
        return Run(self.folder / name)

    def write(self, facts: Mapping[str, Any]) -> None:
        """Write `compare.json`.

        Raises:
            StorageError: If it cannot be written.
        """
        Run(self.folder).write(FACTS, json.dumps(facts, ensure_ascii=False, indent=1))

    def how_to_go_on(self) -> str:
        """Return how to continue the comparison after it was stopped."""
        command = shlex.join(["convlens", "compare", "--run", str(self.folder), "--resume"])
        return "To go on: {command}".format(command=command)
