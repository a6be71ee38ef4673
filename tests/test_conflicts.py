"""The table of flags that exclude or need each other."""

import pytest

from convlens.cli.app import app
from convlens.conflicts import ALLOWS, CONFLICTS, EXCLUDES, NEEDS, SPELLINGS, refuse_conflicts
from convlens.errors import ConfigError


def known_flags(command):
    """Return the names of the flags and arguments that `convlens COMMAND --help` knows."""
    arguments = app[command].assemble_argument_collection()
    return {name.lstrip("-").replace("-", "_") for one in arguments for name in one.names}


@pytest.mark.parametrize("command", CONFLICTS)
def test_the_table_names_flags_that_the_command_has(command):
    known = known_flags(command) | set(SPELLINGS) | {command}
    for flag, relation, others, advice in CONFLICTS[command]:
        assert {flag, *others} <= known
        assert relation in (EXCLUDES, NEEDS, ALLOWS)
        assert advice[0].isupper() and advice.endswith(".")  # noqa: PT018 - one sentence


@pytest.mark.parametrize("command", CONFLICTS)
def test_every_row_can_be_broken(command):
    for flag, relation, others, _ in CONFLICTS[command]:
        given = {flag: 3}
        if relation == EXCLUDES:
            given[others[-1]] = 3
        elif relation == ALLOWS:
            given["minutes"] = 3
        with pytest.raises(ConfigError):
            refuse_conflicts(command, given)


@pytest.mark.parametrize(
    ("command", "given", "said"),
    [
        ("train", {"budget": "1m", "steps_per_epoch": 4},
         "--budget and --steps-per-epoch exclude each other. The"),
        ("train", {"resume": True, "folds": 3},
         "--resume and --folds exclude each other. A resumed run keeps its"),
        ("train", {"gradual": True, "backbone": "vgg16"},
         "--gradual needs --unfreeze. Say which layers learn."),
        ("train", {"own_model": object(), "backbone": "vgg16"},
         "--backbone and a Keras model of your own exclude"),
        ("train", {"recipe": "fast", "backbone": "vgg16"},
         "--recipe and --backbone exclude each other. A backbone has"),
        ("train", {"few": 5, "patience": 2},
         "--few and --patience exclude each other. With --few a network learns only from"),
        ("train", {"few": 5, "val": 0.3}, "--few and --val exclude each other."),
        ("train", {"folds": 3, "test": 0.3},
         "--folds and --test exclude each other. Each fold tests the network"),
        ("search", {"recipe": "fast"},
         "`convlens search` and --recipe exclude each other. It varies"),
        ("compare", {"published": True, "path": "x"},
         "--published and PATH exclude each other. It charts"),
        ("compare", {"head": "8"},
         "`convlens compare` and --head exclude each other. Every network"),
        ("lesson", {"quick": True, "number": ("001",)},
         "--quick needs --run or --notebook. It is about"),
    ],
)  # fmt: skip
def test_the_message_names_both_flags(command, given, said):
    with pytest.raises(ConfigError) as caught:
        refuse_conflicts(command, given)
    assert str(caught.value).startswith(said)


def test_flags_that_were_not_given_break_nothing():
    for absent in (None, False, ()):
        refuse_conflicts(
            "train", {"budget": absent, "draws": absent, "epochs": 3, "resume": absent}
        )
    refuse_conflicts("train", {"resume": True, "run": "x", "path": "y", "epochs": None})
    with pytest.raises(ConfigError, match="--draws needs --few"):
        refuse_conflicts("train", {"draws": 0})
