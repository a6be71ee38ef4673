"""Compare: several networks trained for the same time with the same recipe on the same images.

Each gets the same seconds, not the same epochs: what counts is what a network reaches in the time there is. How many
steps that makes is measured and planned before the first is trained. The ranking is by validation images; the test
images are touched once a network, for the final table.
"""

import contextlib
import dataclasses
import json
import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convlens import backend
from convlens.anatomy.summary import count_multiply_adds, rounded
from convlens.budget.deadline import seconds_trained, train_for
from convlens.budget.measure import measure_costs
from convlens.budget.plan import Costs, least_seconds, plan
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared, prepare_data
from convlens.errors import (
    ConfigError,
    DataError,
    Interrupted,
    ModelError,
    RunError,
    StorageError,
    TrainingError,
)
from convlens.run import Run
from convlens.screen import Screen, duration
from convlens.studies.ranking import TRAINED, Ranking, score_runs
from convlens.training.network import choose_network
from convlens.training.setup import Setup, describe_augmentation
from convlens.training.trainer import Trainer
from convlens.zoo.registry import model_info
from convlens.zoo.stem import LEAST_WITH_STEM

DEFAULT_MINUTES = 2.0  # a network
MEASURED = (
    2.0,
    0.05,
)  # seconds spent on timing steps: at least, and as a share of a network's time


@dataclass(frozen=True)
class Comparison:
    """The folder of a comparison: `compare.json`, `plots/` and the run of each network under its name."""

    folder: Path

    @classmethod
    def open(cls, name: str | Path) -> "Comparison":
        """Return an existing comparison by its folder or its name under `runs/`. Raises RunError for another."""
        folder = Path(name) if Path(name).is_dir() else Run.place(name)
        if not (folder / "compare.json").is_file():
            known = ", ".join(
                sorted(path.parent.name for path in Path("runs").glob("*/compare.json"))
            )
            hint = f" Comparisons here: {known}." if known else ""
            raise RunError(
                f"{name}: a comparison is a folder that `convlens compare` made, with compare.json.{hint}"
            )
        return cls(folder)

    @property
    def facts(self) -> dict[str, Any]:
        """The content of `compare.json`: models, minutes, path; once finished, ranking and paired_test too."""
        return Run(self.folder).read("compare.json")

    def run(self, name: str) -> Run:
        """Return the run of a network."""
        return Run(self.folder / name)

    def write(self, facts: dict[str, Any]) -> None:
        """Write `compare.json`. Raises StorageError."""
        Run(self.folder).write("compare.json", json.dumps(facts, ensure_ascii=False, indent=1))

    @property
    def how_to_go_on(self) -> str:
        """The command that goes on with it."""
        return shlex.join(["convlens", "compare", "--run", str(self.folder), "--resume"])


def compare(
    dataset: Dataset,
    names: Sequence[str],
    config: Config | None = None,
    *,
    minutes: float = DEFAULT_MINUTES,
    run: str | Path | None = None,
    screen: Screen | None = None,
) -> Comparison:
    """Train networks of the zoo for the same time each, and say which is better.

    Args:
        dataset: from `load_data`.
        names: two networks or more.
        config: the recipe of all; its model, epochs and steps_per_epoch are set for each network. Its small stem
            goes for those that have one.
        minutes: of training for each network: steps, validations and writing, not building and measuring.
        run: name or folder of the new comparison.
        screen: where the progress is shown.

    Raises:
        ModelError: an unknown network, or one that cannot take these images; nothing is trained then.
        ConfigError: one network only, one named twice, or a time that is not enough for a step of each.
        DataError: no validation or no test images.
        TrainingError: the loss of a network is not finite while it is measured.
        Interrupted: Ctrl-C; what was done is kept, and `resume_comparison` goes on.
    """
    screen, config = screen or Screen(), config or Config()
    backend.start(config.training.backend, config.training.threads)
    check_names(names)
    if not (math.isfinite(minutes) and minutes > 0):
        raise ConfigError(f"--minutes must be more than 0; found {minutes:g}.")
    if run is not None:
        Run.refuse_taken(Run.place(run))
    with screen.counter("decoding") as progress:
        prepared = prepare_data(dataset, config, progress=progress)
    for split, flag in (("val", "--val"), ("test", "--test")):
        if not len(getattr(prepared.splits, split)):
            what = (
                "validation images to rank on"
                if split == "val"
                else "test images for its final table"
            )
            raise DataError(
                f"a comparison needs {what}; none were set aside. Give {flag} a share above 0."
            )
    recipes = _recipes(names, config)
    _check_models(recipes, prepared)
    _announce(prepared, len(names), minutes, screen)
    try:
        planned = _plan(recipes, prepared, 60 * minutes, screen)
    except (KeyboardInterrupt, Interrupted):
        raise Interrupted("stopped while measuring; no network was trained.") from None
    comparison = Comparison(Run.create(run, f"{dataset.name}-compare").folder)
    with contextlib.suppress(OSError):  # a run has a state, a comparison has none
        (comparison.folder / "state").rmdir()
    for name in names:
        one = Run.create(comparison.folder / name, "")
        one.write("data.json", json.dumps(prepared.to_dict(), ensure_ascii=False))
        one.write("run.toml", planned[name].to_toml())
    comparison.write(
        {"models": list(names), "minutes": minutes, "path": prepared.to_dict()["path"]}
    )
    return _carry_out(comparison, prepared, screen)


