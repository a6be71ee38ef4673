"""Plan process: find out what a training will be, in a process of its own.

    python -m convlens.studio.training.plan_process REQUEST

REQUEST is a JSON file: key, settings, seconds (of a time budget, or 0), images (source, layout and
using), began, result. What is found out goes to the file that `result` names: {"state": "done",
"facts": [[name, text], ...], "notes": [...], "seconds": about how long the training takes} and
"snapshots": how many states it keeps, their bytes, and those that are free on the disk; of a time
budget instead "needed": what it must be at least; or {"state": "failed", "message": ...}.
"""

import json
import shutil
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convlens import backend
from convlens.config import Config
from convlens.data.corrections import EMPTIED
from convlens.data.formats.folder import NO_IMAGES
from convlens.data.photographs import unlike_photographs
from convlens.data.sources import load_data
from convlens.errors import ConvlensError
from convlens.files import write_atomically
from convlens.language import N_, _
from convlens.progress import ProgressFile
from convlens.screen import Screen
from convlens.studio.problem import on_page, without_source
from convlens.text import printable

if TYPE_CHECKING:
    from convlens.data.dataset import Dataset
    from convlens.training.trainer import Training

# Fitting a head or compiling, the scores and the report took about as long as importing the engine
# and building the network, or up to half as long again.
ENDING = 1.5
AUDIT = "convlens audit"  # not translated: a command
NO_IMAGES_LEFT = (NO_IMAGES, EMPTIED)


def main(request: Path) -> None:
    """Do what a request asks for."""
    asked = json.loads(request.read_text(encoding="utf-8"))
    result: dict[str, Any] = {"key": asked["key"]}
    try:
        result |= {"state": "done"} | _plan(asked)
    except ConvlensError as error:
        result |= {"state": "failed", "message": on_page(error.args[0], asked["images"]["source"])}
    write_atomically(asked["result"], json.dumps(result), _("the plan"))


def _plan(asked: dict[str, Any]) -> dict[str, Any]:
    images = asked["images"]
    using = [images["using"]] if images["using"] else []
    config = Config().replace(layout=images["layout"], **asked["settings"])
    ProgressFile.asked_for().tell(_("starting"), 0, 0)
    dataset = load_data(images["source"], layout=images["layout"], using=using)
    if asked["seconds"]:
        return _within(dataset, config, asked["began"])
    backend.start()
    return _announced(dataset, config, asked)


def _within(dataset: "Dataset", config: Config, began: float) -> dict[str, Any]:
    """Return what a time budget leads to, which the training decides by what it measures.

    Whatever the budget is, it must be as long as is measured here.
    """
    reason = unlike_photographs(dataset, config)
    if reason:
        network = _(
            "fast_cnn from scratch ({reason}), as often over the images as the time allows"
        ).format(reason=reason)
    else:
        network = _(
            "efficientnet_lite0, trained on photographs: a new head, and then its layers in the "
            "time that is left"
        )
    count = _("{count:,} in {classes} classes").format(
        count=len(dataset), classes=dataset.num_classes
    )
    facts = [(N_("images"), count), (N_("network"), network)]
    shown = [(_(name), printable(text)) for name, text in facts]
    backend.start()
    ProgressFile.asked_for().tell(_("measuring a few steps"), 0, 0)
    from convlens.budget.least import least_budget

    needed = least_budget(dataset, config, began=began)
    notes = _notes(dataset, dataset.notes)
    return {"facts": shown, "notes": notes, "needed": needed.to_dict()}


def _announced(dataset: "Dataset", config: Config, asked: dict[str, Any]) -> dict[str, Any]:
    """Return what `convlens train` announces, which is measured."""
    from convlens.pipeline import open_training, prepare_images
    from convlens.transfer.origin import choose_origin

    screen = Screen(quiet=True)
    origin = choose_origin(config)
    before = time.time()
    prepared = prepare_images(origin, dataset, config, screen)
    decoding = time.time() - before  # which the training need not do again
    ProgressFile.asked_for().tell(_("measuring a few steps"), 0, 0)
    training = open_training(prepared, config, origin, screen)
    facts = training.setup.facts()
    for stage in training.stages:
        facts |= stage.facts()
    costs = [fact for stage in training.stages for fact in stage.costs()]
    starting = time.time() - asked["began"] - decoding
    expected = sum(stage.expected for stage in training.stages)
    rows = [(_(name), printable(text)) for name, text in [*facts.items(), *costs]]
    return {
        "facts": rows,
        "notes": _notes(dataset, training.setup.notes()),
        "counts": {name: prepared.counts(name) for name in ("train", "val", "test")},
        "seconds": starting * (1 + ENDING) + expected,
        "snapshots": _snapshots(training, Path(asked["result"]).parent),
    }


def _notes(dataset: "Dataset", notes: Iterable[str]) -> list[str]:
    """Return the notes for a page, which names the images once.

    It has a check of its own, and tells of classes without images before anything is measured.
    """
    return [
        without_source(note, dataset.name)
        for note in notes
        if AUDIT not in note and getattr(note, "template", "") not in NO_IMAGES_LEFT
    ]


def _snapshots(training: "Training", folder: Path) -> dict[str, int] | None:
    """Return how many states a training keeps, if any, their bytes, and those of the disk."""
    from convlens.training.trainer import Trainer

    last = training.stages[-1]
    trainer = last if isinstance(last, Trainer) else getattr(last, "trainer", None)
    if trainer is None or not training.setup.config.training.snapshots:
        return None
    kept = trainer.kept
    free = shutil.disk_usage(folder).free
    return {"states": len(kept.moments), "bytes": kept.all_bytes, "free": free}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
