"""Search: many short trainings with other settings, of which the best one is scored.

Optuna draws the settings and keeps the journal. The result of a trial follows from the seed and its
number, and not from where or when it was trained: what is drawn, and which trials are stopped
early, depends on earlier generations alone, see `generations`. A search that was killed therefore
goes on as it would have, and each trial is a run that resumes with the same bits.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from convlens.checksums import seal, seal_begun, seal_parts, unseal
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared
from convlens.errors import DataError
from convlens.files import explained_stops, storage_errors
from convlens.language import N_, _
from convlens.pipeline import begin, prepare_again, prepare_images
from convlens.run import Run
from convlens.run_images import record_images
from convlens.screen import Screen, count_epochs, duration
from convlens.studies import journal
from convlens.studies.asked import check_search
from convlens.studies.begun import require_unfinished_search
from convlens.studies.generations import (
    GENERATION,
    SEQUENTIAL,
    earlier_trials,
    generation_begin,
    medians,
)
from convlens.studies.journal import RATES, Search, suggest
from convlens.studies.places import Here, Job, Place
from convlens.studies.search_result import finish_search
from convlens.studies.several import without_rows
from convlens.studies.space import (
    Space,
    choose_space,
    from_dict,
    rate_follows_optimizer,
    to_dict,
)
from convlens.studies.trial import train_trial, write_hparams
from convlens.studies.trial_table import TrialTable, write_trials
from convlens.training.network import choose_network
from convlens.training.setup import describe_images

TENSORBOARD = "tensorboard"  # the folder for its page HParams
TRIALS = {  # by whether the time is limited
    True: N_("{trials}, of {epochs} each, none begun after {limit}; weak ones are stopped early"),
    False: N_("{trials}, of {epochs} each; weak ones are stopped early"),
}


def search(  # noqa: PLR0913 - the public entry point; all but two have defaults
    dataset: Dataset,
    config: Config,
    *,
    trials: int,
    minutes: float | None = None,
    space: Space | Sequence[str] | None = None,
    generation: int = GENERATION,
    run: str | Path | None = None,
    screen: Screen | None = None,
    place: Place | None = None,
) -> Search:
    """Vary settings and return the search; its best trial has a report and a classifier.

    Args:
        dataset: The labelled images, from `load_data`.
        config: All settings that are not varied. The epochs are those of a trial that is not
            stopped early.
        trials: The number of trials.
        minutes: The minutes of training, of all trials together, after which no further trial
            begins. None sets no limit.
        space: The settings that are varied, as `--vary` takes them, such as ["dropout=0..0.5",
            "filters=16,32|32,64"], or as `parse_vary` returns them. None is `default_space`.
        generation: The number of trials that are drawn and judged without each other's scores.
        run: The name or the folder of the new search.
        screen: Where the progress is shown.
        place: Where the trials are trained. None is this process.

    Raises:
        ConfigError: If there are fewer than two trials or no time, a generation has no trial, or
            the space cannot be used.
        DataError: If there are no validation images to rank on.
        ModelError: If the stem is varied, and the network has no small one.
        TrainingError: If no trial ran to its end.
        Interrupted: If the user pressed Ctrl-C. `resume_search` continues.

    Example:
        >>> found = search(dataset, Config(), trials=10)  # doctest: +SKIP
        >>> found.best.classifier()  # doctest: +SKIP
    """
    screen = screen or Screen()
    check_search(trials, minutes, generation)
    space = choose_space(space, config.model.model)
    begin(config, run)
    origin = choose_network(config)
    if "stem" in space:
        choose_network(config.replace(stem="small"))  # refuses a network that has none
    prepared = prepare_images(origin, dataset, config, screen)
    _check_validation(prepared)
    folder = Run.create(run, f"{dataset.name}-search")
    facts = {
        "path": prepared.to_dict()["path"],
        "trials": trials,
        "minutes": minutes,
        "generation": generation,
        "space": to_dict(space),
    }
    with folder.removed_on_failure(), folder.locked():
        _write(folder, prepared, config, facts)
        return _carry_out(folder, prepared, screen, place or Here())


def _write(run: Run, prepared: Prepared, config: Config, facts: Mapping[str, Any]) -> None:
    """Write what a new search needs to go on, with its checksums."""
    record_images(run.folder, prepared)
    run.record(prepared)
    run.write("search.json", json.dumps(facts, ensure_ascii=False, indent=1))
    run.write("run.toml", config.to_toml())
    seal_begun(run.folder, run.lists)


def _check_validation(prepared: Prepared) -> None:
    """Raise DataError unless there are validation images to rank on."""
    if not len(prepared.splits.val):
        raise DataError(
            _(
                "a search ranks on validation images; none were set aside. Give --val a share "
                "above 0."
            )
        )


def resume_search(
    dataset: Dataset, name: str | Path, screen: Screen | None = None, place: Place | None = None
) -> Search:
    """Continue a search that was stopped or killed, as it would have gone on.

    Args:
        dataset: The images of the search.
        name: The name or the folder of the search.
        screen: Where the progress is shown.
        place: Where the trials are trained. None is this process.

    Raises:
        RunError: If there is no search of that name, it is finished, its settings were changed, or
            these are other images.
    """
    run = Run.open(name)
    screen = screen or Screen()
    with run.resumed(screen) as say_where:
        prepared = _prepare_again(dataset, run, screen)
        say_where()
        return _carry_out(run, prepared, screen, place or Here())


def _prepare_again(dataset: Dataset, run: Run, screen: Screen) -> Prepared:
    """Return the images of a search that is not finished, in a folder that is locked."""
    require_unfinished_search(run.folder)
    _origin, prepared = prepare_again(run, dataset, run.config, screen)
    return run.divided(prepared)


def _carry_out(run: Run, prepared: Prepared, screen: Screen, place: Place) -> Search:
    """Run the trials that are left, and then score the best one."""
    facts = run.read("search.json")
    config = run.config
    found = Search.open(run.folder, config.training.seed, facts.get("generation", SEQUENTIAL))
    space = from_dict(facts["space"])
    table = TrialTable(space, screen)
    screen.facts(_describe(run, config, space, facts, prepared))
    for note in prepared.notes:
        screen.note(note)
    table.heading()
    ended = [trial for trial in found.trials if trial.state.is_finished()]
    for trial in ended:
        table.add(trial)
    with explained_stops(run.how_to_resume, _("stopped; what was done is kept."), several=True):
        if ended:  # A process that was killed may have recorded the last of them in part only.
            _record(found, space, ended)
        _train_trials(found, facts, space, prepared, table, place)
        result = finish_search(found, prepared, table)
    seal_parts(run.folder)  # before the result, after which nobody goes on with it
    unseal(run.folder)
    run.write("search.json", json.dumps(facts | result, ensure_ascii=False, indent=1))
    seal(run.folder)
    return found


def _train_trials(
    found: Search,
    facts: Mapping[str, Any],
    space: Space,
    prepared: Prepared,
    table: TrialTable,
    place: Place,
) -> None:
    """Train what is left, one generation after the other, and record and print each trial."""
    bar = without_rows(table.screen)
    config = Run(found.folder).config
    while True:
        trials: dict[int, optuna.Trial] = {}
        jobs = _generation(found, facts, space, config, trials)
        for job, outcome in place.each(train_trial, jobs, prepared, bar):
            ended = found.tell(trials[job.number], outcome)
            table.add(ended)
            _record(found, space, [ended])
        if not trials:
            return


def _record(found: Search, space: Space, ended: Sequence[FrozenTrial]) -> None:
    """Write trials that have ended into the table, and for TensorBoard.

    Raises:
        StorageError: If a file cannot be written.
    """
    write_trials(found, space)
    with storage_errors(found.folder / TENSORBOARD, _("the trial for TensorBoard")):
        for trial in ended:
            write_hparams(found.folder / TENSORBOARD, trial, found.history(trial))


def _generation(
    found: Search,
    facts: Mapping[str, Any],
    space: Space,
    config: Config,
    trials: dict[int, optuna.Trial],
) -> Iterator[Job]:
    """Yield the trials that are left of the generation that is next.

    These are the trials during which the search was stopped, and then new ones. None of those is
    begun if the trials that have ended took more than the time limit.

    Args:
        found: The search.
        facts: What search.json says of it.
        space: The settings that are varied.
        config: The settings that are not.
        trials: Receives the trials, by their numbers.
    """
    known = found.trials
    begun = [trial for trial in known if not trial.state.is_finished()]
    first = min([trial.number for trial in begun], default=len(known))
    begin = generation_begin(first, found.generation)
    earlier = earlier_trials(known, first, found.generation)
    limits = medians(earlier, config.training.epochs, journal.STARTUP)
    limit = math.inf if facts["minutes"] is None else 60 * facts["minutes"]
    for number in range(begin, min(begin + found.generation, facts["trials"])):
        if number < len(known):
            if known[number].state.is_finished():
                continue
            trial = optuna.Trial(found.study, known[number]._trial_id)
        elif found.seconds < limit:
            trial = found.study.ask()
        else:
            return
        trials[number] = trial
        yield Job(number, found.run(trial), (suggest(trial, space, config), limits))


def _describe(
    run: Run, config: Config, space: Space, facts: Mapping[str, Any], prepared: Prepared
) -> list[tuple[str, str]]:
    """Return what is searched, on which images, for the user."""
    limited = facts["minutes"] is not None
    trials = _(TRIALS[limited]).format(
        trials=facts["trials"],
        epochs=count_epochs(config.training.epochs),
        limit=duration(60 * (facts["minutes"] or 0)),
    )
    varied = [f"{name}: {dimension}" for name, dimension in space.items()]
    if rate_follows_optimizer(space):
        varied.append(
            _("learning_rate: {low:g} to {high:g} times the optimizer's usual one").format(
                low=RATES[0], high=RATES[1]
            )
        )
    return [
        *((_(name), text) for name, text in describe_images(prepared).items()),
        (_("network"), config.model.model),
        (_("trials"), trials),
        (_("varied"), "\n".join(varied)),
        (_("search"), str(run.folder)),
    ]
