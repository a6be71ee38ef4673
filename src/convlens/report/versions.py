"""Versions: finished runs side by side, with what differs between them besides the network.

The result is that of the paired test of each two on the images that both of them were tested on,
see `convlens.evaluation.versions`.
"""

import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from convlens.errors import ConfigError, RunError
from convlens.evaluation.paired import Pair, difference_interval
from convlens.evaluation.predictions import Predictions
from convlens.evaluation.versions import Versions, compare_versions
from convlens.language import N_, _, listed, ngettext
from convlens.report.predictions import PREDICTIONS, read_predictions
from convlens.run_folder import read_json

MOST = 8  # versions side by side
TEST = N_("p: exact McNemar test, two-sided; Holm's correction for {pairs} pairs")
TEST_OF_TWO = N_("p: exact McNemar test, two-sided")
BOTH = N_("{first} and {second}")


@dataclass(frozen=True, eq=False)
class Version:
    """A finished run.

    Attributes:
        folder: Its folder.
        data: What it was trained on, the content of data.json.
        report: The content of report.json.
        predictions: What it predicts for its test images.
    """

    folder: Path
    data: Mapping[str, Any]
    report: Mapping[str, Any]
    predictions: Predictions

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.folder.name

    @property
    def time(self) -> float:
        """When its training began, in seconds; 0 if that is not known, or if it is no date."""
        with suppress(KeyError, TypeError, ValueError):
            return datetime.fromisoformat(self.data["began"]).timestamp()
        return 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return what is recorded of its images, as plain data."""
        return {
            "name": self.name,
            "folder": str(self.folder),
            "began": self.data.get("began"),
            "network": self.report.get("network"),
            "images_seen": self.report["images_seen"],
            "accuracy": self.report["metrics"]["accuracy"],
            "images": self.data["images"],
            "fingerprint": self.data["fingerprint"],
            "path": self.data["path"],
            "class_names": list(self.data["class_names"]),
            "lists": [dict(one) for one in self.data.get("lists", ())],
            "seconds": self.report.get("seconds"),
        }


def open_version(folder: Path) -> Version:
    """Return a finished run.

    Raises:
        RunError: If it has no scores, or does not say what it predicts for each image.
    """
    report = read_json(folder / "report.json")
    if "accuracy" not in report.get("metrics", {}):
        raise RunError(
            _("{folder}: this run has no scores, since no images were set aside for them.").format(
                folder=folder
            )
        )
    if not (folder / PREDICTIONS).exists():
        raise RunError(
            _(
                "{folder}: an earlier version made this run, without {file}. To write it: {command}"
            ).format(
                folder=folder,
                file=PREDICTIONS,
                command=shlex.join(["convlens", "evaluate", str(folder)]),
            )
        )
    return Version(folder, read_json(folder / "data.json"), report, read_predictions(folder))


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs side by side.

    Attributes:
        versions: The runs, the last one at the end.
        result: The classifiers, each two on the images that both were tested on.
    """

    versions: tuple[Version, ...]
    result: Versions

    @property
    def notes(self) -> list[str]:
        """What one must know of the images to read the result."""
        result = self.result
        found = self._notes_on_images()
        if result.relabelled:
            found.append(
                ngettext(
                    "{number:,} of the common images has different labels in these versions; of "
                    "each two, the label of the later one counts.",
                    "{number:,} of the common images have different labels in these versions; of "
                    "each two, the labels of the later one count.",
                    result.relabelled,
                ).format(number=result.relabelled)
            )
        chosen = [one.name for one in self.versions if one.report["images_seen"] == "validation"]
        if chosen:
            found.append(
                _(
                    "The epoch of {names} was chosen on these images, so the accuracy is slightly "
                    "too high."
                ).format(names=listed(chosen))
            )
        return found

    def _notes_on_images(self) -> list[str]:
        """Return what one must know of the images that are common or are not."""
        found: list[str] = []
        common = self.result.common
        tested = dict(zip(self.result.names, self.result.tested, strict=True))
        if any(len(two.files) < tested[one] for names, two in common.items() for one in names):
            each = listed(
                _("{name} {number:,}").format(name=name, number=number)
                for name, number in tested.items()
            )
            found.append(
                _(
                    "The test images differ ({tested}). Of each two, only the images count that "
                    "both were tested on: a network may have learned from the others."
                ).format(tested=each)
            )
        apart = [
            _(BOTH).format(first=one[0], second=one[1]) for one in common if not common[one].files
        ]
        if apart:
            found.append(
                _("No test image is common to these, so they cannot be compared: {pairs}.").format(
                    pairs=listed(apart)
                )
            )
        paths = {one.name: str(one.data["path"]) for one in self.versions}
        by_name = [
            path
            for names in common
            if self._same_images(*names) and paths[names[0]] != paths[names[1]]
            for path in _missing(*(paths[name] for name in names))
        ]
        if by_name:
            found.append(
                _(
                    "{places}: not there any more, so that the names of the images alone say which "
                    "of them are common."
                ).format(places=listed(dict.fromkeys(by_name)))
            )
        if not all(self._same_images(*names) for names in common):
            found.append(
                _(
                    "The images of these versions lie in different places, and images of two "
                    "places are never common: {places}."
                ).format(places=listed(dict.fromkeys(paths.values())))
            )
        return found

    def _same_images(self, first: str, second: str) -> bool:
        data = {one.name: one.data for one in self.versions}
        return same_place(data[first], data[second])

    @property
    def test(self) -> str:
        """How p was computed."""
        pairs = len(self.result.pairs)
        return _(TEST).format(pairs=pairs) if pairs > 1 else _(TEST_OF_TWO)

    @property
    def differences(self) -> list[tuple[str, list[Any]]]:
        """The settings that differ: their names, with their values in each version."""
        flat = [_flat(one.report.get("settings", {})) for one in self.versions]
        names = {name: 0 for row in flat for name in row}
        rows = [(name, [row.get(name) for row in flat]) for name in names]
        return [(name, values) for name, values in rows if any(one != values[0] for one in values)]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        result = self.result
        return {
            "versions": [one.to_dict() for one in self.versions],
            "tested": list(result.tested),
            "relabelled": result.relabelled,
            "pairs": [self._pair(pair) for pair in result.pairs],
            "test": self.test,
            "notes": self.notes,
            "differences": [
                {"setting": name, "values": values} for name, values in self.differences
            ],
        }

    def _pair(self, pair: Pair) -> dict[str, Any]:
        common = self.result.common[pair.first, pair.second]
        low, high = difference_interval(pair.second_only, pair.first_only, pair.n)
        both = int(common.correct.all(0).sum())
        return pair.to_dict() | {
            "text": str(pair),
            "n": pair.n,
            "accuracies": [score.to_dict() for score in common.accuracies],
            "both": both,
            "neither": pair.n - both - pair.first_only - pair.second_only,
            "difference": (pair.second_only - pair.first_only) / pair.n,
            "low": low,
            "high": high,
        }


