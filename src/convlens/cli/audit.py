"""`convlens audit`: what is wrong with images, and which labels a trained classifier doubts."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from convlens.cli.audit_files import check_places, write_files
from convlens.cli.cluster import ClusterFlag
from convlens.cli.flags import Layout, Pattern, Using
from convlens.cli.names import refuse_unknown_classes
from convlens.cli.output import print_json
from convlens.cli.predict_cluster import images_on_cluster
from convlens.conflicts import refuse_conflicts
from convlens.errors import AuditError, DataError, StorageError
from convlens.files import explained_stops
from convlens.language import N_, _, ngettext
from convlens.run_folder import CLASSIFIER, SETTINGS, folder_of
from convlens.screen import Screen, duration
from convlens.text import in_line

if TYPE_CHECKING:
    from convlens.audit.audit import Audit
    from convlens.data.dataset import Dataset
    from convlens.data.prepared import Prepared
    from convlens.evaluation.scores import Score
    from convlens.run import Run

EXAMPLES = 3  # of each code
WITHOUT_FEATURES = N_(
    "this needs features of all images, which are computed for a page (--out), with the weights of "
    "a backbone"
)
HOW_TO_GO_ON = N_("What was decoded so far is kept; the same command goes on from there.")
EXAMPLES_OF_CELL = 20  # of the confusion matrix
LEVEL_NAMES = {"error": N_("error"), "warning": N_("warning"), "note": N_("note")}
STYLES = {"error": "red", "warning": "yellow", "note": "dim"}

Out = Annotated[Path | None, Parameter(help=N_("page with the images side by side, as audit.html"))]
Format = Annotated[Literal["text", "json"], Parameter(help=N_("how to print what was found"))]
FailOn = Annotated[
    Literal["warning", "error"] | None,
    Parameter(help=N_("exit with code 11 if something of this level, or worse, was found")),
]
Fix = Annotated[
    Path | None,
    Parameter(help=N_("list of corrections to write, which `convlens train --using` obeys")),
]
Export = Annotated[
    Path | None,
    Parameter(help=N_("new folder for a copy of the images with these corrections")),
]
OfClass = Annotated[
    str | None, Parameter(help=N_("of a run: only misclassified images of this class"))
]
TakenFor = Annotated[
    str | None, Parameter(help=N_("of a run: only images that are taken for this class"))
]
Data = Annotated[
    str | None, Parameter(help=N_("of a run: its images, where they lie elsewhere now"))
]
Thorough = Annotated[
    bool,
    Parameter(
        negative=(),
        help=N_("of a run: judge labels by two backbones, which find more wrong ones in minutes"),
    ),
]


def audit(  # noqa: PLR0913 - options of the command
    source: Annotated[
        str, Parameter(help=N_("folder, file or name of a data set; or a run that is finished"))
    ],
    *,
    out: Out = None,
    format: Format = "text",  # noqa: A002 - the flag's name
    fail_on: FailOn = None,
    fix: Fix = None,
    export: Export = None,
    true: OfClass = None,
    predicted: TakenFor = None,
    data: Data = None,
    thorough: Thorough = False,
    using: Using = None,
    pattern: Pattern = None,
    layout: Layout = None,
    cluster: ClusterFlag = None,
) -> None:
    """Say what is wrong with images, or which labels the classifier of a run doubts.

    Raises:
        AuditError: If something was found that `fail_on` does not allow.
    """
    screen = Screen(quiet=format == "json")
    started = time.perf_counter()
    check_places(out, fix, export)
    folder = run_of(source)
    share = None
    flags: dict[str, Any] = {"using": using, "pattern": pattern, "layout": layout}
    flags |= {"true": true, "predicted": predicted, "data": data}
    flags |= {"out": out, "cluster": cluster, "thorough": thorough}
    flags["of_run"] = None if folder is None else source
    refuse_conflicts("audit", flags)
    of_cell = true is not None or predicted is not None
    if folder is None:
        from convlens.data.sources import load_to_check

        dataset = load_to_check(source, pattern=pattern, layout=layout or "auto", using=using or ())
        if export is not None:
            from convlens.audit.cleaned import refuse_place

            refuse_place(dataset, export)
        with images_on_cluster(cluster, dataset):
            found, prepared = _audit_images(dataset, screen, with_features=out is not None)
    elif of_cell:
        refuse_unknown_classes(folder / CLASSIFIER, true, predicted)
        found, prepared = _audit_cell(*_open_run(folder, data), true, predicted, screen)
    else:
        found, prepared, share = _audit_run(*_open_run(folder, data), screen, thorough=thorough)
    found = replace(found, seconds=time.perf_counter() - started)
    if format == "json":
        extra = {} if share is None else {"share_of_wrong_labels": share.to_dict()}
        print_json(found.to_dict() | extra, indent=1)
    else:
        show(found, screen, share, most=EXAMPLES_OF_CELL if of_cell else EXAMPLES)
    write_files(found, prepared, share, out, fix, export, folder, screen)
    _fail_on(found, fail_on)


def run_of(source: str) -> Path | None:
    """Return the folder of a run, by its path or its name under `runs/`; None for other sources.

    A data source of the same name takes precedence over a run that is named without its folder.
    """
    if Path(source).exists() and not (Path(source) / SETTINGS).is_file():
        return None
    folder = folder_of(source)
    return folder if (folder / SETTINGS).is_file() else None


def _audit_images(
    dataset: "Dataset", screen: Screen, *, with_features: bool
) -> tuple["Audit", "Prepared | None"]:
    """Return what is wrong with the images of a source, and the images if they can be split.

    Args:
        dataset: The images.
        screen: Where the progress is shown.
        with_features: Whether features are computed, which take longer than all other checks.
    """
    from convlens.audit.audit import audit_data
    from convlens.config import Config
    from convlens.data.cache import require_cache
    from convlens.data.prepared import prepare_data

    require_cache()
    for note in dataset.notes:
        screen.note(note)
    with explained_stops(lambda: _(HOW_TO_GO_ON)), screen.counter(_("decoding")) as progress:
        # What cannot be split, such as a test set alone, can still be checked.
        try:
            prepared = prepare_data(dataset, Config(), progress=progress, survive=True)
        except DataError:
            return audit_data(dataset, progress=progress), None
    features = None
    if with_features:
        from convlens import backend

        backend.start()  # before anything imports the engine
        from convlens.audit.features import features_of_all

        with screen.counter(_("features")) as progress:
            features = features_of_all(prepared, progress)
    with screen.status(_("checking the images")):
        found = audit_data(prepared, features=features)
    if features is None:
        unlike = (_("images unlike their class"), _(WITHOUT_FEATURES))
        found = replace(found, left_out=(*found.left_out, unlike))
    return found, prepared


def _open_run(folder: Path, data: str | None) -> tuple["Run", "Dataset | None"]:
    """Return a run, and its images if they lie elsewhere now."""
    from convlens import backend
    from convlens.run import Run

    run = Run.open(folder)
    backend.start(threads=run.config.training.threads)  # before anything imports the engine
    return run, None if data is None else run.load_images(data)


def _audit_run(
    run: "Run", dataset: "Dataset | None", screen: Screen, *, thorough: bool
) -> tuple["Audit", "Prepared", "Score"]:
    """Return what the classifier of a run doubts, its images, and the share of wrong labels."""
    import numpy as np

    from convlens.audit.of_run import audit_of_run
    from convlens.audit.run_audit import audit_run
    from convlens.report.stored import write_doubts

    audited = audit_run(run, screen, dataset=dataset, thorough=thorough)
    names = audited.prepared.dataset.class_names
    places = audited.prepared.in_whole(np.array([one.index for one in audited.doubts], np.int64))
    suggested = [names[one.suggested] for one in audited.doubts]
    try:
        write_doubts(run, dict(zip(places, suggested, strict=True)))
    except StorageError as error:  # for example a run that may only be read
        screen.note(str(error))
    return audit_of_run(audited), audited.prepared, audited.share


def _audit_cell(
    run: "Run",
    dataset: "Dataset | None",
    true: str | None,
    predicted: str | None,
    screen: Screen,
) -> tuple["Audit", "Prepared"]:
    """Return the images of a cell of the confusion matrix of a run, and all of its images."""
    from convlens.audit.cell import misclassified

    return misclassified(run, screen, true=true, predicted=predicted, dataset=dataset)


def show(
    found: "Audit", screen: Screen, share: "Score | None" = None, most: int = EXAMPLES
) -> None:
    """Print what was found, the worst first, with what to do and `most` examples of each code."""
    from convlens.audit.codes import CODES
    from convlens.audit.in_short import counted, in_short

    levels = found.levels
    total = _("errors: {error:,}; warnings: {warning:,}; notes: {note:,}").format(**levels)
    facts: list[tuple[str, str]] = [
        (_("source"), found.dataset.source),
        (_("images"), f"{len(found.dataset):,}"),
        (_("found"), total),
        (_("time"), duration(found.seconds)),
    ]
    if share is not None and share.defined:
        expected = _("{share:.1f} % [{low:.1f}, {high:.1f}] are expected to be wrong").format(
            share=100 * share.value, low=100 * share.low, high=100 * share.high
        )
        facts.insert(2, (_("labels"), expected))
    screen.facts(facts)
    kinds = [(level, code) for level in LEVEL_NAMES for code in found.codes]
    for level, code in kinds:
        findings = [finding for finding in found.of(code) if finding.level == level]
        if not findings:
            continue
        title = _("{level}: {title}: {count}").format(
            level=_(LEVEL_NAMES[level]), title=_(CODES[code].title), count=counted(findings)
        )
        screen.say()
        screen.say(title, STYLES[level])
        screen.say("  " + _(CODES[code].meaning))
        screen.say("  " + _(CODES[code].advice))
        for finding in findings[:most]:
            screen.say("  - " + in_line(in_short(finding)))
        if len(findings) > most:
            more = len(findings) - most
            screen.say(
                "  - " + ngettext("and {more:,} more", "and {more:,} more", more).format(more=more)
            )
    for check, reason in found.left_out:
        screen.note(_("not checked: {check}; {reason}").format(check=check, reason=reason))


def _fail_on(found: "Audit", level: str | None) -> None:
    """Raise AuditError if there is a finding of a level, or of a worse one."""
    levels = found.levels
    bad = levels["error"] + (levels["warning"] if level == "warning" else 0)
    if level is not None and bad:
        raise AuditError(
            _(
                "{source}: --fail-on {level} allows no finding of this level or worse; found "
                "{bad:,}."
            ).format(source=found.dataset.source, level=level, bad=bad)
        )
