"""`convlens run compare`: finished runs side by side, each two on their common test images."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from convlens import run_access, run_folder
from convlens.cli.output import print_json
from convlens.language import N_, _, listed
from convlens.screen import Screen
from convlens.text import printable

if TYPE_CHECKING:
    from convlens.report.versions import Comparison

HELP = N_("Compare finished runs, each two on the images that both of them were tested on.")


def compare(
    *names: Annotated[str, Parameter(help=N_("names or folders of two runs or more"))],
    format: Annotated[  # noqa: A002 - the name of the flag
        Literal["table", "json"], Parameter(help=N_("how to print"))
    ] = "table",
) -> None:
    """Compare finished runs, each two on the images that both of them were tested on.

    Raises:
        ConfigError: If there are fewer than two.
        RunError: If there is no such run, or it has no scores.
    """
    from convlens.report.versions import compare_runs

    found = compare_runs([run_access.find(name) for name in names])
    if format == "json":
        print_json(found.to_dict(), indent=1)
        return
    screen = Screen()
    screen.columns([*_table(found)], left=(0, 3))
    screen.say()
    if found.result.pairs:
        screen.columns([*_pairs(found)])
        screen.say()
        for pair in found.result.pairs:
            screen.say(str(pair))
        screen.say(found.test, "dim")
    for note in found.notes:
        screen.note(note)
    if found.differences:
        screen.say()
        headings = [_("setting"), *found.result.names]
        rows = [[name, *map(_cell, values)] for name, values in found.differences]
        screen.columns([headings, *rows], left=tuple(range(len(headings))))


def _table(found: "Comparison") -> list[list[str]]:
    from convlens.report.content import score_of

    rows: list[list[str]] = [[_("run"), _("test, 95 %"), _("images in all"), _("lists")]]
    for one in found.versions:
        score = score_of(one.report["metrics"]["accuracy"])
        lists = listed(str(used["file"]) for used in one.data.get("lists", ()))
        rows.append(
            [
                printable(one.name),
                "{score.value_text} {score.interval_text}".format(score=score),
                run_folder.images_in_words(one.data["images"], run_folder.images_used(one.data)),
                printable(lists or "-"),
            ]
        )
    return rows


def _pairs(found: "Comparison") -> list[list[str]]:
    """Return the accuracy of each two runs on their common images."""
    rows: list[list[str]] = [[_("accuracy on common images"), "", _("images")]]
    for pair in found.result.pairs:
        scores = found.result.common[pair.first, pair.second].accuracies
        names = (printable(pair.first), printable(pair.second))
        said = [
            "{name} {score.value_text}".format(name=name, score=score)
            for name, score in zip(names, scores, strict=True)
        ]
        rows.append([*said, "{n:,}".format(n=pair.n)])
    return rows


def _cell(value: Any) -> str:
    return "-" if value is None else printable(value)
