"""Chinese: what trainings and studies print and refuse has no English word but names and units."""

import re

import keras
import pytest
from rich.console import Console

from convlens.budget.choose import BackboneCosts, choose_side, choose_tuning
from convlens.budget.deadline import Clock
from convlens.budget.plan import Costs, parse_duration, plan
from convlens.classifier.classifier import Classifier
from convlens.classifier.runtime import compile_model
from convlens.config import Config
from convlens.data.prepared import prepare_data
from convlens.data.sources import load_data
from convlens.errors import ConvlensError, Interrupted
from convlens.language import again
from convlens.language_choice import using
from convlens.pipeline import train
from convlens.run import Run
from convlens.screen import Screen
from convlens.studies import recipes
from convlens.studies.compare import compare, open_comparison
from convlens.studies.cross_validation import cross_validate
from convlens.studies.few import train_on_few
from convlens.studies.search import resume_search, search
from convlens.studies.space import parse_vary
from convlens.training.network import choose_network
from convlens.training.setup import Setup
from convlens.training.trainer import Trainer
from convlens.transfer.origin import choose_origin
from convlens.zoo.registry import list_models

pytestmark = pytest.mark.usefixtures("no_charts")
QUIET = Screen(quiet=True)
CONFIG = Config().replace(model="logistic", epochs=1, batch_size=256, precision="float32")
CHINESE = re.compile("[\u4e00-\u9fff]")
PATHS = re.compile(r"[!-~]*(?:/|\.(?:png|json|html|keras))[!-~]*")
FLAGS = re.compile(r"--[a-z-]+")
COMMANDS = re.compile(r"(convlens|tensorboard) .*")
WORDS = re.compile(r"[A-Za-z]{2,}[A-Za-z0-9_-]*")
# Names of data, networks, optimizers, settings, packages, statistics and units stay as they are.
NAMES = WORDS.findall(
    "digits scikit-learn logistic fashion_mlp adamw one-cycle float32 tensorflow jax torch "
    "batch_size paper ms GB McNemar Holm HParams IMAGE"
)
# What messages quote of a call besides these, and of Keras.
QUOTED = WORDS.findall(
    "RGB functional sequential openvino keras auto engine other epochs filters convs_per_block "
    "kernel_size dense dropout optimizer learning_rate low high none here convlens compare IMAGES "
    "resnet0"
)


@pytest.fixture
def digits():
    with using("zh"):
        return load_data("digits")


def printed_by(work):
    """Return what a piece of work prints in Chinese, and check that it has Chinese labels."""
    console = Console(record=True, width=300, soft_wrap=True, highlight=False, quiet=False)
    with using("zh"):
        work(Screen(console=console))
    said = console.export_text()
    assert CHINESE.search(said)
    return said


def english_in(said):
    for pattern in (COMMANDS, PATHS, FLAGS):
        said = pattern.sub(" ", said)
    return sorted(set(WORDS.findall(said)) - set(NAMES))


def test_a_training_speaks_chinese(digits, tmp_path):
    said = printed_by(lambda screen: train(digits, CONFIG, run=tmp_path / "r", screen=screen))
    assert english_in(said) == []
    # The values of the facts begin in one column.
    assert re.search("^影像      1,797 張", said, re.M)
    assert re.search("^訓練配方  1 個回合", said, re.M)


@pytest.mark.slow
def test_a_comparison_speaks_chinese(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "measure_costs", lambda trainer, seconds: Costs(2.0, 1.0, 0.4))

    def work(screen):
        names = ["logistic", "fashion_mlp"]
        compare(digits, names, CONFIG, minutes=0.2, run=tmp_path / "c", screen=screen)

    said = printed_by(work)
    assert english_in(said) == []
    assert "第 2 個，共 2 個" in said
    assert '"test": "在測試集上做 McNemar' in (tmp_path / "c/compare.json").read_text("utf-8")


def test_a_search_speaks_chinese(digits, tmp_path):
    def work(screen):
        vary = ["batch_size=128,256"]
        search(digits, CONFIG, trials=2, space=vary, run=tmp_path / "s", screen=screen)

    said = printed_by(work)
    assert english_in(said) == []
    assert " 試驗    驗證    回合     秒數  batch_size" in said
    with using("zh"), pytest.raises(ConvlensError, match="這次搜尋已經完成"):
        resume_search(digits, tmp_path / "s")


