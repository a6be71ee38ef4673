"""Explainer: maps of a classifier, by every method that its network has, with their checks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np

from convlens.classifier.class_names import find_class, refuse_same_class
from convlens.classifier.classifier import Classifier
from convlens.errors import ModelError
from convlens.image_file import ImageLike, name_of, readable
from convlens.language import _, one_of, sentences
from convlens.maps.checking import check_each
from convlens.maps.deciding import costliest_place, deciding_regions
from convlens.maps.deletion import CHOICES, choices_for
from convlens.maps.ending import NoEnding, curved_layer
from convlens.maps.evidence import Checked, corrected
from convlens.maps.explanation import Explanation
from convlens.maps.heat import METHODS, HeatMap, Target, check_method
from convlens.maps.methods import PERTURBING, changing_map_of, maps_of, targets_of
from convlens.maps.network import OpenedNetwork, chance_note, threshold_note
from convlens.maps.perturbing import Progress
from convlens.maps.randomisation import DRAWS, Randomised, few_draws, randomise
from convlens.preprocess import ImageArray, prepare


class Explainer:
    """Explains the answers of a classifier. It compiles the network once.

    Args:
        classifier: The classifier.
        randomised: The results of the randomisation check, by method, where they are known already.
            `randomise` computes them.

    Raises:
        ModelError: If the network cannot be explained at all, see `OpenedNetwork`.
    """

    def __init__(
        self, classifier: Classifier, randomised: Mapping[str, Randomised] | None = None
    ) -> None:
        self.classifier = classifier
        self.model = classifier.model
        self.network = OpenedNetwork.of(classifier)
        self.randomised = dict(randomised or {})

    @cached_property
    def reasons(self) -> dict[str, str]:
        """Why the network has not got a method, by the method; those that it has are missing."""
        reasons = {}
        if isinstance(self.network.ending, NoEnding):
            # Not str, which would forget how the text is said in the other language.
            reasons["exact"] = self.network.ending.args[0]
        try:
            curved = curved_layer(self.network.parts[1])
        except NoEnding as reason:
            reasons["gradient"] = reasons["grad-cam"] = reason.args[0]
        else:
            if curved:
                reasons["gradient"] = _(
                    "{layer} bends its input, so that gradient times activation does not add up; "
                    "a network of ReLU has it."
                ).format(layer=curved)
        return reasons

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that the network has."""
        return tuple(one for one in METHODS if one not in self.reasons)

    @property
    def best_method(self) -> str:
        """The exact map where the network has one, else occlusion."""
        return self.methods[0]

    def explain(
        self,
        image: ImageLike,
        label: str | None = None,
        against: str | None = None,
        methods: Sequence[str] | None = None,
        *,
        choices: int | None = None,
        progress: Progress | None = None,
    ) -> Explanation:
        """Explain the answer for an image: maps with their checks, and the regions that decide.

        Args:
            image: The image, of any size and kind.
            label: The class to explain; by default the predicted one.
            against: The class against which it is explained: the map is that of the difference.
            methods: Some of `methods`; by default the best one.
            choices: The random choices of the deletion test; by default as many as the maps of one
                image need.
            progress: Called with the number of passes that are done, and of all, of a map by
                occlusion or random masks.

        Raises:
            ImageError: If the image cannot be read.
            ConfigError: If there is no such class or method, or if both classes are the same.
            ModelError: If the network has not got a method.
        """
        chosen = self.check_methods(methods)
        named = tuple(None if one is None else self.find_class(one) for one in (label, against))
        image = readable(image)
        pixels = prepare(image, self.classifier.with_unit_of([image]).preprocessing)
        prediction = self.classifier.prediction(
            name_of(image) or _("the image"), self.classifier.probabilities(pixels[None])[0]
        )
        best = int(prediction.probabilities.argmax())
        target = self.target(best if named[0] is None else named[0], named[1])
        maps = [
            self.map(pixels, one, method, progress)
            for method in chosen
            for one in targets_of(method, target)
        ]
        choices = choices_for(len(maps)) if choices is None else choices
        checked = corrected([self.check(pixels, one, choices=choices) for one in maps])
        return self.with_regions(
            Explanation(
                prediction.image,
                pixels,
                prediction,
                self.classifier.class_names,
                target,
                self.network.logits(pixels[None])[0].astype(np.float64),
                tuple(checked),
                notes=self.notes(),
                none_of_these=threshold_note(self.classifier, prediction),
            )
        )

    def with_regions(self, explanation: Explanation) -> Explanation:
        """Return an explanation with the place that costs most, and the regions that decide.

        The regions are taken in the order of its leading map. Without such a map there are none,
        and without a drawn map of what is explained there is no place.
        """
        heat = explanation.answering
        if heat is not None:
            place = costliest_place(heat, explanation.pixels, self.network.logits)
            explanation = replace(explanation, place=place)
        if explanation.leading is None:
            return replace(explanation, keeps=None, flips=None)
        keeps, flips = deciding_regions(
            explanation.leading,
            explanation.pixels,
            self.network.logits,
            self.classifier.class_names,
            self.classifier.temperature,
        )
        return replace(explanation, keeps=keeps, flips=flips)

    def check_methods(self, methods: Iterable[str] | None) -> tuple[str, ...]:
        """Return the methods to use.

        Raises:
            ConfigError: If there is no such method.
            ModelError: If the network has not got it; it says why, and which ones it has.
        """
        chosen = (self.best_method,) if methods is None else tuple(dict.fromkeys(methods))
        for method in chosen:
            check_method(method)
            if method in self.reasons:
                raise ModelError(
                    sentences(
                        self.reasons[method],
                        _("{method} cannot be computed here; this network has: {methods}.").format(
                            method=method, methods=one_of(self.methods)
                        ),
                    )
                )
        return chosen

    def find_class(self, name: str) -> int:
        """Return the number of a class; see `convlens.classifier.class_names`.

        Raises:
            ConfigError: If the classifier does not know it; near names are suggested.
        """
        return find_class(name, self.classifier.class_names)

    @staticmethod
    def target(label: int, against: int | None) -> Target:
        """Return what is explained.

        Raises:
            ConfigError: If both classes are the same.
        """
        refuse_same_class(label, against)
        return Target(label, against)

    def map(
        self,
        pixels: ImageArray,
        target: Target,
        method: str,
        progress: Progress | None = None,
    ) -> HeatMap:
        """Return a map of an image (height, width, channels) uint8, without its checks."""
        return maps_of(self.network, pixels, [target], method, progress)[0]

    def check(self, pixels: ImageArray, heat: HeatMap, *, choices: int = CHOICES) -> Checked:
        """Return a map with its checks.

        An exact map must add up to the logit that this network computes of this image, and every
        other map must explain it, so that a map of another network or image is refused.

        Args:
            pixels: (height, width, channels) uint8, the image.
            heat: The map.
            choices: The random choices of the deletion test.
        """
        return check_each(self.network, pixels, [heat], self.randomised, choices=choices)[0]

    def explain_each(
        self,
        pixels: ImageArray,
        targets: Sequence[Target],
        *,
        choices: int,
        progress: Progress | None = None,
    ) -> list[Checked]:
        """Return the best map of each of several targets of an image, with its checks.

        The maps and their checks are those of `map` and `check`; they share their passes.

        Args:
            pixels: (height, width, channels) uint8, the image.
            targets: What is explained.
            choices: The random choices of the deletion tests, which are not corrected yet.
            progress: See `explain`.
        """
        maps = maps_of(self.network, pixels, targets, self.best_method, progress)
        return check_each(self.network, pixels, maps, self.randomised, choices=choices)

    def randomise(
        self, method: str, images: ImageArray, progress: Progress | None = None
    ) -> Randomised:
        """Compute the randomisation check of a method, and keep it for all later maps.

        Args:
            method: The method, which the network has.
            images: (n, height, width, channels) uint8 images of the kind that it is used for.
            progress: Called with the number of maps that are done, and of all.
        """
        draws = few_draws(self.network.model) if method in PERTURBING else DRAWS
        self.randomised[method] = randomise(
            self.network.model,
            method,
            lambda network, pixels, target: changing_map_of(network, pixels, target, method),
            images,
            draws=draws,
            progress=progress,
        )
        return self.randomised[method]

    def notes(self) -> tuple[str, ...]:
        """Return what the reader of every explanation of this network should know."""
        return tuple(filter(None, (chance_note(self.classifier), self.reasons.get("exact"))))


def explainer_of(classifier: Classifier) -> Explainer:
    """Return the explainer of a classifier, which is made once.

    Raises:
        ModelError: If the network cannot be explained at all.
    """
    found = _explainers.get(classifier)
    if found is None or found.model is not classifier.model:
        found = _explainers[classifier] = Explainer(classifier)
        if classifier.examples is not None:
            found.randomise(found.best_method, classifier.examples)
    return found


# By the classifier, and forgotten with it.
_explainers: WeakKeyDictionary[Classifier, Explainer] = WeakKeyDictionary()
