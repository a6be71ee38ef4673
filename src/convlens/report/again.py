"""Again: a finished classifier is scored on the images of its run or on others."""

import shlex
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from convlens.checksums import UNSEALED
from convlens.classifier.classifier import Classifier
from convlens.classifier.runtime import said_arithmetic
from convlens.data.dataset import Dataset
from convlens.data.deep import describe_unit, with_unit
from convlens.data.prepared import Prepared, prepare_data
from convlens.data.splits import Splits
from convlens.data.store import Store, open_store
from convlens.errors import RunError
from convlens.evaluation.evaluate import IMAGES_SEEN
from convlens.folders import remove_temporaries
from convlens.language import _
from convlens.preprocess import Preprocessing
from convlens.report.beside import looks_before, publish_beside
from convlens.report.finish import Predict, looks_so_far, report_run, score
from convlens.report.leak_free import LeakFree, leak_free, show_leak
from convlens.report.results import Scored
from convlens.report.two_views import TwoViews, show_views, two_views
from convlens.run import Run
from convlens.run_folder import is_finished, resume_command, study_of
from convlens.run_images import are_among, learned_by
from convlens.screen import Screen


def score_again(
    run: Run,
    classifier: Classifier,
    dataset: Dataset,
    screen: Screen,
    *,
    without_leak: bool = False,
    mirrored: bool = False,
) -> Path:
    """Score the classifier of a run on the run's own test images; return the report's folder.

    Args:
        run: The run.
        classifier: Its classifier.
        dataset: Its images.
        screen: Where the scores are shown.
        without_leak: Whether the score without images that leak is shown and recorded, too.
        mirrored: Whether the score with a second view of doubtful images is, too.

    Raises:
        RunError: If the images are not those of the run, the run consists of several trainings (a
            cross-validation, or draws of few images), or another process works on it.
        DataError: If the run set no images aside.
    """
    refuse_several(run)
    is_final = run.finished or is_finished(study_of(run.folder) or run.folder)
    with ExitStack() as stack:
        if is_final:
            stack.enter_context(run.locked())
            # What a killed evaluation has left; who writes into the other folders locks nothing.
            remove_temporaries(run.folder, UNSEALED)
        scored = _score_own(run, classifier, dataset, screen)
        leak = _without_leak(scored, scored.prepared, screen) if without_leak else None
        views = _with_mirror(run, scored, classifier, screen) if mirrored else None
        facts = _facts(leak, views)
        if is_final:
            earlier = run.report["test_evaluations"] if run.finished else looks_so_far(run)
            report_run(run, classifier, scored, screen, facts, earlier=earlier)
            folder = run.folder
        else:
            folder = _report_so_far(run, classifier, scored, facts, screen)
    _show_besides(leak, views, screen)
    return folder


def _score_own(run: Run, classifier: Classifier, dataset: Dataset, screen: Screen) -> Scored:
    """Score the classifier of a run on the run's own test images."""
    prepared = images_of(run, classifier, dataset, screen)
    if "features" in classifier.provenance and classifier.provenance["best"]["epoch"] == 0:
        screen.note(
            _(
                "the scores of the training were computed from features in {arithmetic}; these are "
                "of the classifier in float32, and differ a little"
            ).format(arithmetic=said_arithmetic(classifier.provenance["features"]))
        )
    return score(classifier, prepared, screen)


def _report_so_far(
    run: Run, classifier: Classifier, scored: Scored, facts: Mapping[str, Any], screen: Screen
) -> Path:
    """Write the report of a run that can go on, which a report in its own folder would finish."""
    count = looks_before(run, scored.prepared.dataset)
    count += int(scored.evaluation.images_seen == "test")
    extra = {"test_evaluations": count, **facts}
    folder = publish_beside(run, classifier, scored, extra, screen)
    command = resume_command(run.folder)
    screen.note(
        _("these are scores of the classifier so far; the run goes on with: {command}").format(
            command=command
        )
    )
    return folder


def refuse_several(run: Run) -> None:
    """Raise RunError if a run consists of several trainings, which cannot be scored again."""
    if "few" in run.data:
        raise RunError(
            _(
                "{folder}: its score is the mean over draws, see report.json. To score one of them "
                "again: convlens evaluate {draw}. To score on other images: --data PATH."
            ).format(folder=run.folder, draw=shlex.quote(str(run.folder / "draw-1")))
        )
    if "folds" in run.data:
        raise RunError(
            _(
                "{folder}: a cross-validation scored every image once already, see report.html; "
                "its classifier was trained on all of them. To score on other images: --data PATH."
            ).format(folder=run.folder)
        )


def images_of(run: Run, classifier: Classifier, dataset: Dataset, screen: Screen) -> Prepared:
    """Return the images of a run as its classifier takes them, with its split.

    Raises:
        RunError: If the images are not those of the run.
    """
    with screen.counter(_("decoding")) as progress:
        prepared = prepare_data(
            dataset.with_classes(classifier.class_names),
            run.config,
            preprocessing=classifier.preprocessing,
            progress=progress,
            drawn=run.drawn(dataset),
        )
    return run.divided(prepared.as_recorded(run.data))


