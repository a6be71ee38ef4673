"""Cross-validation: every image is scored once, also if the study is killed and continued."""

import io
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from rich.filesize import decimal

from convlens.config import Config
from convlens.errors import ConfigError, DataError, Interrupted, RunError
from convlens.pipeline import train
from convlens.report.again import score_again
from convlens.run import Run
from convlens.run_check import WHOLE, check_files
from convlens.screen import Screen
from convlens.studies import cross_validation
from convlens.studies.cross_validation import cross_validate, resume_cross_validation
from convlens.studies.several import once, without_rows
from convlens.transfer import head_stage
from convlens.transfer.head_stage import HeadStage
from tests.conftest import without_charts, without_maps
from tests.trainings import QUIET, press_ctrl_c, recording, same_weights

FOLDED = Config().replace(
    model="custom_cnn",
    filters=(8,),
    dense=(),
    dropout=0.0,
    epochs=4,
    limit=300,
    optimizer="momentum",
    learning_rate=0.1,
    batch_size=16,
    augment="none",
)


@pytest.fixture(scope="module")
def run(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("folds") / "run"
    with without_charts(), without_maps():
        return cross_validate(digits, FOLDED, 3, run=folder, screen=QUIET)


def test_every_image_is_scored_once_by_a_network_that_never_saw_it(run, digits):
    held = []
    for number in (1, 2, 3):
        data = type(run)(run.folder / f"fold-{number}").data
        assert not set(data["splits"]["test"]) & set(
            data["splits"]["train"] + data["splits"]["val"]
        )
        held += data["splits"]["test"]
    everything = run.data["splits"]["train"] + run.data["splits"]["val"]
    assert sorted(held) == sorted(everything)
    assert run.report["n"] == len(held)
    assert run.report["folds"] == 3
    assert run.report["metrics"]["accuracy"]["value"] > 0.5
    assert run.classifier().provenance["metrics"]["accuracy"] == run.report["metrics"]["accuracy"]
    each = [type(run)(run.folder / f"fold-{number}").classifier() for number in (1, 2, 3)]
    assert all(
        one.threshold for one in [*each, run.classifier()]
    )  # each calibrated on its own validation images
    assert len({one.temperature for one in each}) > 1
    assert run.report["threshold"] == run.classifier().threshold
    page = (run.folder / "report.html").read_text("utf-8")
    assert "is that of none of the folds" in page
    assert "the logits are divided by a temperature" not in page
    assert run.report["none_of_these"] is None
    with pytest.raises(RunError, match="scored every image once"):
        score_again(run, run.classifier(), digits, QUIET)
    with pytest.raises(RunError, match="is finished"):
        train(digits, run=run.folder, resume=True, screen=QUIET)
    assert np.isclose(run.classifier().probabilities(digits.images[:4, ..., None]).sum(), 4)


def seconds_of_epochs(run):
    """Return the seconds of all epochs of a cross-validation, as its histories have them."""
    runs = [Run(run.folder / name) for name in ("fold-1", "fold-2", "fold-3", "")]
    return sum(row["seconds"] for one in runs for row in one.history)


def test_the_seconds_of_the_report_are_those_of_all_networks(run):
    assert run.report["seconds"] == pytest.approx(seconds_of_epochs(run))
    assert run.report["seconds"] > sum(row["seconds"] for row in run.history)


def test_notes_of_every_fold_are_said_once_and_the_disk_is_planned(digits, tmp_path):
    said = io.StringIO()
    config = FOLDED.replace(epochs=1, limit=60, learning_rate=1e-6)
    screen = Screen(console=Console(file=said, width=200, highlight=False, soft_wrap=True))
    with without_charts(), without_maps():
        run = cross_validate(digits, config, 3, run=tmp_path / "run", screen=screen)
    assert said.getvalue().count("too few to calibrate") == 1
    size = decimal(4 * 4 * run.classifier().model.count_params())
    assert re.search(rf"^disk +{re.escape(size)} for 4 classifiers", said.getvalue(), re.M)


def test_every_file_of_a_finished_one_has_a_checksum_those_of_its_folds_too(run):
    assert {one.verdict for one in check_files(run.folder)} == {WHOLE}
    # The folds share the list of the images.
    assert [*run.folder.rglob("images.npz")] == [run.folder / "state" / "images.npz"]


@pytest.mark.usefixtures("no_charts")
@pytest.mark.parametrize("step", [pytest.param(5, marks=pytest.mark.slow), 70])
def test_a_killed_one_goes_on_with_the_same_bits(run, digits, tmp_path, monkeypatch, step):
    """A fold has 4 epochs of 12 steps or so: the first fold is stopped, or the second."""
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, step)
        with pytest.raises(Interrupted, match=r"finished folds keep .* --run \S+stopped --resume"):
            cross_validate(digits, FOLDED, 3, run=tmp_path / "stopped", screen=QUIET)
    stopped = Run(tmp_path / "stopped")
    resume_cross_validation(digits, stopped.folder, QUIET)
    assert stopped.report["metrics"] == run.report["metrics"]
    assert stopped.report["seconds"] == pytest.approx(seconds_of_epochs(stopped))
    for name in ("fold-1", "fold-2", "fold-3", ""):
        assert same_weights(Run(stopped.folder / name), Run(run.folder / name))


