"""Conflicts: which flags exclude or need each other, in one table for all commands.

The functions behind a command check the same rows, so that a caller in Python reads the same
message.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from convlens.errors import ConfigError
from convlens.language import N_, _
from convlens.setting import either, flag_of

EXCLUDES = "excludes"  # The flag cannot be given with any of the others.
NEEDS = "needs"  # The flag is given with at least one of the others.
ALLOWS = "allows"  # The flag is given with none but the others.

TRANSFER = (
    *("backbone", "weights", "head", "unfreeze", "layer_decay", "gradual", "train_batch_norm"),
    "keep_maps",
)
RESUMED = N_("A resumed run keeps its configuration: give --run and --resume only.")
SCRATCH = N_("Every network is trained from scratch here; `convlens train` takes this flag.")
ONE_OF_THEM = N_("Leave one of them out.")
OF_TRAINED = N_("It is about the layers of a trained network: say which one.")
WHICH_LAYERS = N_("Say which layers learn.")
WHOSE_WEIGHTS = N_("Say which network the weights belong to.")
NO_LESSON = N_("Name one, as in `convlens lesson 002 --run`; `convlens lesson` lists them.")
OF_IMAGES = N_("It explains the predicted class of each test image.")
OF_CLUSTER = N_("It holds what a cluster answers.")
TO_ALL_NODES = N_("All nodes write the answers into this folder.")
ONE_VIEW = N_("A cluster looks at each image once.")
OF_RUNNING = N_("It is about running a lesson.")

# Rows by command: a flag, its relation to other flags, and a sentence that says why or what to do.
# The name of the command itself stands for the command. The first row that is broken is reported.
CONFLICTS: dict[str, tuple[tuple[str, str, tuple[str, ...], str], ...]] = {
    "train": (
        ("budget", EXCLUDES, ("resume",), N_("A resumed run keeps the epochs planned for it.")),
        ("resume", ALLOWS, ("run", "path", "cluster"), RESUMED),
        ("find_learning_rate", EXCLUDES, ("learning_rate",), ONE_OF_THEM),
        (
            "find_learning_rate",
            EXCLUDES,
            ("folds",),
            N_("Find the learning rate in a run of its own."),
        ),
        (
            "find_learning_rate",
            EXCLUDES,
            ("backbone",),
            N_("Only a network with new weights needs the search."),
        ),
        (
            "cluster",
            NEEDS,
            ("folds", "few", "backbone", "resume", "workers"),
            N_(
                "It shares out several trainings, the features of a backbone, or one training with "
                "--workers."
            ),
        ),
        ("workers", NEEDS, ("cluster",), N_("The processes run on a cluster.")),
        ("workers", EXCLUDES, ("folds", "few"), N_("Each of them runs in one process.")),
        (
            "workers",
            EXCLUDES,
            ("backbone", "budget", "find_learning_rate", "snapshots"),
            N_("It is for networks that learn as a whole, in a training that is planned already."),
        ),
        ("workers", EXCLUDES, ("micro_batch",), N_("The workers share each step already.")),
        ("workers", EXCLUDES, ("threads",), N_("Each worker uses the processors of its node.")),
        ("cluster", EXCLUDES, ("budget",), N_("The budget plans with the speed of this computer.")),
        (
            "snapshots",
            EXCLUDES,
            ("folds", "few"),
            N_("They are the states of one training, not of several."),
        ),
        ("few", EXCLUDES, ("folds", "from", "find_learning_rate"), ONE_OF_THEM),
        (
            "few",
            EXCLUDES,
            ("val", "patience", "accept"),
            N_(
                "With --few a network learns only from the drawn images, and none are left for "
                "validation."
            ),
        ),
        (
            "folds",
            EXCLUDES,
            ("test",),
            N_("Each fold tests the network that has learned from the others."),
        ),
        ("draws", NEEDS, ("few",), N_("It says how often the images of --few are drawn.")),
        ("budget", EXCLUDES, ("epochs",), N_("The budget plans the epochs.")),
        ("budget", EXCLUDES, ("steps_per_epoch",), N_("The budget plans the steps.")),
        ("budget", EXCLUDES, ("find_learning_rate",), N_("The search for a rate has no plan.")),
        ("budget", EXCLUDES, ("folds", "few"), N_("The budget plans one training, not several.")),
        ("budget", EXCLUDES, ("from",), N_("The budget plans a training from its start.")),
        ("budget", EXCLUDES, ("head",), N_("The budget plans a head without hidden layers.")),
        (
            "from",
            EXCLUDES,
            ("size", "fit", "channels", "model", "stem"),
            N_("The classifier that --from names already has its own."),
        ),
        ("recipe", EXCLUDES, ("backbone",), N_("A backbone has a training of its own.")),
        (
            "weights",
            EXCLUDES,
            ("from",),
            N_("The classifier that --from names has its own weights."),
        ),
        (
            "backbone",
            EXCLUDES,
            ("from", "own_model"),
            N_("The backbone is the network to begin with."),
        ),
        ("from_scratch", EXCLUDES, ("backbone",), N_("Only `convlens train` takes a backbone.")),
        ("unfreeze", NEEDS, ("backbone",), OF_TRAINED),
        ("head", NEEDS, ("backbone",), N_("The head follows a trained network: say which one.")),
        ("gradual", NEEDS, ("backbone",), OF_TRAINED),
        ("train_batch_norm", NEEDS, ("backbone",), OF_TRAINED),
        ("keep_maps", NEEDS, ("backbone",), OF_TRAINED),
        ("gradual", NEEDS, ("unfreeze",), WHICH_LAYERS),
        ("train_batch_norm", NEEDS, ("unfreeze",), WHICH_LAYERS),
        ("keep_maps", NEEDS, ("unfreeze",), WHICH_LAYERS),
        ("budget", EXCLUDES, ("keep_maps",), N_("The budget plans whole steps.")),
    ),
    "search": (
        ("resume", ALLOWS, ("run", "path", "cluster"), RESUMED),
        ("search", EXCLUDES, TRANSFER, SCRATCH),
        ("search", EXCLUDES, ("recipe",), N_("It varies what a recipe would set.")),
    ),
    "compare": (
        ("published", ALLOWS, (), N_("It charts what others measured: give it alone.")),
        ("resume", ALLOWS, ("run", "path", "cluster"), RESUMED),
        ("compare", EXCLUDES, TRANSFER, SCRATCH),
    ),
    "audit": (
        ("of_run", EXCLUDES, ("using", "pattern", "layout"), N_("A run has its own images.")),
        ("true", NEEDS, ("of_run",), N_("Other images have no predictions.")),
        ("predicted", NEEDS, ("of_run",), N_("Other images have no predictions.")),
        ("data", NEEDS, ("of_run",), N_("Other images are named by their place.")),
        ("thorough", NEEDS, ("of_run",), N_("Labels are judged after a training.")),
        ("thorough", EXCLUDES, ("true", "predicted"), N_("These judge no labels.")),
        ("cluster", EXCLUDES, ("of_run",), N_("The labels of a run are doubted on one computer.")),
    ),
    "evaluate": (
        ("layout", NEEDS, ("data",), N_("The images of a run are read as it says.")),
        ("cluster", NEEDS, ("data",), N_("The images of a run are decoded here already.")),
        ("cluster", NEEDS, ("answers",), TO_ALL_NODES),
        ("answers", NEEDS, ("cluster",), OF_CLUSTER),
        ("cluster", EXCLUDES, ("leak_free",), N_("Copies are looked for on one computer.")),
        ("cluster", EXCLUDES, ("views",), ONE_VIEW),
    ),
    "predict": (
        ("weights", NEEDS, ("model",), WHOSE_WEIGHTS),
        ("cluster", NEEDS, ("answers",), TO_ALL_NODES),
        ("answers", NEEDS, ("cluster",), N_("One computer prints its answers; redirect them.")),
        ("cluster", EXCLUDES, ("views",), ONE_VIEW),
    ),
    "open": (
        ("weights", NEEDS, ("model",), WHOSE_WEIGHTS),
        ("weight", NEEDS, ("gradient",), N_("It is the weight that the gradient belongs to.")),
        ("true", NEEDS, ("gradient",), N_("It is the class that the loss takes as the true one.")),
        ("gradient", EXCLUDES, ("at", "worksheet"), N_("A gradient sums over all positions.")),
        (
            "gradient",
            EXCLUDES,
            ("html",),
            N_("The page shows how values come about, not gradients."),
        ),
        (
            "over_time",
            EXCLUDES,
            ("at", "html", "worksheet"),
            N_("It shows maps and weights at every moment of a training."),
        ),
    ),
    "explain": (
        ("check", EXCLUDES, ("class", "against", "neighbours", "png", "html"), OF_IMAGES),
        ("check", EXCLUDES, ("model",), N_("The test images are those of a run.")),
        ("images", NEEDS, ("check",), N_("It is the number of images to measure with.")),
        ("data", EXCLUDES, ("model",), N_("A network without a run has no images.")),
        ("neighbours", EXCLUDES, ("model",), N_("A network without a run has no images.")),
    ),
    "lesson": (
        ("run", NEEDS, ("number",), NO_LESSON),
        ("quick", NEEDS, ("number",), NO_LESSON),
        ("notebook", NEEDS, ("number",), NO_LESSON),
        ("data", NEEDS, ("number",), NO_LESSON),
        ("folder", NEEDS, ("number",), NO_LESSON),
        ("table", NEEDS, ("number",), NO_LESSON),
        ("folder", NEEDS, ("run",), OF_RUNNING),
        ("table", NEEDS, ("run",), OF_RUNNING),
        ("quick", NEEDS, ("run", "notebook"), OF_RUNNING),
        ("data", NEEDS, ("run", "notebook"), OF_RUNNING),
        (
            "quick",
            EXCLUDES,
            ("data",),
            N_("A quick lesson uses images that convlens brings along."),
        ),
    ),
}

SPELLINGS = {  # names that are no flags
    "path": "PATH",
    "number": N_("the number of a lesson"),
    "of_run": N_("the audit of a run"),
    "own_model": N_("a Keras model of your own"),
    "from_scratch": N_("a network that is trained from scratch"),
    "search": "`convlens search`",  # not translated: a command
    "compare": "`convlens compare`",  # not translated: a command
}


def refuse_conflicts(command: str, given: Mapping[str, Any]) -> None:
    """Raise ConfigError for the first row of the table that the given flags break.

    Args:
        command: The command whose rows are checked, such as "train".
        given: The values of flags by name, with underscores for hyphens. A flag counts as given
            unless its value is None, False or ().

    Raises:
        ConfigError: If two flags exclude each other, or if a flag lacks the one that it needs.

    >>> refuse_conflicts("train", {"unfreeze": None, "gradual": True, "backbone": "vgg16"})
    Traceback (most recent call last):
    convlens.errors.ConfigError: --gradual needs --unfreeze. Say which layers learn.
    """
    names = [command, *(name for name, value in given.items() if _is_given(value))]
    for flag, relation, others, advice in CONFLICTS[command]:
        if flag not in names:
            continue
        if relation == NEEDS:
            require(flag, others, names, advice)
            continue
        present = [other for other in others if other in names]
        if relation == ALLOWS:
            present = [name for name in names if name not in (command, flag, *others)]
        if present:
            message = _("{flag} and {other} exclude each other. {advice}")
            other = _spell(present[0])
            raise ConfigError(message.format(flag=_spell(flag), other=other, advice=_(advice)))


def require(flag: str, others: Sequence[str], names: Collection[str], advice: str) -> None:
    """Raise ConfigError if none of the flags that a flag needs is given.

    Args:
        flag: The flag that was given, by name.
        others: The flags of which it needs at least one.
        names: All flags that were given.
        advice: A sentence that says why or what to do, marked by `N_`.

    Raises:
        ConfigError: If none of `others` is among `names`.
    """
    if any(other in names for other in others):
        return
    raise ConfigError(
        _("{flag} needs {others}. {advice}").format(
            flag=_spell(flag), others=either([*map(_spell, others)]), advice=_(advice)
        )
    )


def _is_given(value: Any) -> bool:
    return value is not None and value is not False and value != ()


def _spell(name: str) -> str:
    return _(SPELLINGS[name]) if name in SPELLINGS else flag_of(name)