def _without_leak(scored: Scored, learned: Prepared, screen: Screen) -> LeakFree:
    with screen.counter(_("looking for copies")) as progress:
        return leak_free(scored, learned, progress)


def _with_mirror(run: Run, scored: Scored, classifier: Classifier, screen: Screen) -> TwoViews:
    if not run.config.augment.flip:
        screen.note(
            _(
                "the training did not mirror images; the scores of one view and of two show "
                "whether mirror images help"
            )
        )
    return two_views(scored, classifier)


def _facts(leak: LeakFree | None, views: TwoViews | None) -> dict[str, Any]:
    """Return the entries of report.json that stand beside the score."""
    besides = {"leak_free": leak, "views": views}
    return {name: found.to_dict() for name, found in besides.items() if found is not None}


def _show_besides(leak: LeakFree | None, views: TwoViews | None, screen: Screen) -> None:
    if leak is not None:
        show_leak(leak, screen)
    if views is not None:
        show_views(views, screen)


class Opened(NamedTuple):
    """The images of a data set, as a classifier takes them.

    Attributes:
        preprocessing: The preprocessing of the classifier, with the unit of the images.
        store: The images.
        predict: Gives the probabilities, where they are known already.
    """

    preprocessing: Preprocessing
    store: Store
    predict: Predict | None = None


Open = Callable[[Classifier, Dataset, Screen], Opened]


def open_here(classifier: Classifier, dataset: Dataset, screen: Screen) -> Opened:
    """Decode the images of a data set on this computer."""
    with screen.counter(_("decoding")) as progress:
        preprocessing = with_unit(classifier.preprocessing, dataset, progress)
        return Opened(preprocessing, open_store(dataset, preprocessing, progress))


def score_other(  # noqa: PLR0913 - a run, other images, and what is asked of them besides
    run: Run,
    classifier: Classifier,
    dataset: Dataset,
    screen: Screen,
    *,
    learned: Dataset | None = None,
    mirrored: bool = False,
    open_images: Open = open_here,
) -> Path:
    """Score a classifier on other images, of their test set where they have one, else of all.

    Args:
        run: The run.
        classifier: Its classifier.
        dataset: The images to score.
        screen: Where the scores are shown.
        learned: The images of the run, if the score without images that leak is asked for.
        mirrored: Whether the score with a second view of doubtful images is shown, too.
        open_images: Opens the images.

    Returns:
        The folder of the report, `evaluations/<name>/` of the run, with a number where a report on
        images of another place has that name.

    Raises:
        DataError: If the images have a class that the classifier does not know, or none can be
            read.
        RunError: If the images in `learned` are not those of the run.
        StorageError: If the report cannot be written.
    """
    dataset = dataset.with_classes(classifier.class_names)
    preprocessing, store, predict = open_images(classifier, dataset, screen)
    for note in (*describe_unit(classifier.preprocessing, preprocessing), *store.notes):
        screen.note(note)
    of_run = None if learned is None else images_of(run, classifier, learned, screen)
    prepared = Prepared(dataset, preprocessing, store, _to_score(dataset, store))
    is_training = prepared.has_fingerprint(run.data["fingerprint"]) and dataset.splits is None
    _say_what_was_learned(run, prepared, screen, is_training=is_training)
    name = "train" if is_training else _name_of(dataset)
    scored = score(classifier, prepared, screen, name=name, predict=predict)
    leak = None if of_run is None else _without_leak(scored, of_run, screen)
    views = _with_mirror(run, scored, classifier, screen) if mirrored else None
    facts = _facts(leak, views)
    if count := looks_before(run, dataset):  # of the run's own images, before it was finished
        facts["test_evaluations"] = count
    folder = publish_beside(run, classifier, scored, facts, screen)
    _show_besides(leak, views, screen)
    return folder


def _say_what_was_learned(
    run: Run, prepared: Prepared, screen: Screen, *, is_training: bool
) -> None:
    """Note it if the classifier of a run has learned from images that are scored."""
    scored = prepared.splits.test
    learned = are_among(prepared.store.contents[scored], learned_by(run.folder)).sum()
    if is_training:
        screen.note(_("these are the images of the training: the scores are too high"))
    elif learned:
        screen.note(
            _(
                "the classifier has learned from {learned:,} of these {total:,} images: the scores "
                "are too high"
            ).format(learned=learned, total=len(scored))
        )


def _to_score(dataset: Dataset, store: Store) -> Splits:
    """Return the images of a test set as those to test on, or all where there is none."""
    chosen = store.usable
    if dataset.splits is not None:
        of_test = (dataset.splits == "test") & store.usable
        chosen = of_test if of_test.any() else store.usable
    none = np.empty(0, np.int64)
    return Splits(none, none, np.flatnonzero(chosen))


def _name_of(dataset: Dataset) -> str:
    """Return what a report calls images, with the folder around them if a run's own have this name.

    A folder may be called "validation" and still have nothing to do with the run.
    """
    around = Path(dataset.path).parts[-2:]
    return str(Path(*around)) if dataset.name in IMAGES_SEEN else dataset.name
