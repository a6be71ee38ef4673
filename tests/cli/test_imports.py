"""What the commands import: little for their help, and no engine to refuse wrong names."""

import json
import shutil
import subprocess
import sys

import pytest

from convlens.cli.commands import COMMANDS

# Runs commands with --help, and prints which of some modules have been imported after each.
HELP = """
import json, sys
from convlens.cli import main
commands, heavy = map(json.loads, sys.argv[1:])
for words in commands:
    try: main([*words, "--help"])
    except SystemExit: pass
    print(words, sorted({*heavy} & {*sys.modules}), file=sys.stderr)
"""
HEAVY = [
    *("numpy", "PIL", "cv2", "scipy", "sklearn", "matplotlib", "keras", "tensorflow", "h5py"),
    *("pandas", "jinja2", "optuna", "fastapi", "importlib.metadata"),
]


@pytest.mark.parametrize(
    ("commands", "heavy"),
    [([[]], [*HEAVY, "cyclopts", "attrs"]), ([[name] for name in COMMANDS], HEAVY)],
    ids=["overview", "commands"],
)
def test_help_imports_nothing_heavy(commands, heavy):
    words = [sys.executable, "-c", HELP, json.dumps(commands), json.dumps(heavy)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == [f"{command} []" for command in commands]
    assert done.stdout.count("Usage: convlens") == len(commands)


# Runs commands that are refused, and prints the exit code of each and whether Keras was imported.
REFUSED = """
import json, sys
from convlens.cli import main
for words in json.loads(sys.argv[1]):
    try: main(words)
    except SystemExit as stop: print(stop.code, "keras" in sys.modules, *words)
"""
REFUSALS = [  # the exit code and the words of commands that name what there is not
    (3, ["train", "nowhere"]),
    (4, ["train", "SHAPES", "--model", "nosuch"]),
    (4, ["train", "SHAPES", "--backbone", "nosuch"]),
    (6, ["train", "SHAPES", "--backbone", "none.keras"]),
    (6, ["train", "SHAPES", "--from", "none.keras"]),
    (2, ["train", "SHAPES", "--size", "0"]),
    (5, ["train", "--run", "none", "--resume"]),
    (5, ["train", "SHAPES", "--run", "TRAINED"]),
    (5, ["search", "SHAPES", "--run", "TRAINED"]),
    (5, ["compare", "SHAPES", "--models", "lenet5,vgg11", "--run", "TRAINED"]),
    (3, ["search", "nowhere"]),
    (2, ["search", "SHAPES", "--vary", "droput=0..0.5"]),
    (4, ["search", "SHAPES", "--model", "nosuch"]),
    (5, ["search", "--run", "none", "--resume"]),
    (5, ["search", "--run", "TRAINED", "--resume"]),
    (5, ["search", "--run", "SEARCH", "--resume"]),
    (5, ["compare", "--run", "none", "--resume"]),
    (5, ["compare", "--run", "COMPARISON", "--resume"]),
    (5, ["compare", "--run", "EMPTIED", "--resume"]),
    (3, ["compare", "nowhere", "--models", "lenet5,vgg11"]),
    (4, ["compare", "SHAPES", "--models", "lenet5,nosuch"]),
    (3, ["audit", "nowhere"]),
    (5, ["evaluate", "none"]),
    (5, ["predict", "none.keras", "x.jpg"]),
    (4, ["predict", "--model", "nosuch", "x.jpg"]),
    (3, ["predict", "--model", "efficientnet_lite0", "none.jpg"]),
    (5, ["explain", "none", "x.jpg"]),
    (4, ["explain", "--model", "nosuch", "x.jpg"]),
    (3, ["explain", "--model", "efficientnet_lite0", "none.jpg"]),
    (5, ["open", "none", "x.jpg"]),
    (4, ["open", "--model", "nosuch", "x.jpg"]),
    (3, ["open", "--model", "efficientnet_lite0", "none.jpg"]),
    (4, ["summary", "nosuch"]),
    (6, ["summary", "none.keras"]),
    (5, ["export", "none", "--to", "onnx"]),
    (4, ["train", "SHAPES", "--backbone", "efficientnet_lite0", "--weights", "none.h5"]),
    (4, ["predict", "--model", "efficientnet_lite0", "--weights", "none.h5", "x.jpg"]),
    (4, ["open", "--model", "efficientnet_lite0", "--weights", "none.h5", "x.jpg"]),
    (3, ["explain", "--model", "efficientnet_lite0", "none.jpg", "neither.jpg"]),
    (2, ["train", "SHAPES", "--folds", "1"]),
    (2, ["train", "SHAPES", "--few", "0"]),
    (2, ["train", "SHAPES", "--few", "3", "--draws", "1"]),
    (2, ["search", "SHAPES", "--trials", "1"]),
    (2, ["search", "SHAPES", "--generation", "0"]),
    (2, ["search", "SHAPES", "--minutes", "0"]),
    (2, ["compare", "SHAPES", "--models", "lenet5,vgg11", "--minutes", "0"]),
    (2, ["explain", "TRAINED", "IMAGE", "--class", "diks"]),
    (2, ["explain", "TRAINED", "IMAGE", "--against", "diks"]),
    (2, ["explain", "--model", "efficientnet_lite0", "IMAGE", "--class", "Golden Retreiver"]),
    (2, ["explain", "TRAINED", "IMAGE", "--class", "disk", "--against", "disk"]),
    (2, ["explain", "TRAINED", "IMAGE", "--neighbours", "-1"]),
    (2, ["summary", "small_resnet", "--classes", "99999999999"]),
    (2, ["summary", "small_resnet", "--classes", "1"]),
    (5, ["explain", "nosuch", "--check"]),
    (2, ["explain", "TRAINED", "--check", "--images", "0"]),
    (2, ["open", "TRAINED", "IMAGE", "--layer", "a", "--gradient", "--true", "diks"]),
    (2, ["audit", "TRAINED", "--true", "diks"]),
    (5, ["train", "--run", "ALTERED", "--resume"]),
]


def test_wrong_names_are_refused_before_the_engine_is_imported(shapes, trained, here):
    for name, kind, facts in (
        ("search", "search", {"best": 1}),
        ("comparison", "compare", {"models": ["a"], "ranking": []}),
        ("emptied", "compare", {"models": ["a"]}),  # whose networks are gone
    ):
        (here / name).mkdir()
        (here / name / "run.toml").write_text("")
        (here / name / f"{kind}.json").write_text(json.dumps(facts))
    image = str(next(shapes.rglob("*.png")))
    altered = shutil.copytree(trained, here / "altered")
    (altered / "report.json").unlink()
    with (altered / "run.toml").open("a") as settings:
        settings.write("\n")
    places = {"SHAPES": str(shapes), "TRAINED": str(trained), "IMAGE": image}
    for name in ("search", "comparison", "emptied", "altered"):
        places[name.upper()] = str(here / name)
    refused = [(code, [places.get(word, word) for word in words]) for code, words in REFUSALS]
    words = json.dumps([words for _code, words in refused])
    done = subprocess.run(
        [sys.executable, "-c", REFUSED, words], capture_output=True, text=True, check=True
    )
    expected = ["{} False {}".format(code, " ".join(words)) for code, words in refused]
    assert done.stdout.splitlines() == expected
