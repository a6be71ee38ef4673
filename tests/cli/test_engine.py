"""The engine that a command or a run names is chosen before anything imports Keras."""

import json
import subprocess
import sys

import pytest

from convlens.config import Config

WATCH = """
import json, sys
from convlens import backend
from convlens.cli import main
def chosen(name):
    print(json.dumps([name, "keras" in sys.modules]))
    sys.exit()
backend.choose = chosen
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    "words",
    [
        ["train", "digits", "--backend", "jax"],
        ["train", "digits", "--backend", "jax", "--folds", "3"],
        ["train", "digits", "--backend", "jax", "--few", "5"],
        ["train", "digits", "--backend", "jax", "--budget", "1m"],
        ["train", "--run", "begun", "--resume"],
        ["compare", "digits", "--models", "custom_cnn,fashion_mlp", "--backend", "jax"],
        ["compare", "--run", "comparison", "--resume"],
        ["search", "digits", "--backend", "jax"],
        ["search", "--run", "search", "--resume"],
    ],
    ids=" ".join,
)
def test_the_engine_is_chosen_before_keras_is_imported(words, tmp_path):
    for folder in ("begun", "comparison/custom_cnn", "search"):
        (tmp_path / "runs" / folder).mkdir(parents=True)
        settings = Config().replace(backend="jax").to_toml()
        (tmp_path / "runs" / folder / "run.toml").write_text(settings)
    (tmp_path / "runs" / "search" / "search.json").write_text("{}")
    facts = '{"models": ["custom_cnn"]}'
    (tmp_path / "runs" / "comparison" / "compare.json").write_text(facts)
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert json.loads(done.stdout) == ["jax", False], done.stderr
