"""Machine: an image in a network at each moment of its training.

The network has one set of weights at a time. What a method returns is computed and stays; a
microscope that `look` returns is that of its moment until the next call.

Probabilities are those of the training, before a calibration. With averaged weights the states are
those of the steps, and only the classifier has the average.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from convlens.classifier.assembly import finalize
from convlens.classifier.classifier import Classifier
from convlens.explain.microscope.gradient import WeightGradient, differentiate
from convlens.explain.microscope.layer import Floats
from convlens.explain.microscope.microscope import Microscope
from convlens.explain.microscope.weights import Place, find_weight, own_part
from convlens.explain.time_machine.states import Moment, States
from convlens.explain.time_machine.update import KeptUpdate, open_update
from convlens.image_file import ImageLike
from convlens.preprocess import prepare
from convlens.run import Run


@dataclass(frozen=True, eq=False)
class Way:
    """The way of an image to its class.

    Attributes:
        moments: The states.
        class_names: The names of the classes.
        probabilities: The probabilities, shaped (moments, classes).
    """

    moments: tuple[Moment, ...]
    class_names: tuple[str, ...]
    probabilities: Floats

    @property
    def predicted(self) -> tuple[str, ...]:
        """The predicted class at each moment."""
        return tuple(self.class_names[one] for one in self.probabilities.argmax(axis=1))


@dataclass(frozen=True, eq=False)
class WeightAt:
    """A weight at a moment.

    Attributes:
        moment: The state.
        value: The weight.
        gradient: The chain rule: how the loss of the image changes with it.
        change: By how much it moves up to the next moment; None at the last one.
        update: What the next step did to it, computed again; None where that was not kept.
    """

    moment: Moment
    value: float
    gradient: WeightGradient
    change: float | None
    update: KeptUpdate | None


class TimeMachine:
    """The states of a run, and the network to which one of them is given.

    Args:
        states: The states.
        classifier: The classifier of the run. Its network gets the weights of the states.
        most: How many of the states are looked at, about; all of them if not given.

    Attributes:
        states: The states.
        classifier: A classifier that shares the network, without calibration.
        moments: The states in their order, the best epoch included.
        count: The number of all of them.
    """

    def __init__(self, states: States, classifier: Classifier, most: int | None = None) -> None:
        self.states = states
        network = classifier.logits_model
        self.classifier = replace(
            classifier,
            model=Classifier.from_logits(
                network, classifier.class_names, classifier.preprocessing
            ).model,
            threshold=None,
        )
        self._variables = states.numbers(network)
        self._best = {
            number: np.array(ops.convert_to_numpy(variable))
            for number, variable in self._variables.items()
        }
        moments = _with_best(states, classifier)
        self.count = len(moments)
        self.moments = moments if most is None else _at_most(moments, most)

    @classmethod
    def open(cls, run: Run | str, most: int | None = None) -> "TimeMachine":
        """Return the time machine of a run; `most` is that of the class.

        Raises:
            RunError: If there is no such run, or if it has kept no states.
            ClassifierError: If no epoch was finished.

        Example:
            >>> machine = TimeMachine.open("runs/digits")  # doctest: +SKIP
            >>> machine.way("three.png").predicted[-1]  # doctest: +SKIP
            '3'
        """
        opened = run if isinstance(run, Run) else Run.open(run)
        states = States.read(opened)
        return cls(states, opened.classifier(), most)

    def at(self, moment: Moment) -> Classifier:
        """Give the network the weights of a moment, and return the classifier."""
        for number, variable in self._variables.items():
            variable.assign(self._value(moment, number))
        finalize(self.classifier.model)
        return self.classifier

    def _value(self, moment: Moment, number: int) -> NDArray[np.generic]:
        """Return an array of the network at a moment."""
        if moment.file is None or not self.states.weights[number]["changes"]:
            return self._best[number]
        return self.states.arrays(moment)[f"weight_{number:05d}"]

    def look(self, image: ImageLike, moment: Moment) -> Microscope:
        """Return a microscope of the network at a moment, which holds until the next call.

        Raises:
            ImageError: If the image cannot be read.
            ModelError: See `Microscope.look`.
        """
        return Microscope.look(self.at(moment), image)

    def way(self, image: ImageLike, moments: Sequence[Moment] | None = None) -> Way:
        """Return the probabilities of an image at each moment.

        Raises:
            ImageError: If the image cannot be read.
        """
        chosen = self.moments if moments is None else tuple(moments)
        pixels = prepare(image, self.classifier.preprocessing)[None]
        rows = [self.at(moment).probabilities(pixels)[0] for moment in chosen]
        return Way(chosen, self.classifier.class_names, np.array(rows, np.float64))

    def maps(
        self, image: ImageLike, layer: str, moments: Sequence[Moment] | None = None
    ) -> NDArray[np.float32]:
        """Return what a layer gives at each moment, shaped (moments, height, width, channels).

        A layer that gives a row of numbers gives (moments, units).

        Args:
            image: The image.
            layer: The name of the layer, as the microscope has it.
            moments: The moments; all of them if not given.

        Raises:
            ImageError: If the image cannot be read.
            ConfigError: If the network has no such layer.
        """
        chosen = self.moments if moments is None else moments
        return np.stack([self.look(image, moment).layer(layer).output for moment in chosen])

    def filters(self, image: ImageLike, layer: str, unit: int | None = None) -> Floats:
        """Return the weights of one filter or unit at each moment.

        They are shaped (moments, rows, columns, channels) for a convolution, (moments, rows,
        columns) for a depthwise one, (moments, inputs) for a dense layer or the pointwise part of a
        separable convolution, and (moments,) for a normalisation.

        Args:
            image: An image, of which the layers are named.
            layer: The name of the layer.
            unit: The filter, unit or channel; not needed where there is only one.

        Raises:
            ConfigError: If the layer has no weights, or not this unit.
        """
        return self._filters(image, layer, [unit])[:, 0]

    def first_filters(self, image: ImageLike, layer: str, count: int) -> Floats:
        """Return the weights of the first filters at each moment, (moments, filters, ...).

        Each state is read once; see `filters` for the rest of the shape and for the errors.
        """
        return self._filters(image, layer, range(count))

    def _filters(self, image: ImageLike, layer: str, units: Iterable[int | None]) -> Floats:
        opened = self.look(image, self.moments[-1]).layer(layer)
        weights = [find_weight(opened, unit, None) for unit in units]
        number = self._number(weights[0].variable)
        found = []
        for moment in self.moments:
            value = self._value(moment, number)
            parts = [own_part(opened, weight.unit, value) for weight in weights]
            found.append(np.array(parts, np.float64))
        return np.array(found)

    def weight(
        self,
        image: ImageLike,
        layer: str,
        unit: int | None = None,
        place: Place | None = None,
        label: str | None = None,
        moments: Sequence[Moment] | None = None,
    ) -> tuple[WeightAt, ...]:
        """Return a weight at each moment: its value, its gradient and its update.

        Args:
            image: The image whose loss is differentiated.
            layer: The name of the layer.
            unit: The filter, unit or channel; not needed where there is only one.
            place: The place of the weight, see `convlens.explain.microscope.weights`; that with the
                largest derivative at the start if not given.
            label: The true class; the one that is predicted at the last moment if not given.
            moments: The moments; all of them if not given.

        Raises:
            ImageError: If the image cannot be read.
            ConfigError: If there is no such layer, weight or class.
            ModelError: If the network does not end in a softmax.
        """
        chosen = self.moments if moments is None else tuple(moments)
        if label is None:
            label = self.way(image, self.moments[-1:]).predicted[0]
        if place is None:
            first = self.look(image, self.moments[0])
            place = differentiate(first, first.layer(layer), unit, None, label).weight.place
        found = []
        for moment in chosen:
            scope = self.look(image, moment)
            gradient = differentiate(scope, scope.layer(layer), unit, place, label)
            found.append(self._weight_at(moment, gradient))
        return tuple(found)

    def _weight_at(self, moment: Moment, gradient: WeightGradient) -> WeightAt:
        number = self._number(gradient.weight.variable)
        index = gradient.weight.index
        value = float(self._value(moment, number)[index])
        place = self.moments.index(moment)
        change = None
        if place + 1 < len(self.moments):
            change = float(self._value(self.moments[place + 1], number)[index]) - value
        update = open_update(self.states, moment, number, index)
        return WeightAt(moment, value, gradient, change, update)

    def _number(self, variable: keras.Variable) -> int:
        """Return the number of an array in the files."""
        return next(number for number, one in self._variables.items() if one is variable)


def _with_best(states: States, classifier: Classifier) -> tuple[Moment, ...]:
    """Return the moments with the best epoch marked.

    If its end was not kept, the weights of the classifier stand for it, unless they are averages.
    """
    row = classifier.provenance["best"]
    step = row["epoch"] * states.steps_per_epoch
    marked = [replace(one, is_best=one.step == step) for one in states.moments]
    averaged = classifier.provenance["config"]["training"].get("average_weights", False)
    if not any(one.is_best for one in marked) and not averaged:
        scores = {name: row[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
        rate = row["learning_rate"]
        marked.append(Moment(step, row["epoch"], 0, rate, **scores, is_best=True))
    return tuple(sorted(marked, key=lambda one: one.step))


def _at_most(moments: tuple[Moment, ...], most: int) -> tuple[Moment, ...]:
    """Return so many moments, evenly spread, and those with an update and the best one."""
    if len(moments) <= most:
        return moments
    even = {int(one) for one in np.linspace(0, len(moments) - 1, most).round()}
    return tuple(
        one for place, one in enumerate(moments) if place in even or one.is_best or one.has_update
    )
