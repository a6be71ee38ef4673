"""Trainings on few images: one recipe trained several times, each time on other images."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from convlens.cli import main
from convlens.config import Config
from convlens.data.sources import load_data
from convlens.errors import ConfigError, DataError, Interrupted, RunError
from convlens.evaluation.metrics import wilson
from convlens.pipeline import train
from convlens.report.again import score_again
from convlens.run import Run
from convlens.run_check import WHOLE, check_files
from convlens.screen import Screen
from convlens.studies import few as few_module
from convlens.studies.draws import mean_of_draws
from convlens.studies.few import resume_few, train_on_few
from tests.conftest import without_charts, without_maps
from tests.trainings import press_ctrl_c, recording, same_weights

QUIET = Screen(quiet=True)
SCRATCH = Config().replace(
    model="custom_cnn",
    filters=(6,),
    dense=(),
    epochs=2,
    optimizer="momentum",
    batch_size=16,
    limit=400,
    precision="float32",
)
K, DRAWS = 4, 3


@pytest.fixture(scope="module")
def head(digits, backbone, tmp_path_factory):
    """A head on a tiny backbone, learned from 4 images a class, three times."""
    config = Config().replace(backbone=str(backbone), pooling="none", limit=400)
    folder = tmp_path_factory.mktemp("few") / "run"
    with without_charts(), without_maps():
        return train_on_few(digits, config, K, draws=DRAWS, run=folder, screen=QUIET)


@pytest.fixture(scope="module")
def scratch(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("few") / "run"
    with without_charts():
        return train_on_few(digits, SCRATCH, 2, draws=2, run=folder, screen=QUIET)


@pytest.mark.parametrize(
    ("name", "k", "draws"),
    [("head", K, DRAWS), pytest.param("scratch", 2, 2, marks=pytest.mark.slow)],
)
def test_each_draw_has_other_images_k_of_each_class_and_none_of_the_test_set(
    name, k, draws, digits, request
):
    run = request.getfixturevalue(name)
    splits = [Run(run.folder / f"draw-{number}").data["splits"] for number in range(1, draws + 1)]
    tests = {tuple(one["test"]) for one in splits}
    assert len(tests) == 1
    assert len({tuple(one["train"]) for one in splits}) == draws
    for one in splits:
        assert np.bincount(digits.labels[one["train"]]).tolist() == [k] * digits.num_classes
        assert one["val"] == []
        assert not set(one["train"]) & set(one["test"])
    assert not (run.folder / f"draw-{draws + 1}").exists()


@pytest.mark.parametrize("name", ["head", "scratch"])
def test_the_report_has_the_mean_of_the_draws_with_its_interval(name, request):
    run = request.getfixturevalue(name)
    inner = [Run(path).report for path in sorted(run.folder.glob("draw-*"))]
    values = [report["metrics"]["accuracy"]["value"] for report in inner]
    found = run.report["metrics"]["accuracy"]
    assert found == mean_of_draws(values, inner[0]["n"]).to_dict()
    assert [one["value"] for one in run.report["draws"]] == values
    assert run.report["test_evaluations"] == len(values)
    assert all(report["test_evaluations"] == 1 for report in inner)
    assert all(report["n"] == len(run.data["splits"]["test"]) for report in inner)
    with (run.folder / "draws.csv").open() as file:
        assert [float(row["accuracy"]) for row in csv.DictReader(file)] == values
    assert (run.folder / "plots" / "draws.png").exists()


def test_the_head_has_learned_something_from_few(head):
    assert head.report["few"] == K
    assert head.report["metrics"]["accuracy"]["value"] > 0.4  # by chance 0.1


def test_the_runs_classifier_is_the_first_draws(head):
    first = Run(head.folder / "draw-1")
    assert head.classifier_path.read_bytes() == first.classifier_path.read_bytes()
    assert head.classifier().temperature == 1  # nothing calibrates
    assert head.data["few"] == K
    assert head.data["draws"] == DRAWS


@pytest.mark.slow
def test_the_same_seed_draws_the_same_images(digits, backbone, head, tmp_path):
    config = Config().replace(backbone=str(backbone), pooling="none", limit=400)
    again = train_on_few(digits, config, K, draws=2, run=tmp_path / "run", screen=QUIET)
    assert again.report["draws"] == head.report["draws"][:2]


def test_it_is_several_trainings_none_of_which_is_scored_or_resumed_as_a_whole(head, digits):
    with pytest.raises(RunError, match="mean over draws"):
        score_again(head, head.classifier(), digits, QUIET)
    with pytest.raises(RunError, match="finished"):
        train(digits, run=head.folder, resume=True, screen=QUIET)


@pytest.mark.usefixtures("no_charts")
def test_a_killed_one_goes_on_with_the_draws_that_are_left(scratch, digits, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, 6)  # a draw has 2 epochs of 2 steps
        with pytest.raises(Interrupted, match=r"1 of 2 draws .* --run \S+stopped --resume"):
            train_on_few(digits, SCRATCH, 2, draws=2, run=tmp_path / "stopped", screen=QUIET)
    stopped = Run(tmp_path / "stopped")
    with pytest.raises(RunError, match=r"several trainings\. Continue .* --resume"):
        train(digits, run=stopped.folder, resume=True, screen=QUIET)
    screen, said = recording()
    with pytest.raises(RunError, match="not the images"):
        resume_few(load_data("mnist5k"), stopped.folder, screen)
    assert "goes on" not in said.getvalue()
    kept = (stopped.folder / "draw-1" / "report.json").stat().st_mtime_ns
    resume_few(digits, stopped.folder, screen)
    assert "goes on; done so far: draws 1 of 2\n" in said.getvalue()
    assert (stopped.folder / "draw-1" / "report.json").stat().st_mtime_ns == kept
    assert stopped.report["draws"] == scratch.report["draws"]
    for name in ("draw-1", "draw-2", ""):
        assert same_weights(Run(stopped.folder / name), Run(scratch.folder / name))


@pytest.mark.usefixtures("no_charts")
def test_a_draw_that_was_killed_after_its_report_gets_its_checksums(scratch, digits, tmp_path):
    run = Run(Path(shutil.copytree(scratch.folder, tmp_path / "killed")))
    for name in ("report.json", "SHA256SUMS", "draw-1/SHA256SUMS"):
        (run.folder / name).unlink()
    resume_few(digits, run.folder, QUIET)
    assert {one.verdict for one in check_files(run.folder)} == {WHOLE}


def test_one_of_an_earlier_release_cannot_be_continued(scratch, digits, tmp_path):
    run = Run(Path(shutil.copytree(scratch.folder, tmp_path / "earlier")))
    (run.folder / "report.json").unlink()
    (run.folder / "asked.toml").unlink()
    with pytest.raises(RunError, match=r"an earlier convlens made this run"):
        resume_few(digits, run.folder, QUIET)


def test_a_mean_of_shares_stays_a_share():
    score = mean_of_draws([0.99, 1.0, 0.90], 100)
    assert score.high == 1
    assert json.dumps(score.to_dict())


def test_a_mean_has_the_uncertainty_of_draws_and_of_images():
    values = [0.79, 0.80, 0.84]
    many = mean_of_draws(values, 10**9)
    assert (many.low, many.high) == pytest.approx(
        stats.t.interval(0.95, 2, np.mean(values), stats.sem(values)), abs=1e-4
    )
    alike = mean_of_draws([0.81] * 3, 100)
    assert (alike.low, alike.high) == pytest.approx((wilson(81, 100).low, wilson(81, 100).high))
    few = mean_of_draws(values, 100)
    assert few.low < many.low
    assert few.low < wilson(81, 100).low


def test_too_few_images(digits, tmp_path):
    with pytest.raises(
        DataError,
        match=r"--few 1000 needs 1000 images of every class outside the test set; '\d' has",
    ):
        train_on_few(digits, SCRATCH, 1000, run=tmp_path / "run", screen=QUIET)
    with pytest.raises(DataError, match=r"there are none\. Leave --test at its default"):
        train_on_few(digits, SCRATCH.replace(test=0.0), 2, run=tmp_path / "run", screen=QUIET)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("k", "draws", "said"),
    [
        (0, 5, r"^--few must be at least 1; found 0\.$"),
        (-1, 5, r"^--few must be at least 1; found -1\.$"),
        (5, 0, r"^--draws must be at least 2; found 0\.$"),
        (5, 1, r"^--draws must be at least 2; found 1\.$"),
    ],
)
def test_numbers_below_their_least(digits, k, draws, said):
    with pytest.raises(ConfigError, match=said):
        train_on_few(digits, SCRATCH, k, draws=draws, screen=QUIET)


def test_no_draws_on_the_command_line(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["train", "digits", "--few", "2", "--draws", "0"])
    assert stopped.value.code == 2
    assert "--draws must be at least 2; found 0." in capsys.readouterr().err


def test_ctrl_c_while_the_mean_is_written_says_how_to_go_on(scratch, digits, tmp_path, monkeypatch):
    def press(*_):
        raise KeyboardInterrupt

    shutil.copytree(scratch.folder, tmp_path / "stopped")
    (tmp_path / "stopped" / "report.json").unlink()
    monkeypatch.setattr(few_module, "write_draws", press)
    with pytest.raises(Interrupted, match=r"2 of 2 draws .* --run \S+stopped --resume"):
        resume_few(digits, tmp_path / "stopped", QUIET)