def resume_comparison(
    dataset: Dataset, name: str | Path, screen: Screen | None = None
) -> Comparison:
    """Go on with a comparison that was stopped or killed; networks that were finished are not trained again.

    Raises:
        RunError: there is none of that name, it is finished, or these are other images.
    """
    comparison, screen = Comparison.open(name), screen or Screen()
    if "ranking" in comparison.facts:
        raise RunError(
            f"{comparison.folder}: this comparison is finished; its table is in compare.json."
        )
    first = comparison.run(comparison.facts["models"][0])
    backend.start(first.config.training.backend, first.config.training.threads)
    with screen.counter("decoding") as progress:
        prepared = first.divided(prepare_data(dataset, first.config, progress=progress))
    return _carry_out(comparison, prepared, screen)


def check_names(names: Sequence[str]) -> None:
    """Raise where these are not two networks of the zoo or more, each once: ModelError or ConfigError."""
    for name in names:
        model_info(name)
    if doubled := [name for name in dict.fromkeys(names) if list(names).count(name) > 1]:
        raise ConfigError(f"--models must name each network once; found {doubled[0]} twice.")
    if len(names) < 2:
        found = names[0] if names else "none"
        raise ConfigError(
            f"--models must name two networks or more, with commas between; found {found}."
        )


def _recipes(names: Sequence[str], config: Config) -> dict[str, Config]:
    """Return the configuration of each network; the small stem only goes for those that have one."""
    made_for = {name: min(model_info(name).input_shape[:2]) for name in names}
    stems = {
        name: config.model.stem if side >= LEAST_WITH_STEM else "paper"
        for name, side in made_for.items()
    }
    return {name: config.replace(model=name, stem=stem) for name, stem in stems.items()}


def _for_network(prepared: Prepared, name: str) -> Prepared:
    """Return the same images and division, scaled as the network wants them."""
    return dataclasses.replace(
        prepared,
        preprocessing=dataclasses.replace(prepared.preprocessing, scale=model_info(name).scale),
    )


def _check_models(recipes: dict[str, Config], prepared: Prepared) -> None:
    """Build each network once; raise ModelError naming all that cannot take the images."""
    problems = []
    for name, config in recipes.items():
        try:
            choose_network(config).assemble(_for_network(prepared, name), config)
        except ModelError as error:
            problems.append(str(error).rstrip("."))
    if problems:
        raise ModelError(
            f"{'; '.join(problems)}. Take another --size, or leave out of --models what cannot."
        )


def _announce(prepared: Prepared, count: int, minutes: float, screen: Screen) -> None:
    data, splits = prepared.dataset, prepared.splits
    height, width, channels = prepared.preprocessing.shape
    each = duration(60 * minutes)
    facts = {
        "images": f"{len(data):,} from {data.source} ({data.kind}), {data.num_classes} classes",
        "division": f"{len(splits.train):,} train, {len(splits.val):,} validation, {len(splits.test):,} test",
        "seen as": f"{height} x {width} {'grey' if channels == 1 else 'RGB'}",
        "takes": f"{count} networks of {each} (--minutes), {duration(60 * minutes * count)}, and a while to measure",
    }
    screen.facts(list(facts.items()))
    for note in prepared.notes:
        screen.note(note)


def _plan(
    recipes: dict[str, Config], prepared: Prepared, seconds: float, screen: Screen
) -> dict[str, Config]:
    """Measure each network, and return its configuration with the epochs that fill the time."""
    rows = [("model", "parameters", "mult-adds", "a step", "planned", "stem")]
    planned, short = {}, {}
    for name, config in recipes.items():
        try:
            with screen.console.status(f"measuring {name}"), backend.forgotten():
                costs, resolved, numbers = _measure(config, _for_network(prepared, name), seconds)
        except TrainingError as error:
            raise TrainingError(f"{name}, while it was measured: {error}") from error
        if seconds < least_seconds(costs):
            short[name] = least_seconds(costs) / 60
            continue
        steps_per_pass = math.ceil(len(prepared.splits.train) / resolved.training.batch_size)
        length = plan(seconds, costs, steps_per_pass)
        planned[name] = resolved.replace(
            epochs=length.epochs, steps_per_epoch=length.steps_per_epoch
        )
        passes = length.epochs * length.steps_per_epoch / steps_per_pass
        said = f"{length.epochs} epochs, {passes:.1f} passes"
        rows.append((name, *numbers, f"{1000 * costs.step:.0f} ms", said, config.model.stem))
    if short:
        worst = max(short, key=lambda name: short[name])
        raise ConfigError(
            f"--minutes {seconds / 60:g} is too short for {', '.join(short)}: one step, its validation and its writing "
            f"take {short[worst]:.2g} minutes ({worst}, measured). Give more, a smaller --batch-size or --size, or "
            "leave it out."
        )
    one = next(iter(planned.values()))
    settings = one.training
    screen.say(
        f"\nrecipe  batch {settings.batch_size}, {settings.optimizer}, learning rate {settings.learning_rate:g} "
        f"({settings.schedule.replace('_', '-')}), {describe_augmentation(one.augment)}, {settings.precision}"
    )
    screen.columns(rows, left=(0, 5))
    return planned