def test_one_fold_is_refused(digits, tmp_path):
    with pytest.raises(ConfigError, match="at least 2"):
        cross_validate(digits, FOLDED, 1, run=tmp_path / "run", screen=QUIET)


def test_a_class_with_fewer_different_images_than_folds_is_refused(digits, tmp_path):
    """scikit-learn only warns, and then holds no image of the class out in some folds."""
    eights = np.flatnonzero(digits.labels == 8)
    chosen = np.sort(np.r_[np.flatnonzero(digits.labels < 2)[:60], eights[:4], eights[:3]])
    few = replace(
        digits,
        images=digits.images[chosen],
        labels=np.unique(digits.labels[chosen], return_inverse=True)[1],
        class_names=("0", "1", "8"),
    )
    said = r"with --folds 5, every class needs 5 different images .* too few in '8' \(4\)\."
    with pytest.raises(DataError, match=said):
        cross_validate(few, FOLDED, 5, run=tmp_path / "run", screen=QUIET)
    assert not (tmp_path / "run").exists()


def press(*_, **__):
    raise KeyboardInterrupt


def test_ctrl_c_while_the_report_is_written_says_how_to_go_on(run, digits, tmp_path, monkeypatch):
    shutil.copytree(run.folder, tmp_path / "stopped")
    (tmp_path / "stopped" / "report.json").unlink()
    monkeypatch.setattr(cross_validation, "finish", press)
    with pytest.raises(Interrupted, match=r"finished folds keep .* --run \S+stopped --resume"):
        resume_cross_validation(digits, tmp_path / "stopped", QUIET)

    def press_at_the_end(outer, *_, **__):
        outer.write("report.json", "{}")
        raise KeyboardInterrupt

    monkeypatch.setattr(cross_validation, "finish", press_at_the_end)
    with pytest.raises(Interrupted, match=r"scores\. \S+stopped is finished; its result is there"):
        resume_cross_validation(digits, tmp_path / "stopped", QUIET)


@pytest.mark.usefixtures("no_charts")
def test_folds_are_scored_by_their_classifiers_where_kept_features_give_something_else(
    digits, backbone, tmp_path, monkeypatch
):
    monkeypatch.setattr(head_stage, "TOLERANCE", -1.0)
    prepare = HeadStage.prepare_scores
    prepared = []

    def watched(stage, run):
        prepared.append(prepare(stage, run))
        return prepared[-1]

    monkeypatch.setattr(HeadStage, "prepare_scores", watched)
    config = Config().replace(
        backbone=str(backbone), pooling="none", limit=120, precision="float32"
    )
    screen, said = recording()
    cross_validate(digits, config, 2, run=tmp_path / "run", screen=screen)
    assert prepared == [None] * 3  # two folds, and the training on all images
    trained = [Run(tmp_path / "run" / name).classifier() for name in ("fold-1", "fold-2", "")]
    seconds = sum(one.provenance["head_seconds"] for one in trained)
    assert Run(tmp_path / "run").report["seconds"] == pytest.approx(seconds)
    assert said.getvalue().count("are computed by the classifier in float32 instead") == 1


class Listing(Screen):
    """A screen of a user, which keeps what it is told."""

    def __init__(self):
        super().__init__(quiet=True)
        self.told = []
        self.count = 0

    def note(self, text):
        self.told.append(text)

    def fact(self, name, value):
        self.told.append((name, value))
        self.count += 1


def test_a_screen_of_a_user_is_told_everything_and_notes_once():
    screen = Listing()
    shown = once(screen)
    for _ in range(2):
        shown.note("no validation images")
        shown.fact("draw", "1")
    assert screen.told == ["no validation images", ("draw", "1"), ("draw", "1")]
    assert screen.count == 2
    assert without_rows(screen).rows is False
    assert screen.rows is True
