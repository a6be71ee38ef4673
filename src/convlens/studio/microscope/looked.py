"""Looked: the network of a run, of which the process of the microscope answers.

It belongs to that process; it imports the engine.
"""

from pathlib import Path
from typing import Any

from convlens.explain.microscope.classes import explain_classes
from convlens.explain.microscope.microscope import Microscope
from convlens.explain.pages.microscope_html import render_microscope
from convlens.explain.pages.time_machine_views import moment_data
from convlens.explain.time_machine.machine import TimeMachine
from convlens.files import write_atomically
from convlens.language import _
from convlens.run import Run
from convlens.studio.microscope.states import (
    describe_layer,
    describe_layers,
    describe_weight,
)
from convlens.studio.working import Progress

MOST_MOMENTS = 60  # states that a page shows; of more, some evenly spread ones

Content = dict[str, Any]


class Looked:
    """A run that is looked into.

    Args:
        folder: The folder of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._run = Run(folder)
        self._machine: TimeMachine | None = None

    def page(self, asked: Content, progress: Progress) -> Content:
        """Write the page that `convlens open RUN IMAGE --html` writes.

        Raises:
            ConvlensError: If the classifier or the image cannot be opened.
        """
        progress("opening", 0, 0)
        scope = Microscope.look(self._run.classifier(), Path(asked["image"]))

        def tell(done: int, total: int) -> None:
            progress("maps", done, total)

        explained = explain_classes(scope, self._run, tell)
        progress("writing", 0, 0)
        text, left_out = render_microscope(scope, asked["name"], explained=explained)
        write_atomically(asked["out"], text, _("the page"))
        return {"left_out": left_out}

    def way(self, asked: Content, progress: Progress) -> Content:
        """Return the way of an image to its class, and what can be looked at on it.

        Raises:
            ConvlensError: If the run has kept no states, or if the image cannot be read.
        """
        machine = self._opened(progress)
        image = Path(asked["image"])
        rows = []
        for number, moment in enumerate(machine.moments):
            progress("states", number, len(machine.moments))
            rows.append(machine.way(image, [moment]).probabilities[0].tolist())
        return {
            "moments": [moment_data(moment) for moment in machine.moments],
            "count": machine.count,
            "class_names": list(machine.classifier.class_names),
            "probabilities": rows,
            "layers": describe_layers(machine, image),
        }

    def layer(self, asked: Content, progress: Progress) -> Content:
        """Return the maps and filters of a layer at each moment.

        Raises:
            ConvlensError: If there is no such layer.
        """
        machine = self._opened(progress)
        progress("states", 0, 0)
        return describe_layer(machine, Path(asked["image"]), asked["layer"])

    def weight(self, asked: Content, progress: Progress) -> Content:
        """Return one weight at each moment.

        Raises:
            ConvlensError: If there is no such weight.
        """
        machine = self._opened(progress)
        image = Path(asked["image"])
        place = asked["place"]
        place = tuple(place) if isinstance(place, list) else place
        label = machine.way(image, machine.moments[-1:]).predicted[0]
        rows = []
        for number, moment in enumerate(machine.moments):
            progress("states", number, len(machine.moments))
            (at,) = machine.weight(image, asked["layer"], asked["unit"], place, label, [moment])
            place = at.gradient.weight.place  # the one that was chosen stays
            rows.append(describe_weight(at))
        return {"rows": rows}

    def _opened(self, progress: Progress) -> TimeMachine:
        if self._machine is None:
            progress("opening", 0, 0)
            self._machine = TimeMachine.open(self._run, MOST_MOMENTS)
        return self._machine