def _measure(
    config: Config, prepared: Prepared, seconds: float
) -> tuple[Costs, Config, tuple[str, str]]:
    """Return a network's costs, its resolved configuration, and its parameters and multiply-adds for the eye."""
    trainer = Trainer(Setup.create(prepared, config, choose_network(config)), Screen(quiet=True))
    numbers = (
        rounded(trainer.setup.network.count_params()),
        rounded(count_multiply_adds(trainer.setup.network)),
    )
    return (
        measure_costs(trainer, max(MEASURED[0], MEASURED[1] * seconds)),
        trainer.setup.config,
        numbers,
    )


def _carry_out(comparison: Comparison, prepared: Prepared, screen: Screen) -> Comparison:
    """Train what is not trained yet, score all, write and show the result."""
    facts = comparison.facts
    names, seconds = facts["models"], 60 * facts["minutes"]
    try:
        for number, name in enumerate(names, 1):
            run = comparison.run(name)
            if not (run.folder / TRAINED).exists():
                screen.say(f"\n{name}, {number} of {len(names)}", "bold")
                with backend.forgotten():
                    _train(run, _for_network(prepared, name), seconds, screen)
        with screen.console.status("scoring"):
            runs = [(comparison.run(name), _for_network(prepared, name)) for name in names]
            ranking = score_runs(runs, screen)
            ranking.draw(
                comparison.folder / "plots", {run.folder.name: run.history for run, _ in runs}
            )
    except (KeyboardInterrupt, Interrupted):
        raise Interrupted(
            f"stopped; what was done is kept. To go on: {comparison.how_to_go_on}"
        ) from None
    except StorageError as error:
        raise StorageError(f"{error} Free some space, then: {comparison.how_to_go_on}") from error
    comparison.write(facts | {"data": prepared.summary()} | ranking.to_dict())
    _show(comparison, ranking, screen)
    return comparison


def _train(run: Run, prepared: Prepared, seconds: float, screen: Screen) -> None:
    """Train one network as planned in its run.toml; `trained.json` marks it as done."""
    config = run.config
    bar = Screen(console=screen.console, rows=False)
    trainer = Trainer(Setup.create(prepared, config, choose_network(config)), bar)
    try:
        note = train_for(trainer, run, seconds)
    except TrainingError as error:
        note = str(error)
    spent = seconds_trained(run)
    run.write(TRAINED, json.dumps({"seconds": spent, "note": note}, ensure_ascii=False))
    if note:
        screen.note(note)
    if run.classifier_path.exists():
        history = run.history
        best = max(float(row["val_accuracy"] or 0) for row in history)
        screen.say(
            f"{len(history)} epochs in {duration(spent)}, best validation accuracy {100 * best:.1f} %"
        )


def _show(comparison: Comparison, ranking: Ranking, screen: Screen) -> None:
    """Print the table, the verdicts and where everything lies."""
    first = ranking.entries[0]
    screen.say(
        f"\nranked on {first.val.n:,} validation images; scored once on {first.test.n:,} test images",
        "dim",
    )
    screen.say("ms: to answer one image that is decoded, alone in its batch, in float32", "dim")
    screen.columns(ranking.rows())
    screen.say()
    for pair in ranking.said:
        screen.say(str(pair))
    if len(ranking.pairs) > 1:
        screen.say(
            f"p: McNemar, exact, after Holm for {len(ranking.pairs)} pairs; all are in compare.json",
            "dim",
        )
    screen.say(
        f"\ncharts       {comparison.folder / 'plots' / 'tradeoff.png'}, growth.png beside it"
    )
    screen.say(f"numbers      {comparison.folder / 'compare.json'}")
    screen.say(f"reports      {comparison.folder}/MODEL/report.html")
    screen.say(
        f"next         {shlex.join(['convlens', 'predict', str(comparison.folder / first.name)])} IMAGE..."
    )
