"""What a person sees of a comparison: its plan, each network when it is trained, and the result."""

import shlex

from convlens.data.prepared import Prepared
from convlens.evaluation.scores import LEAST_SEEN
from convlens.language import _
from convlens.run import Run
from convlens.run_folder import COMPARISON_FACTS
from convlens.screen import Screen, count_epochs, duration
from convlens.studies.ranking import TRAINED, Ranking
from convlens.training.setup import describe_images


def announce(prepared: Prepared, count: int, minutes: float, screen: Screen) -> None:
    """Print which images are used, and how long the networks will be trained.

    Args:
        prepared: The images and their split.
        count: The number of networks.
        minutes: The time of each network.
        screen: Where it is printed.
    """
    time = _("{count} networks of {each} (--minutes), {all}, and a while to measure").format(
        count=count, each=duration(60 * minutes), all=duration(60 * minutes * count)
    )
    images = [(_(name), text) for name, text in describe_images(prepared).items()]
    screen.facts([*images, (_("time"), time)])
    for note in prepared.notes:
        screen.note(note)


def show_trained(run: Run, note: str, screen: Screen) -> None:
    """Print what the training of a network has reached."""
    if note:
        screen.note(note)
    if run.classifier_path.exists() and (history := run.history):
        screen.say(
            _("{name}: {epochs} in {time}, best validation accuracy {best:.1f} %").format(
                name=run.folder.name,
                epochs=count_epochs(len(history)),
                time=duration(run.read(TRAINED)["seconds"]),
                best=100 * _best(run),
            )
        )


def _best(run: Run) -> float:
    """Return the best validation accuracy that was reported during a training."""
    return max((float(row["val_accuracy"] or 0) for row in run.history), default=0.0)


def show_result(comparison: Run, ranking: Ranking, screen: Screen) -> None:
    """Print the table, the verdicts and where everything lies."""
    first = ranking.entries[0]
    screen.say()
    scored = _("ranked on {val:,} validation images; scored once on {test:,} test images")
    screen.say(scored.format(val=first.val.n, test=first.test.n), "dim")
    screen.say(
        _(
            "ms: the time to classify one decoded image as convlens predict does, in float32; an "
            "image alone is computed twice"
        ),
        "dim",
    )
    screen.columns(ranking.rows())
    reported = [_best(Run(comparison.folder / entry.name)) for entry in ranking.entries]
    pairs = zip(ranking.entries, reported, strict=True)
    if any(abs(entry.val.value - best) >= LEAST_SEEN for entry, best in pairs):
        screen.say(
            _(
                "The table has the classifiers as they are saved, which compute in float32. The "
                "accuracies that were printed after each training were measured in bfloat16."
            ),
            "dim",
        )
    screen.say("\n".join(["", *map(str, ranking.said)]))
    if len(ranking.pairs) > 1:
        screen.say(
            _("p: McNemar, exact, after Holm for {count} pairs; all are in compare.json").format(
                count=len(ranking.pairs)
            ),
            "dim",
        )
    predict = shlex.join(["convlens", "predict", str(comparison.folder / first.name)])
    folder = comparison.folder
    screen.say()
    charts = _("{folder}/plots/tradeoff.png, growth.png beside it")
    screen.fact(_("charts"), charts.format(folder=folder))
    screen.fact(_("numbers"), str(folder / COMPARISON_FACTS))
    screen.fact(_("reports"), _("{folder}/MODEL/report.html").format(folder=folder))
    screen.fact(_("next"), _("{command} IMAGE...").format(command=predict))
