"""`convlens evaluate`: how well the classifier of a run does on its test images, or on others."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from convlens import backend
from convlens.cli.cluster import ClusterFlag
from convlens.cli.output import print_json
from convlens.cli.predict import Views
from convlens.cli.predict_cluster import Answers, Asked, open_on_cluster
from convlens.conflicts import refuse_conflicts
from convlens.language import N_, _
from convlens.screen import Screen

if TYPE_CHECKING:
    from convlens.data.dataset import Dataset
    from convlens.run import Run

OtherImages = Annotated[
    str | None, Parameter(help=N_("labelled images to use instead of the run's own test set"))
]
OtherLayout = Annotated[
    Literal["auto", "classes", "splits"] | None,
    Parameter(help=N_("what folders called train, val or test in --data are [as in the run]")),
]
LeakFree = Annotated[
    bool,
    Parameter(
        negative=(),
        help=N_("show the score without images of which the run has learned a copy, too"),
    ),
]


def evaluate(  # noqa: PLR0913 - the flags of the command
    run: Annotated[str, Parameter(help=N_("name or folder of a run"))],
    *,
    data: OtherImages = None,
    layout: OtherLayout = None,
    leak_free: LeakFree = False,
    views: Views = "one",
    cluster: ClusterFlag = None,
    answers: Answers = None,
    format: Annotated[  # noqa: A002 - the flag's name
        Literal["table", "json"],
        Parameter(help=N_("how to print; json is the content of report.json")),
    ] = "table",
) -> None:
    """Score the classifier of a run, with 95 % intervals and the numbers of images."""
    from convlens.run import Run

    mirrored = views == "mirror"
    flags = {"layout": layout, "data": data, "leak_free": leak_free, "views": mirrored}
    refuse_conflicts("evaluate", flags | {"cluster": cluster, "answers": answers})
    opened = Run.open(run)
    dataset = _own_images(opened) if data is None else _other_images(opened, data, layout)
    backend.start(threads=opened.config.training.threads)  # a classifier opens on any engine
    screen = Screen(quiet=format == "json")
    if data is None:
        folder = _score_own(opened, dataset, screen, leak_free, mirrored)
    else:
        asked = None
        if cluster is not None and answers is not None:
            asked = Asked(cluster, answers, "keras", "float32")
        folder = _score_other(opened, dataset, screen, leak_free, mirrored, asked)
    if format == "json":
        print_json(json.loads((folder / "report.json").read_text(encoding="utf-8")), indent=1)


def _score_own(
    run: "Run", dataset: "Dataset", screen: Screen, leak_free: bool, mirrored: bool
) -> Path:
    """Score a run on its own test images, and return the folder of the report."""
    from convlens.report.again import score_again

    return score_again(
        run, run.classifier(), dataset, screen, without_leak=leak_free, mirrored=mirrored
    )


def _score_other(
    run: "Run",
    dataset: "Dataset",
    screen: Screen,
    leak_free: bool,
    mirrored: bool,
    asked: Asked | None,
) -> Path:
    """Score a run on other images, and return the folder of the report.

    Args:
        run: The run.
        dataset: The other images.
        screen: Where the result is shown.
        leak_free: Whether the images are also scored without copies of those that it learned from.
        mirrored: Whether the mirrored images are seen, too.
        asked: What a cluster is asked, or None without one.
    """
    from convlens.report.again import open_here, score_other

    return score_other(
        run,
        run.classifier(),
        dataset,
        screen,
        learned=_learned_images(run) if leak_free else None,
        mirrored=mirrored,
        open_images=open_here if asked is None else open_on_cluster(asked),
    )


def _own_images(run: "Run") -> "Dataset":
    """Return the images of a run."""
    command = shlex.join(["convlens", "evaluate", str(run.folder), "--data"])
    remedy = _(
        "The images of {folder} lay there. Its test images are scored again only there; to score "
        "all images of another place, also those that it has learned from: {command} FOLDER"
    )
    return run.load_images(remedy=remedy.format(folder=run.folder, command=command))


def _learned_images(run: "Run") -> "Dataset":
    """Return the images of a run, among which copies of other images are looked for."""
    remedy = _(
        "The images of {folder} lay there, and --leak-free looks for copies of them. Move them "
        "back, or score without --leak-free."
    )
    return run.load_images(remedy=remedy.format(folder=run.folder))


def _other_images(run: "Run", path: str, layout: str | None) -> "Dataset":
    """Return labelled images of another place, which are read as those of a run."""
    from convlens.data.sources import load_data

    settings = run.config.data
    layout = layout or settings.layout
    return load_data(path, pattern=settings.pattern, layout=layout, for_training=False)
