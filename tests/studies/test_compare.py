import json
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from convlens.budget.plan import Costs
from convlens.checksums import unseal
from convlens.config import Config
from convlens.data.cache import cache_folder
from convlens.data.sources import load_data
from convlens.errors import (
    ConfigError,
    DataError,
    Interrupted,
    ModelError,
    RunError,
    TrainingError,
)
from convlens.language import _ as text
from convlens.language import recalled, recorded
from convlens.language_choice import using
from convlens.run import Run
from convlens.run_check import WHOLE, check_files
from convlens.screen import Screen
from convlens.studies import compare as compare_module
from convlens.studies import recipes
from convlens.studies.compare import FACTS, compare, open_comparison, resume_comparison
from convlens.training import fit as fit_module
from tests.conftest import without_charts
from tests.trainings import recording

pytestmark = pytest.mark.usefixtures("no_charts")
QUIET = Screen(quiet=True)
CONFIG = Config().replace(
    filters=(4,), dense=(), batch_size=16, size="32", optimizer="momentum", learning_rate=0.01
)
NAMES = ["custom_cnn", "fashion_mlp", "mnist_tanh"]
MINUTES = 1


@pytest.fixture(scope="module")
def images(shapes):
    return load_data(str(shapes))


@pytest.fixture(scope="module", autouse=True)
def _measured():
    """Use made-up costs, so that a minute is 5 epochs of 5 steps on every machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "measure_costs", lambda trainer, seconds: Costs(2.0, 1.0, 0.4))
        yield


@pytest.fixture(scope="module")
def done(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare") / "all"
    with without_charts(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVLENS_CACHE", str(tmp_path_factory.mktemp("cache")))
        comparison = compare(images, NAMES, CONFIG, minutes=MINUTES, run=folder, screen=QUIET)
        stores = list((cache_folder() / "store").glob("*.npy"))
    return comparison, stores


def test_every_network_has_a_run_of_its_own_with_the_same_recipe_and_division(done):
    comparison, stores = done
    assert len(stores) == 1  # decoded once
    runs = [Run(comparison.folder / name) for name in NAMES]
    assert [run.config.model.model for run in runs] == NAMES
    configs = [run.config.replace(model="custom_cnn", epochs=1, steps_per_epoch=1) for run in runs]
    assert configs[0] == configs[1] == configs[2]
    assert len({json.dumps(run.data["splits"]) for run in runs}) == 1
    lists = [*comparison.folder.rglob("images.npz")]
    assert lists == [comparison.folder / "state" / "images.npz"]
    for run in runs:
        assert (run.config.training.epochs, run.config.training.steps_per_epoch) == (5, 5)
        assert len(run.history) == 5
        assert (run.folder / "report.html").exists()
        assert run.report["test_evaluations"] == 1
    assert runs[2].classifier().preprocessing.scale == 1.0  # made for pixels that are not scaled
    assert runs[0].classifier().preprocessing.scale == pytest.approx(1 / 255)


def test_the_numbers_are_those_of_the_runs(done, images):
    comparison, _ = done
    facts = comparison.read(FACTS)
    assert facts["models"] == NAMES
    assert facts["minutes"] == MINUTES
    rows = {row["model"]: row for row in facts["ranking"]}
    assert set(rows) == set(NAMES)
    values = [row["validation"]["value"] for row in facts["ranking"]]
    assert values == sorted(values, reverse=True)
    for name, row in rows.items():
        run = Run(comparison.folder / name)
        assert row["test"] == run.report["metrics"]["accuracy"]
        best = max(entry["val_accuracy"] for entry in run.history)
        assert row["validation"]["value"] == pytest.approx(
            best, abs=0.051
        )  # one of 20 images: bfloat16, float32
        assert row["validation"]["n"] == len(run.data["splits"]["val"])
        assert row["parameters"] == run.classifier().model.count_params()
        assert 0 < row["milliseconds"] < 1000
        assert 0 < row["seconds"] < 60
    assert rows["fashion_mlp"]["multiply_adds"] == 32 * 32 * 3 * 128 + 128 * 2
    assert (comparison.folder / "plots" / "tradeoff.png").exists()
    assert (comparison.folder / "plots" / "growth.png").exists()


def test_the_paired_test_is_of_the_answers_to_the_test_images(done, images):
    comparison, _ = done
    found = comparison.read(FACTS)["paired_test"]
    test = np.array(Run(comparison.folder / NAMES[0]).data["splits"]["test"])
    right = []
    for name in found["models"]:
        classifier = Run(comparison.folder / name).classifier()
        answers = [one.label for one in classifier.predict([images.images[i] for i in test])]
        right.append(np.array(answers) == np.array(images.class_names)[images.labels[test]])
    expected = [[int((a & ~b).sum()) for b in right] for a in right]
    assert found["only_row_right"] == expected
    assert len(found["pairs"]) == len(found["verdicts"]) == 3


def test_a_finished_comparison_is_not_resumed_nor_overwritten(done, images):
    comparison, _ = done
    with pytest.raises(RunError, match="finished"):
        resume_comparison(images, comparison.folder, QUIET)
    with pytest.raises(RunError, match="does not exist yet"):
        compare(images, NAMES, CONFIG, run=comparison.folder, screen=QUIET)


@pytest.mark.slow
def test_a_stopped_comparison_goes_on_and_trains_nothing_twice(done, images, tmp_path, monkeypatch):
    real = fit_module._Checkpoint.on_train_batch_end

    def press(self, batch, logs=None):
        if self.run.folder.name == NAMES[1] and self.state.epoch == 2:
            signal.raise_signal(signal.SIGINT)
        real(self, batch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(fit_module._Checkpoint, "on_train_batch_end", press)
        with pytest.raises(Interrupted, match=r"convlens compare --run .*stopped --resume"):
            compare(
                images, NAMES[:2], CONFIG, minutes=MINUTES, run=tmp_path / "stopped", screen=QUIET
            )
    stopped = open_comparison(tmp_path / "stopped")
    assert "ranking" not in stopped.read(FACTS)
    trained = stopped.folder / NAMES[0] / "trained.json"
    before = trained.stat().st_mtime_ns
    resume_comparison(images, stopped.folder, QUIET)
    assert trained.stat().st_mtime_ns == before
    whole = done[0]
    for name in NAMES[:2]:
        first, second = (
            Run(one.folder / name).classifier().model.get_weights() for one in (whole, stopped)
        )
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True)), name
        assert Run(stopped.folder / name).report["test_evaluations"] == 1


def test_why_a_network_stopped_is_said_in_the_language_of_whoever_goes_on(tmp_path, monkeypatch):
    def burst(*_):
        said = text("{folder}: a comparison needs images to score on.")
        raise TrainingError(said.format(folder=run.folder))

    run = Run.create(tmp_path / "network", "")
    run.write("run.toml", CONFIG.to_toml())
    monkeypatch.setattr(compare_module, "open_trainer", lambda *_: None)
    monkeypatch.setattr(compare_module, "for_network", lambda *_: None)
    monkeypatch.setattr(compare_module, "train_for", burst)
    with using("zh"):
        compare_module.train_network(run, None, QUIET, 1.0)
    note = recalled(run.read("trained.json")["note"])
    assert note == f"{run.folder}: a comparison needs images to score on."


def test_other_images_are_refused_on_resume(done, images, tmp_path):
    shutil.copytree(done[0].folder, tmp_path / "copy")
    copy = Run(tmp_path / "copy")
    unseal(copy.folder)
    facts = copy.read(FACTS)
    copy.write(FACTS, json.dumps({name: facts[name] for name in ("models", "minutes", "path")}))
    screen, said = recording()
    with pytest.raises(RunError, match="not the images"):
        resume_comparison(load_data("digits"), copy.folder, screen)
    assert "goes on" not in said.getvalue()


@pytest.mark.slow
def test_a_network_that_diverges_is_left_out_and_the_others_go_on(images, tmp_path, monkeypatch):
    real = fit_module._Checkpoint.on_train_batch_end

    def burst(self, batch, logs=None):
        real(
            self,
            batch,
            {**(logs or {}), "loss": float("nan")} if self.run.folder.name in broken else logs,
        )

    monkeypatch.setattr(fit_module._Checkpoint, "on_train_batch_end", burst)
    broken = {NAMES[1]}
    monkeypatch.chdir(tmp_path)
    comparison = compare(images, NAMES[:2], CONFIG, minutes=MINUTES, screen=QUIET)
    assert comparison.folder == Path("runs") / f"{images.name}-compare"
    assert [row["model"] for row in comparison.read(FACTS)["ranking"]] == [NAMES[0]]
    assert comparison.read(FACTS)["paired_test"]["pairs"] == []
    assert {one.verdict for one in check_files(comparison.folder)} == {WHOLE}
    broken = set(NAMES)
    with pytest.raises(TrainingError, match="none of the networks"):
        compare(images, NAMES[:2], CONFIG, minutes=MINUTES, run=tmp_path / "none", screen=QUIET)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"minutes": 0}, ConfigError, "--minutes must be more than 0; found 0"),
        ({"minutes": -1}, ConfigError, "--minutes must be more than 0; found -1"),
        ({"minutes": float("nan")}, ConfigError, "--minutes must be more than 0"),
        ({"minutes": float("inf")}, ConfigError, "--minutes must be more than 0"),
        (
            {"minutes": 0.05},
            ConfigError,
            r"--minutes 0.05 is too short for custom_cnn, mnist_tanh: .* 0.06 minutes",
        ),
        ({"config": CONFIG.replace(test=0.0)}, DataError, "needs test images"),
        ({"config": CONFIG.replace(val=0.0)}, DataError, "needs validation images"),
        (
            {"config": CONFIG.replace(size="8")},
            ModelError,
            "mnist_tanh needs images of at least 14 x 14 pixels",
        ),
    ],
)
def test_nothing_is_trained_or_left_where_it_cannot_end_well(
    options, error, said, images, tmp_path
):
    settings = {"config": CONFIG, "minutes": MINUTES} | options
    with pytest.raises(error, match=said):
        compare(
            images, ["custom_cnn", "mnist_tanh"], run=tmp_path / "none", screen=QUIET, **settings
        )
    assert not (tmp_path / "none").exists()


def test_a_comparison_is_opened_by_its_name_and_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = Run.create(tmp_path / "runs" / "mine", "")
    made.write(FACTS, '{"models": ["a", "b"], "minutes": 2}')
    assert open_comparison(made.folder) == made
    assert open_comparison("mine").read(FACTS) == {"models": ["a", "b"], "minutes": 2}


def test_comparisons_that_exist_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match=r"with compare.json\.$"):
        open_comparison("none")
    for name in ("two", "one"):
        Run.create(tmp_path / "runs" / name, "").write(FACTS, "{}")
    with pytest.raises(RunError, match=r"Comparisons here: one, two\.$"):
        open_comparison("none")


def test_a_network_that_fails_after_a_kill_in_its_first_epochs_is_ranked_by_what_is_left(
    done, images, tmp_path, monkeypatch
):
    """Its classifier is there, but it began anew, and has no epoch."""

    def lack(trainer, run, seconds):
        run.write_history([])
        raise TrainingError("the memory is not enough for this training.")

    shutil.copytree(done[0].folder, tmp_path / "killed")
    killed = Run(tmp_path / "killed")
    unseal(killed.folder)
    facts = killed.read(FACTS)
    killed.write(FACTS, json.dumps({name: facts[name] for name in ("models", "minutes", "path")}))
    (killed.folder / NAMES[1] / "trained.json").unlink()
    monkeypatch.setattr(compare_module, "train_for", lack)
    resume_comparison(images, killed.folder, QUIET)
    rows = {row["model"]: row for row in killed.read(FACTS)["ranking"]}
    assert [rows[name]["epochs"] for name in NAMES] == [5, 0, 5]
    assert rows[NAMES[1]]["note"] == "the memory is not enough for this training."


def test_what_the_audit_has_found_is_in_the_reports_of_a_comparison_that_goes_on(
    done, images, tmp_path
):
    killed = Run(Path(shutil.copytree(done[0].folder, tmp_path / "killed")))
    first = Run(killed.folder / NAMES[0])
    audit = first.data["audit"] | {"notes": [recorded("a note of the audit")]}
    first.write("data.json", json.dumps(first.data | {"audit": audit}))
    (first.folder / "SHA256SUMS").unlink()
    (killed.folder / "SHA256SUMS").unlink()
    facts = killed.read(FACTS)
    killed.write(FACTS, json.dumps({name: facts[name] for name in ("models", "minutes", "path")}))
    resume_comparison(images, killed.folder, QUIET)
    assert "a note of the audit" in (first.folder / "report.html").read_text(encoding="utf-8")
