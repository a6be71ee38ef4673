"""`convlens explain --check`: which methods of explanations may be trusted on a network."""

import numpy as np

from convlens import backend
from convlens.cli.explain import images_of
from convlens.cli.output import print_json
from convlens.errors import ConfigError, DataError
from convlens.language import _
from convlens.run import Run
from convlens.screen import Screen


def show_trust(
    name: str,
    methods: tuple[str, ...] | None,
    number: int | None,
    data: str | None,
    screen: Screen,
    *,
    as_json: bool,
) -> None:
    """Print which methods may be trusted on the network of a run.

    Args:
        name: The run.
        methods: The methods; None for all that the network has.
        number: The number of test images; None for the usual one.
        data: Where the images of the run lie now.
        screen: Where notes and the progress are shown.
        as_json: Whether JSON is printed.

    Raises:
        ConfigError: If the number of images is not positive, or if there is no such method.
        ModelError: If the network cannot be explained, or has not got a method.
        DataError: If the run has set no images aside.
    """
    run = Run.open(name)
    backend.start(threads=run.config.training.threads)
    from convlens.audit.run_audit import open_images
    from convlens.explain.why.of_run import add_randomisation, open_explainer
    from convlens.explain.why.terminal import print_trust
    from convlens.explain.why.trust import FEW, IMAGES, chosen_images, measure_trust
    from convlens.maps.heat import method_name

    count = IMAGES if number is None else number
    if count < 1:
        raise ConfigError(_("--images must be at least 1; found {count}.").format(count=count))
    explainer = open_explainer(run.classifier(), run)
    chosen_methods = explainer.check_methods(methods or explainer.methods)
    add_randomisation(explainer, chosen_methods, screen, run)
    prepared = open_images(run, images_of(run, data), screen)
    indices = prepared.splits.test if len(prepared.splits.test) else prepared.splits.val
    if not len(indices):
        raise DataError(_("--check needs test or validation images; this run set none aside."))
    chosen = chosen_images(np.asarray(indices), count)
    results = []
    for method in chosen_methods:
        with screen.counter(method_name(method)) as progress:
            images = prepared.store.images
            results.append(measure_trust(explainer, method, images, chosen, progress))
    if as_json:
        print_json([one.to_dict() for one in results], indent=1)
    else:
        notes = list(explainer.notes())
        if len(chosen) < FEW:
            few = _("{count:,} images are few to judge a method by; {usual:,} say more.")
            notes.append(few.format(count=len(chosen), usual=IMAGES))
        print_trust(results, explainer.reasons, notes, len(chosen))
