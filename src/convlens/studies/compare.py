"""Compare: several networks, trained for the same time with the same recipe on the same images.

Each network gets the same number of seconds and not the same number of epochs, since what counts is
what it reaches in the time there is. The networks are ranked on the validation images. The test
images are used once per network, for the final table.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from convlens.altered import refuse_altered
from convlens.audit.gate import as_checked
from convlens.budget.train_for import seconds_trained, train_for
from convlens.checksums import seal, seal_begun, seal_parts, unseal
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared, prepare_data
from convlens.errors import DataError, TrainingError
from convlens.files import explained_stops
from convlens.folders import remove_temporaries
from convlens.language import _, recorded
from convlens.pipeline import begin, checked, open_trainer
from convlens.run import Run
from convlens.run_folder import COMPARISON_FACTS
from convlens.run_images import record_images
from convlens.screen import Screen
from convlens.studies.asked import check_minutes
from convlens.studies.begun import find_comparison, refuse_finished_comparison
from convlens.studies.comparison_shown import announce, show_result, show_trained
from convlens.studies.places import Here, Job, Place
from convlens.studies.ranking import TRAINED, score_runs
from convlens.studies.recipes import (
    check_models,
    for_network,
    make_recipes,
    plan_networks,
)
from convlens.studies.several import without_rows
from convlens.zoo.names import check_names
from convlens.zoo.registry import list_models

DEFAULT_MINUTES = 2.0  # of each network
FACTS = COMPARISON_FACTS  # models, minutes and path; at the end ranking and paired_test too


def compare(  # noqa: PLR0913 - the public entry point; all but two have defaults
    dataset: Dataset,
    names: Sequence[str],
    config: Config | None = None,
    *,
    minutes: float = DEFAULT_MINUTES,
    run: str | Path | None = None,
    screen: Screen | None = None,
    place: Place | None = None,
) -> Run:
    """Train networks of the zoo for the same time each, rank them, and return the folder.

    It holds `compare.json`, `plots/` and one run per network, under the network's name.

    Args:
        dataset: The labelled images, from `load_data`.
        names: The names of two networks or more.
        config: The recipe of all networks. Its model, epochs and steps_per_epoch are set for each
            network. Its small stem is used only by networks that have one.
        minutes: The minutes of training for each network. They include validations and writing, but
            not building and measuring.
        run: The name or the folder of the new comparison.
        screen: Where the progress is shown.
        place: Where the networks are trained. None is this process, which always measures and
            scores them.

    Raises:
        ModelError: If a network is unknown or cannot take these images. Nothing is trained then.
        ConfigError: If there is one network only, one is named twice, or the time is too short for
            one step of each.
        DataError: If there are no validation images or no test images.
        TrainingError: If the loss of a network is not finite while it is measured.
        Interrupted: If the user pressed Ctrl-C. `resume_comparison` continues.
    """
    screen = screen or Screen()
    config = config or Config()
    check_names(names, list_models())
    check_minutes(minutes)
    begin(config, run)
    with screen.counter(_("decoding")) as progress:
        prepared = prepare_data(dataset, config, progress=progress)
    prepared = checked(prepared, config, screen)
    _require_images(prepared)
    recipes = make_recipes(names, config)
    check_models(recipes, prepared)
    announce(prepared, len(names), minutes, screen)
    with explained_stops(
        lambda: _("No network was trained."), _("stopped while measuring."), several=True
    ):
        planned = plan_networks(recipes, prepared, 60 * minutes, screen)
    comparison = Run.create(run, f"{dataset.name}-compare")
    with comparison.removed_on_failure(), comparison.locked():
        facts = {"models": list(names), "minutes": minutes, "path": prepared.to_dict()["path"]}
        _write(comparison, prepared, planned, facts)
        return _carry_out(comparison, prepared, screen, place or Here())


def _write(
    comparison: Run, prepared: Prepared, planned: Mapping[str, Config], facts: Mapping[str, Any]
) -> None:
    """Write what a new comparison and its networks need to go on, with its checksums."""
    record_images(comparison.folder, prepared)
    for name, config in planned.items():
        network = comparison.part(name)
        network.record(prepared)
        network.write("run.toml", config.to_toml())
        seal_begun(network.folder, network.lists)
    comparison.write(FACTS, json.dumps(facts, ensure_ascii=False, indent=1))
    seal_begun(comparison.folder)


def open_comparison(name: str | Path) -> Run:
    """Return the folder of an existing comparison.

    Args:
        name: The folder, or its name under `runs/`.

    Raises:
        RunError: If there is no such comparison.
    """
    return Run(find_comparison(name))


def resume_comparison(
    dataset: Dataset, name: str | Path, screen: Screen | None = None, place: Place | None = None
) -> Run:
    """Continue a comparison that was stopped or killed.

    Networks that were finished are not trained again.

    Args:
        dataset: The images of the comparison.
        name: The name or the folder of the comparison.
        screen: Where the progress is shown.
        place: Where the networks are trained. None is this process, which always measures and
            scores them.

    Raises:
        RunError: If there is no comparison of that name, it is finished, its settings were changed,
            or these are other images.
    """
    comparison = open_comparison(name)
    screen = screen or Screen()
    with comparison.resumed(screen) as say_where:
        prepared = _prepare_again(dataset, comparison, screen)
        say_where()
        return _carry_out(comparison, prepared, screen, place or Here())


def _prepare_again(dataset: Dataset, comparison: Run, screen: Screen) -> Prepared:
    """Return the images of a comparison that is not finished, in a folder that is locked."""
    refuse_finished_comparison(comparison.folder)
    refuse_altered(comparison.folder)
    remove_temporaries(comparison.folder)
    first = Run(comparison.folder / comparison.read(FACTS)["models"][0])
    begin(first.config)
    with screen.counter(_("decoding")) as progress:
        dataset = first.corrected(dataset)
        drawn = first.drawn(dataset)
        prepared = prepare_data(dataset, first.config, progress=progress, drawn=drawn)
    return first.divided(as_checked(prepared, first.data.get("audit")))


def _require_images(prepared: Prepared) -> None:
    """Raise DataError if there are no validation or no test images."""
    if not len(prepared.splits.val):
        raise DataError(
            _(
                "a comparison needs validation images to rank on; none were set aside. Give --val "
                "a share above 0."
            )
        )
    if not len(prepared.splits.test):
        raise DataError(
            _(
                "a comparison needs test images for its final table; none were set aside. Give "
                "--test a share above 0."
            )
        )


def _carry_out(comparison: Run, prepared: Prepared, screen: Screen, place: Place) -> Run:
    """Train the networks that are not trained yet, score all, and write and print the result."""
    facts = comparison.read(FACTS)
    runs = [
        (Run(comparison.folder / name), for_network(prepared, name)) for name in facts["models"]
    ]
    jobs = _jobs(runs, 60 * facts["minutes"], place, screen)
    stopped = _("stopped; what was done is kept.")
    with explained_stops(comparison.how_to_resume, stopped, several=True):
        bar = without_rows(screen)
        for job, note in place.each(train_network, jobs, prepared, bar):
            show_trained(job.run, note, screen)
        with screen.status(_("scoring")):
            ranking = score_runs(runs, screen)
            ranking.draw(
                comparison.folder / "plots", {run.folder.name: run.history for run, _images in runs}
            )
    facts |= {"data": prepared.summary()} | ranking.to_dict()
    seal_parts(comparison.folder)  # before the result, after which nobody goes on with it
    unseal(comparison.folder)
    comparison.write(FACTS, json.dumps(facts, ensure_ascii=False, indent=1))
    seal(comparison.folder)
    show_result(comparison, ranking, screen)
    return comparison


def _jobs(
    runs: Sequence[tuple[Run, Prepared]], seconds: float, place: Place, screen: Screen
) -> Iterator[Job]:
    """Yield the networks that are not trained yet."""
    for number, (run, _images) in enumerate(runs, 1):
        if (run.folder / TRAINED).exists():
            continue
        if place.is_here:
            screen.say()
            screen.say(
                _("{name}, {number} of {count}").format(
                    name=run.folder.name, number=number, count=len(runs)
                ),
                "bold",
            )
        yield Job(number, run, (seconds,))


def train_network(run: Run, prepared: Prepared, screen: Screen, seconds: float) -> str:
    """Train one network as planned in its run.toml, mark it as trained, and return a note.

    Args:
        run: The run of the network.
        prepared: The images and their split.
        screen: Where the progress is shown.
        seconds: The time of the network.

    Raises:
        Interrupted: If the user pressed Ctrl-C. The network can be trained further.
    """
    trainer = open_trainer(for_network(prepared, run.folder.name), run.config, screen)
    try:
        note = train_for(trainer, run, seconds)
    except TrainingError as error:
        note = error.args[0]
    facts = {"seconds": seconds_trained(run), "note": recorded(note)}
    run.write(TRAINED, json.dumps(facts, ensure_ascii=False))
    return note
