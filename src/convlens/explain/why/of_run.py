"""Of run: the explanations of several images on one page, with what their run knows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

from convlens.audit.run_audit import open_images
from convlens.classifier.classifier import Classifier
from convlens.data.dataset import Dataset
from convlens.errors import ConvlensError, ImageError
from convlens.explain.why.neighbours import open_training_images
from convlens.explain.why.question import Question
from convlens.image_file import ImageLike
from convlens.language import _
from convlens.maps.deletion import choices_for
from convlens.maps.evidence import corrected
from convlens.maps.explainer import Explainer
from convlens.maps.explanation import Explanation
from convlens.maps.heat import Target, method_name
from convlens.maps.methods import targets_of
from convlens.report.stored import randomise_once, read_randomised
from convlens.run import Run
from convlens.screen import Screen


def explain_images(  # noqa: PLR0913 - what is explained, by whom, and where it is shown
    classifier: Classifier,
    images: Sequence[ImageLike],
    question: Question,
    screen: Screen,
    *,
    run: Run | None = None,
    dataset: Dataset | None = None,
    skip: Callable[[ImageError], None] | None = None,
) -> list[Explanation]:
    """Explain images; their maps stand on one page, for which the deletion tests are corrected.

    Args:
        classifier: The classifier.
        images: The images.
        question: What is asked of each.
        screen: Where the progress is shown.
        run: The run of the classifier; without it there are no neighbours.
        dataset: The images of the run, where they lie elsewhere now.
        skip: Called with the error of an image that cannot be read, which is then left out. If
            None, the error is raised.

    Raises:
        ConfigError: If there is no such class or method.
        ModelError: If the network cannot be explained, or has not got a method.
        ImageError: If an image cannot be read and `skip` is None.
    """
    explainer = open_explainer(classifier, run)
    methods = explainer.check_methods(question.methods)
    add_randomisation(explainer, methods, screen, run)
    target = Target(0, None if question.against is None else 1)  # of any two classes
    maps = sum(len(targets_of(method, target)) for method in methods)
    found: list[Explanation] = []
    with screen.counter(_("passes")) as progress:
        for image in images:
            try:
                one = explainer.explain(
                    image,
                    question.label,
                    question.against,
                    methods,
                    choices=choices_for(len(images) * maps),
                    progress=progress,
                )
            except ImageError as error:
                if skip is None:
                    raise
                skip(error)
            else:
                found.append(one)
    found = of_one_page(found, explainer)
    if run is None or not question.neighbours or not found:
        return found
    return with_neighbours(found, explainer, run, question.neighbours, screen, dataset)


def open_explainer(classifier: Classifier, run: Run | None) -> Explainer:
    """Return the explainer of a classifier, with what its run has kept of the randomisation check.

    Raises:
        ModelError: If the network cannot be explained.
    """
    return Explainer(classifier, None if run is None else read_randomised(run))


def add_randomisation(
    explainer: Explainer, methods: Sequence[str], screen: Screen, run: Run | None
) -> None:
    """Add the randomisation check of methods that the network has to its explainer.

    The check is computed once for a run and a method, on the examples of the classifier, and kept.
    """
    if explainer.classifier.examples is None:
        return
    for method in methods:
        if method in explainer.randomised:
            continue
        label = _("shuffled weights, {method}").format(method=method_name(method))
        with screen.counter(label) as progress:
            trouble = randomise_once(explainer, method, run, progress)
        if trouble is not None:
            screen.note(str(trouble))


def of_one_page(explanations: Sequence[Explanation], explainer: Explainer) -> list[Explanation]:
    """Return explanations with the deletion tests corrected for all their maps together.

    The regions that decide are looked for again where their map is not drawn any more.
    """
    maps = iter(corrected([one for explanation in explanations for one in explanation.maps]))
    found = []
    for before in explanations:
        after = replace(before, maps=tuple(islice(maps, len(before.maps))))
        same = after.leading is before.leading
        found.append(after if same else explainer.with_regions(after))
    return found


def with_neighbours(
    explanations: Sequence[Explanation],
    explainer: Explainer,
    run: Run,
    count: int,
    screen: Screen,
    dataset: Dataset | None = None,
) -> list[Explanation]:
    """Return explanations with the nearest training images, and what the audit says of them.

    Where the images of the run cannot be found, a note says so.
    """
    quiet = Screen(quiet=True)
    try:
        prepared = open_images(run, dataset, quiet)
    except ConvlensError as error:
        note = _("The nearest training images are missing: {reason}").format(reason=error.args[0])
        return [replace(one, notes=(*one.notes, note)) for one in explanations]
    images = open_training_images(explainer, run, prepared, screen)
    return [replace(one, neighbours=images.nearest(one.pixels, count)) for one in explanations]
