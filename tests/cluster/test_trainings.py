"""Trainings on a cluster give what they give on one machine, bit for bit."""

import csv
import errno
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

pytest.importorskip("ray")

from convlens import hidden
from convlens.budget.plan import Costs
from convlens.cluster.connection import connect
from convlens.cluster.trainings import OnCluster, pack, unpack
from convlens.cluster.travel import Travelled, packed_for_travel, unpacked
from convlens.config import Config
from convlens.data.prepared import prepare_data
from convlens.data.sources import load_data
from convlens.errors import ClusterError, DataError, Interrupted, StorageError
from convlens.run import Run
from convlens.studies import journal, recipes
from convlens.studies import search as search_module
from convlens.studies.compare import compare
from convlens.studies.cross_validation import cross_validate
from convlens.studies.few import train_on_few
from convlens.studies.places import Here, Job
from convlens.studies.search import resume_search, search
from convlens.studies.space import Choices, Range
from tests.cli.commands import run as run_command
from tests.cluster.training_jobs import die_once, refuse, tell
from tests.conftest import without_charts
from tests.trainings import QUIET, columns, same_weights

SPACE = {"dropout": Range(0.0, 0.5), "learning_rate": Choices((0.1, 1e-9))}
CONFIG = Config().replace(
    model="custom_cnn",
    filters=(8,),
    dense=(),
    epochs=3,
    limit=300,
    audit=False,  # which says how long it took, and leaves out what would take too long
    batch_size=16,
    augment="light",
    optimizer="momentum",
    seed=2,  # with which the third of the six trials learns nothing, and is stopped early
)
TRIALS = 6
TIMES = ("began", "seconds")


@pytest.fixture(scope="module", autouse=True)
def _soon():
    """Judge and estimate from the second generation on, and draw no charts."""
    with without_charts(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "STARTUP", 2)
        yield


@pytest.fixture(scope="module")
def cluster(connected):
    with connect(connected) as nodes:
        yield OnCluster(nodes, nodes.nodes[0].cpus)


def table(found):
    """Return the rows of trials.csv without the seconds."""
    with (found.folder / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: text for name, text in row.items() if name not in TIMES} for row in rows]


def files(run):
    """Return the names of the files of a run, those of TensorBoard by their folders.

    The nodes draw the mistakes, which the process of the tests does not.
    """
    found = (path.relative_to(run.folder) for path in run.folder.rglob("*") if path.is_file())
    names = (path.parent if "events" in path.name else path for path in found)
    return sorted(str(path) for path in names if path.name != "mistakes.png")


def require_equal(one, other):
    """Check that two trainings have the same files, settings, epochs, images and weights."""
    assert files(one) == files(other)
    assert one.config == other.config
    assert columns(one) == columns(other)
    data = [{k: v for k, v in run.data.items() if k not in TIMES} for run in (one, other)]
    assert data[0] == data[1]
    assert same_weights(one, other)


