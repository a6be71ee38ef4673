"""A small search that the tests of this package share, and what of it is compared."""

import csv
import json
import shutil

from convlens.checksums import unseal
from convlens.config import Config
from convlens.screen import Screen
from convlens.studies.search import search
from convlens.studies.space import Choices, Range

SPACE = {"dropout": Range(0.0, 0.5), "filters": Choices(("4", "4,8")), "dense": Choices(("16",))}
CONFIG = Config().replace(
    model="custom_cnn",
    epochs=3,
    batch_size=256,
    augment="none",
    optimizer="momentum",
    learning_rate=0.05,
    precision="float32",
)
TRIALS = 4


def trials(found):
    return [(t.state, t.params, t.intermediate_values) for t in found.study.get_trials()]


def table(found):
    """Return the rows of trials.csv without the seconds."""
    with (found.folder / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: text for name, text in row.items() if name != "seconds"} for row in rows]


def cut(finished, folder, keep):
    """Return a copy of a search as it was when its journal had `keep` bytes."""
    shutil.copytree(finished.folder, folder)
    unseal(folder)
    facts = json.loads((folder / "search.json").read_text())
    (folder / "search.json").write_text(
        json.dumps({k: facts[k] for k in ("path", "trials", "minutes", "generation", "space")})
    )
    journal = folder / "journal.log"
    journal.write_bytes(journal.read_bytes()[:keep])
    return folder


def begin(dataset, folder):
    """Carry out the search in a folder."""
    return search(
        dataset,
        CONFIG,
        trials=TRIALS,
        space=SPACE,
        generation=2,
        run=folder,
        screen=Screen(quiet=True),
    )
