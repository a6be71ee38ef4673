"""Every command in a language of brackets: what stands outside of them cannot be translated.

Each text of the catalogue is put into brackets. What a command prints besides must be names that
stay as they are: of classes, files, flags, networks and layers.
"""

import gettext
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from convlens import language
from convlens.language_choice import using
from convlens.zoo.registry import list_models
from tests.cli.commands import QUICK, run

# Flags, paths, settings with their values, versions, units and what stands in code.
NAMES = re.compile(
    r"--?[\w-]+(=\S+)?|\S*[/\\]\S*|\S+\.(keras|html|json|png|csv|toml|jpg|txt|pdf|ipynb)\b"
    r"|\b\w+_\w+\b|[│╭╮╰╯─├┤]+|https?:\S+|\b[A-Z][A-Z_]+\b|\b\d\S*"
    r"|\b(?=[a-z]+\d)\w+",  # digests
)
WORD = re.compile(r"[A-Za-z]{2,}")
# Words that are the same in both languages: classes of this test, units, engines, formulas, names.
SAME = {
    *(word for name in dir(keras.layers) for word in re.findall("[A-Z][A-Za-z]+", name)),
    *(
        "Square",
        "Sum",
        "Take",
        "square",
        "sum",
        "take",
        "subtract",
        "rbf",
        "images",
        "scaling",
        "pixels",
        "dense",
        "logits",
        "flatten",
    ),
    *("sigmoid", "probabilities", "new", "imagenet", "resnet", "densenet", "vgg", "lenet"),
    *(
        "bar",
        "disc",
        "shapes",
        "convlens",
        "px",
        "GB",
        "MB",
        "kB",
        "bytes",
        "SHA",
        "SUMS",
        "min",
        "ms",
        "rgb",
        "grey",
    ),
    *("tensorflow", "jax", "torch", "float32", "bfloat16", "adamw", "Keras", "ImageNet", "softmax"),
    *("relu", "auto", "none", "light", "strong", "stretch", "crop", "pad", "classes", "splits"),
    *("train", "val", "test", "evaluate", "predict", "compare", "search", "models", "cache"),
    *("demo", "summary", "show", "lesson", "open", "data", "zh", "en", "version", "language"),
    "digits",
}


class Bracketed(gettext.NullTranslations):
    """Puts every text into brackets, as a translation that nobody can overlook."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


@pytest.fixture
def brackets(monkeypatch):
    monkeypatch.setattr(language, "_translations", lambda name: Bracketed())


def outside(text: str) -> set[str]:
    """Return the words that stand outside of brackets and are no names."""
    depth = 0
    kept = []
    for character in text:
        depth += (character == "⟦") - (character == "⟧")
        kept.append(" " if depth or character == "⟧" else character)
    plain = NAMES.sub(" ", "".join(kept))
    known = SAME | set(list_models())
    return {word for word in WORD.findall(plain) if word not in known}


def commands(trained, shapes, image) -> dict[str, list[object]]:
    """Return a call of every command, by its name."""
    return {
        "data": ["data", shapes],
        "audit": ["audit", shapes, "--fix", "list.csv"],
        "audit with findings": ["audit", "digits", "--fail-on", "warning"],
        "audit of a run": ["audit", trained],
        "data of numbers": ["data", "digits", "--json"],
        "train": ["train", shapes, *QUICK, "--size", "16", "--epochs", "2", "--run", "new"],
        "evaluate": ["evaluate", trained],
        "predict": ["predict", trained, image, "--verbose"],
        "models": ["models"],
        "summary": ["summary", "lenet5"],
        "summary of a stage": ["summary", "resnet20", "--brief"],
        "cache": ["cache", "list"],
        "list of runs": ["run", "list", Path(trained).parent],
        "a run": ["run", "show", trained],
        "files of a run": ["run", "verify", trained],
        "a run that nobody can be asked about": ["run", "remove", trained],
        "show convolution": ["show", "convolution", "x9", "left-diagonal"],
        "show pooling": ["show", "pooling", "x9"],
        "show softmax": ["show", "softmax", "1", "2", "3"],
        "show loss": ["show", "loss", "mse", "1,0", "0.5,0.5"],
        "show network": ["show", "network"],
        "show sizes": ["show", "sizes", "28", "conv:5:6"],
        "open": ["open", trained, image],
        "open a layer": ["open", trained, image, "--layer", "conv1"],
        "a server at no port": ["serve", trained, "--port", "70000"],
        "a server for anyone": ["serve", trained, "--host", "0.0.0.0", "--port", "0"],
        "nothing to train on": ["train"],
        "no such data": ["data", "nowhere"],
        "no such run": ["evaluate", "nowhere"],
        "no image": ["predict", trained, "nothing.png"],
        "no such command": ["trian"],
        "no such flag": ["train", shapes, "--epoch", "3"],
        "no such value": ["train", shapes, "--epochs", "many"],
        "a wrong value": ["train", shapes, "--val", "2"],
    }


@pytest.mark.parametrize("name", commands("", "", ""))
def test_all_that_a_command_prints_can_be_translated(
    name, trained, shapes, here, brackets, no_charts, capsys
):
    image = here / "photo.png"
    Image.fromarray(np.full((40, 48, 3), 90, np.uint8)).save(image)
    run(*commands(trained, shapes, image)[name])
    printed = capsys.readouterr()
    assert outside(printed.out + printed.err) == set()


def test_a_text_that_is_not_translated_is_found(brackets):
    assert outside("⟦a text ⟦in⟧ it⟧ runs/a.png --flag") == set()
    assert outside("⟦a text⟧ and another one") == {"and", "another", "one"}


def test_lessons_are_listed_in_one_language(here, capsys):
    with using("zh"):
        assert run("lesson") == 0
        titles = capsys.readouterr().out.splitlines()[:5]
    assert all(re.match(r"00\d .*[\u4e00-\u9fff]{2}", title) for title in titles)
    assert not any("·" in title for title in titles)