@pytest.fixture(scope="module")
def here(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("here") / "search"
    return search(
        digits, CONFIG, trials=TRIALS, space=SPACE, generation=2, run=folder, screen=QUIET
    )


def test_a_search_has_the_same_table_and_the_same_best_trial(here, digits, cluster, tmp_path):
    there = search(
        digits,
        CONFIG,
        trials=TRIALS,
        space=SPACE,
        generation=2,
        run=tmp_path / "search",
        screen=QUIET,
        place=cluster,
    )
    assert table(there) == table(here)
    assert "pruned" in {row["state"] for row in table(here)}
    assert there.best.folder.name == here.best.folder.name
    assert files(Run(there.folder)) == files(Run(here.folder))
    for trial in here.trials:
        require_equal(here.run(trial), there.run(trial))
    scores = ("validation", "metrics", "paired_test")
    facts = [Run(found.folder).read("search.json") for found in (here, there)]
    assert [facts[0][name] for name in scores] == [facts[1][name] for name in scores]


class _Stopped(OnCluster):
    """A cluster on which Ctrl-C is pressed after the first training of the second generation."""

    def each(self, work, jobs, shared, screen):
        for job, outcome in super().each(work, jobs, shared, screen):
            yield job, outcome
            if job.number >= 2:
                raise KeyboardInterrupt


def test_ctrl_c_keeps_what_is_done_and_the_rest_may_be_trained_anywhere(
    here, digits, cluster, tmp_path, monkeypatch
):
    place = _Stopped(cluster.cluster, cluster.threads)
    begin = partial(search, trials=TRIALS, space=SPACE, generation=2, screen=QUIET, place=place)
    with pytest.raises(Interrupted, match="--resume"):
        begin(digits, CONFIG, run=tmp_path / "search")
    trained = []
    train = search_module.train_trial

    def train_and_tell(run, *others):
        trained.append(run.folder.name)
        return train(run, *others)

    monkeypatch.setattr(search_module, "train_trial", train_and_tell)
    found = resume_search(digits, tmp_path / "search", QUIET, Here())
    assert len(trained) == TRIALS - 3
    assert table(found) == table(here)


def test_folds_are_the_same(digits, cluster, tmp_path):
    config = CONFIG.replace(epochs=2, learning_rate=0.1)
    runs = [
        cross_validate(digits, config, 2, run=tmp_path / name, screen=QUIET, place=place)
        for name, place in (("here", None), ("there", cluster))
    ]
    assert runs[0].report["metrics"] == runs[1].report["metrics"]
    for name in ("fold-1", "fold-2"):
        require_equal(*(Run(run.folder / name) for run in runs))


def test_draws_of_a_head_on_a_backbone_are_the_same(digits, backbone, cluster, tmp_path):
    config = Config().replace(backbone=str(backbone), pooling="none", limit=300, audit=False)
    runs = [
        train_on_few(digits, config, 3, draws=2, run=tmp_path / name, screen=QUIET, place=place)
        for name, place in (("here", None), ("there", cluster))
    ]
    assert runs[0].report["draws"] == runs[1].report["draws"]
    for name in ("draw-1", "draw-2"):
        require_equal(*(Run(run.folder / name) for run in runs))


def test_networks_of_a_comparison_are_the_same(digits, cluster, tmp_path, monkeypatch):
    # Made-up costs, with which ten minutes are five epochs of five steps on every machine.
    monkeypatch.setattr(recipes, "measure_costs", lambda trainer, seconds: Costs(20.0, 10.0, 4.0))
    names = ("custom_cnn", "fashion_mlp")
    runs = [
        compare(digits, names, CONFIG, minutes=10, run=tmp_path / name, screen=QUIET, place=place)
        for name, place in (("here", None), ("there", cluster))
    ]
    for name in names:
        require_equal(*(Run(run.folder / name) for run in runs))


def test_a_training_whose_process_dies_starts_again(cluster, tmp_path):
    job = Job(0, Run(tmp_path / "study" / "run"), (str(tmp_path / "mark"),))
    assert list(cluster.each(die_once, [job], None, QUIET)) == [(job, "done")]
    assert (tmp_path / "mark").exists()


def test_what_was_begun_travels_and_comes_back_in_its_place(cluster, tmp_path):
    run = Run(tmp_path / "study" / "run")
    (run.folder / "state").mkdir(parents=True)
    (run.folder / "old").write_text("before")
    job = Job(0, run, ("more",))
    assert list(cluster.each(tell, [job], {"shared": 1}, QUIET)) == [(job, "before")]
    assert (run.folder / "new").read_text() == "more {'shared': 1}"
    assert not (run.folder / "old").exists()
    assert not list(run.folder.parent.glob(".*"))


def test_an_error_names_the_node(cluster, tmp_path):
    job = Job(0, Run(tmp_path / "study" / "run"))
    with pytest.raises(DataError, match=r"^node \S+: there is nothing in it\.$"):
        list(cluster.each(refuse, [job], None, QUIET))


def test_a_node_with_too_few_processors_is_told(cluster, tmp_path):
    place = OnCluster(cluster.cluster, threads=1000)
    with pytest.raises(ClusterError, match=r"takes 1000 processors, .* Give --threads \d+\."):
        list(place.each(tell, [], None, QUIET))


def test_images_travel_once_and_without_their_files(shapes, monkeypatch, tmp_path):
    prepared = prepare_data(load_data(str(shapes)), Config())
    (packed,) = packed_for_travel((prepared,))
    assert type(packed.store.images) is np.ndarray
    assert packed.store.looks_file is None
    (back,) = unpacked((packed,))
    monkeypatch.chdir(tmp_path)
    assert isinstance(back.dataset, Travelled)
    assert back.to_dict() == prepared.to_dict()


def test_pixels_of_an_array_are_not_packed_twice(digits):
    prepared = prepare_data(digits, Config())
    back = unpacked(packed_for_travel(prepared))
    assert back.dataset.images.shape == digits.images.shape
    assert back.dataset.images.strides == (0, 0, 0)
    assert np.array_equal(back.store.images, prepared.store.images)
    assert replace(back, dataset=digits).fingerprint == prepared.fingerprint


def test_a_folder_is_packed_as_a_whole_without_the_content_of_its_lock(tmp_path):
    run = Run(tmp_path / "run")
    (run.folder / "state").mkdir(parents=True)
    (run.folder / "state" / "lock").write_text("somebody")
    (run.folder / "a").write_bytes(b"1")
    files = pack(run)
    assert files == {"a": b"1", "state/lock": b""}
    shutil.rmtree(run.folder)
    unpack(files, run)
    assert pack(run) == files
    assert pack(Run(tmp_path / "none")) == {}


def test_what_a_run_had_stays_until_all_that_comes_back_is_on_the_disk(tmp_path, monkeypatch):
    def fail(_folder):
        raise OSError(errno.EIO, "the disk fails")

    run = Run(tmp_path / "run")
    unpack({"a": b"1", "b": b"1"}, run)
    with monkeypatch.context() as patch:
        patch.setattr(hidden, "sync_folder", fail)
        with pytest.raises(StorageError):
            unpack({"a": b"2"}, run)
    assert pack(run) == {"a": b"1", "b": b"1"}
    unpack({"a": b"2"}, run)
    assert pack(run) == {"a": b"2"}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_search_as_a_user_types_it(shapes, cluster, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    settings = ("--vary", "dropout=0..0.5", "--filters", "4", "--dense", "8", "--size", "16")
    words = ("search", shapes, "--trials", "2", "--epochs", "1", *settings, "--run", "mine")
    assert run_command(*words, "--cluster", "local") == 0
    said = capsys.readouterr().out
    assert "trials.csv" in said
    assert (tmp_path / "runs" / "mine" / "trial-001" / "classifier.keras").exists()


def test_a_single_training_is_refused(shapes, capsys):
    assert run_command("train", shapes, "--cluster", "local") == 2
    assert "several trainings" in capsys.readouterr().err