def test_a_stop_is_explained_in_chinese(digits, tmp_path):
    with using("zh"):
        setup = Setup.create(prepare_data(digits, CONFIG), CONFIG, choose_network(CONFIG))
        run = Run.create(tmp_path / "stopped", "")
        setup.describe(run)
        with pytest.raises(Interrupted, match=r"^在第 1 回合的第 1 步.共 5 步.中斷。") as stop:
            Trainer(setup, QUIET).run(run, stop_requested=lambda: True)
    assert english_in(str(stop.value)) == []


def own_model():
    inputs = keras.Input((8, 8, 2))
    return keras.Model(inputs, keras.layers.Flatten()(inputs), name="functional")


MISTAKES = {
    "compare: one network": lambda data: compare(data, ["logistic"]),
    "compare: twice": lambda data: compare(data, ["logistic", "logistic"]),
    "compare: no time": lambda data: compare(data, ["logistic", "lenet5"], minutes=0),
    "compare: too small": lambda data: compare(data, ["logistic", "lenet5"], CONFIG),
    "compare: nothing to rank on": lambda data: compare(
        data, ["logistic", "fashion_mlp"], CONFIG.replace(val=0.0)
    ),
    "compare: nothing to score on": lambda data: compare(
        data, ["logistic", "fashion_mlp"], CONFIG.replace(test=0.0)
    ),
    "compare: missing": lambda data: open_comparison("none here"),
    "search: one trial": lambda data: search(data, CONFIG, trials=1),
    "search: no time": lambda data: search(data, CONFIG, trials=2, minutes=0),
    "search: nothing to rank on": lambda data: search(data, CONFIG.replace(val=0.0), trials=2),
    "vary: no values": lambda data: parse_vary(["dropout"]),
    "vary: twice": lambda data: parse_vary(["batch_size=1,2", "batch_size=1,2"]),
    "vary: unknown": lambda data: parse_vary(["epochs=1,2"]),
    "vary: one value": lambda data: parse_vary(["batch_size=1"]),
    "vary: down": lambda data: parse_vary(["dropout=0.5..0.1"]),
    "vary: below 0": lambda data: parse_vary(["learning_rate=0..1"]),
    "vary: no number": lambda data: parse_vary(["dropout=a,b"]),
    "vary: no list": lambda data: parse_vary(["filters=a|b"]),
    "folds: one": lambda data: cross_validate(data, CONFIG, 1),
    "few: one draw": lambda data: train_on_few(data, CONFIG, 1, draws=1),
    "few: too many": lambda data: train_on_few(data, CONFIG, 999),
    "few: no test": lambda data: train_on_few(data, CONFIG.replace(test=0.0), 1),
    "budget: no unit": lambda data: parse_duration("9"),
    "budget: zero": lambda data: parse_duration("0s"),
    "budget: one step": lambda data: plan(1, Costs(9.0), 9),
    "budget: too short": lambda data: Clock(1).require(9, "解碼"),
    "a model of two channels": lambda data: choose_network(CONFIG, own_model()),
    "a backbone without weights": lambda data: choose_origin(Config().replace(backbone="lenet5")),
    "an unknown backbone": lambda data: choose_origin(Config().replace(backbone="resnet0")),
    "a missing classifier": lambda data: Classifier.load("missing.keras"),
    "an engine": lambda data: compile_model(own_model(), engine="other"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_explained_in_chinese(name, digits):
    with using("zh"), pytest.raises(ConvlensError) as chinese:
        MISTAKES[name](digits)
    said = chinese.value.args[0]
    assert CHINESE.search(said)
    assert set(english_in(said)) <= {*QUOTED, *list_models()}


@pytest.mark.parametrize(("seconds", "missing"), [(60, None), (30, None), (5, None), (60, 0)])
def test_what_fits_into_a_time_budget_is_explained_in_chinese(seconds, missing):
    costs = BackboneCosts(0.002, wanted=4000, feature=0.004, rest=10, missing=missing)
    slower = BackboneCosts(0.002, wanted=4000, feature=0.04, rest=10)
    with using("zh"):
        options = [("all", Costs(1.0)), ("9", Costs(0.4)), ("conv*", Costs(0.1))]
        reasons = [choose_side(one, seconds).reason for one in (costs, slower)]
        reasons.append(choose_tuning(options, seconds, steps_per_pass=50).reason)
    for reason in reasons:
        assert CHINESE.search(reason)
        assert set(english_in(reason)) <= {"conv"}
    english = [again(reason) for reason in reasons]
    assert [reason for reason in english if CHINESE.search(reason)] == []
