"""`convlens explain --check`: which methods of explanations may be trusted on a network."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from convlens import backend
from convlens.cli.explain import images_of
from convlens.cli.output import print_json
from convlens.errors import DataError, Interrupted, StorageError
from convlens.language import _, ngettext
from convlens.run import Run
from convlens.screen import Screen

if TYPE_CHECKING:
    from convlens.explain.why.trust import Trust
    from convlens.maps.explainer import Explainer
    from convlens.preprocess import ImageArray


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

    What was found of each image is kept in the run. After Ctrl-C, what is done until then is
    printed, and the same command goes on with the rest.

    Args:
        name: The run.
        methods: The methods; None for all that the network has.
        number: The number of test images; None for the usual one.
        data: Where the images of the run lie now.
        screen: Where notes and the progress are shown.
        as_json: Whether JSON is printed.

    Raises:
        ConfigError: If there is no such method.
        ModelError: If the network cannot be explained, or has not got a method.
        DataError: If the run has set no images aside.
        Interrupted: If the user pressed Ctrl-C.
    """
    run = Run.open(name)
    backend.start(threads=run.config.training.threads)
    from convlens.audit.run_audit import open_images
    from convlens.explain.why.of_run import open_explainer
    from convlens.explain.why.trust import IMAGES, chosen_images
    from convlens.maps.methods import PERTURBING

    count = IMAGES if number is None else number
    explainer = open_explainer(run.classifier(), run)
    chosen = explainer.check_methods(methods or explainer.methods)
    if methods is None:  # those that take long come last
        chosen = tuple(sorted(chosen, key=lambda one: one in PERTURBING))
    prepared = open_images(run, images_of(run, data), screen)
    indices = prepared.splits.test if len(prepared.splits.test) else prepared.splits.val
    if not len(indices):
        raise DataError(_("--check needs test or validation images; this run set none aside."))
    measuring = Measuring(run, explainer, chosen_images(np.asarray(indices), count), screen)
    try:
        for method in chosen:
            measuring.measure(method, prepared.store.images)
    except KeyboardInterrupt:
        raise Interrupted(
            _("stopped; what was measured is kept, and the same command goes on with the rest")
        ) from None
    finally:
        measuring.show(as_json=as_json)


class Measuring:
    """Measures methods on images of a run, one after the other.

    Args:
        run: The run, in which is kept what was found of each image.
        explainer: The explainer of its classifier.
        chosen: The indices of the images.
        screen: Where notes and the progress are shown.

    Attributes:
        results: What was measured of each method, also of one that was stopped.
    """

    def __init__(
        self, run: Run, explainer: "Explainer", chosen: NDArray[np.int64], screen: Screen
    ) -> None:
        self.run = run
        self.explainer = explainer
        self.chosen = chosen
        self.screen = screen
        self.results: list[Trust] = []

    def measure(self, method: str, images: "ImageArray") -> None:
        """Measure a method, beginning with what is known; images (n, height, width, channels)."""
        from convlens.explain.why.of_run import add_randomisation
        from convlens.explain.why.trust import Outcome, check_images, trust_of
        from convlens.maps.heat import method_name
        from convlens.report.stored import read_checked, write_checked

        add_randomisation(self.explainer, (method,), self.screen, self.run)
        kept = read_checked(self.run)
        known = {index: Outcome(**facts) for index, facts in kept.get(method, {}).items()}
        before = len(known)
        try:
            with self.screen.counter(method_name(method)) as progress:
                check_images(self.explainer, method, images, self.chosen, known, progress)
        finally:
            kept[method] = {index: one.to_dict() for index, one in known.items()}
            if len(known) > before:
                try:
                    write_checked(self.run, kept)
                except StorageError as error:  # a folder that may only be read
                    self.screen.note(str(error))
            done = [known[index] for index in self.chosen.tolist() if index in known]
            if done:
                self.results.append(trust_of(self.explainer, method, done))

    def show(self, *, as_json: bool) -> None:
        """Print the results."""
        from convlens.explain.why.terminal import print_trust
        from convlens.explain.why.trust import FEW, IMAGES

        if as_json:
            print_json([one.to_dict() for one in self.results], indent=1)
        elif self.results:
            notes = list(self.explainer.notes())
            fewest = min(one.drawn.n for one in self.results)
            if fewest < FEW:
                few = ngettext(
                    "{count:,} image is too few to judge a method by; {usual:,} say more.",
                    "{count:,} images are few to judge a method by; {usual:,} say more.",
                    fewest,
                )
                notes.append(few.format(count=fewest, usual=IMAGES))
            print_trust(self.results, self.explainer.reasons, notes, len(self.chosen))