def compare_runs(folders: Sequence[Path]) -> Comparison:
    """Return finished runs side by side.

    Args:
        folders: Their folders, in any order.

    Raises:
        ConfigError: If there are fewer than two, too many, or one twice.
        RunError: If one has no scores, or does not say what it predicts for each image.
    """
    if not 2 <= len(folders) <= MOST:
        raise ConfigError(
            _("compare 2 to {most} runs; found {found}.").format(most=MOST, found=len(folders))
        )
    names = [folder.name for folder in folders]
    if len(set(names)) < len(names):
        raise ConfigError(
            _(
                "each run must be named once, and their folders have different names; found "
                "{names}."
            ).format(names=listed(names))
        )
    versions = sorted(map(open_version, folders), key=lambda one: (one.time, one.name))
    predictions = {one.name: one.predictions for one in versions}
    data = {one.name: one.data for one in versions}
    result = compare_versions(
        predictions, same_images=lambda one, other: same_place(data[one], data[other])
    )
    return Comparison(tuple(versions), result)


def same_place(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether images of the same name are the same in two runs, by their data.json."""
    if one["fingerprint"] == other["fingerprint"] or one["path"] == other["path"]:
        return True
    is_same = same_folder(one["path"], other["path"])
    if _missing(one["path"], other["path"]):
        return is_same and one["class_names"] == other["class_names"]
    return is_same


def same_folder(one: str, other: str) -> bool:
    """Return whether two paths are one folder.

    One that is not there any more may have been moved, so that its name alone counts.
    """
    if _missing(one, other):
        return Path(one).name == Path(other).name
    return Path(one).resolve() == Path(other).resolve()


def _missing(*paths: str) -> list[str]:
    return [path for path in paths if not Path(path).exists()]


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a report by their names, without sections."""
    return {name: value for section in settings.values() for name, value in section.items()}
