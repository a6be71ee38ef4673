"""Images that are decoded while the engine is imported are those that the training decodes."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from convlens.cli.starting import open_images
from convlens.config import Config
from convlens.data import ahead, store
from convlens.data.ahead import decoded_ahead
from convlens.data.input_shape import choose_preprocessing
from convlens.data.limited import limited
from convlens.data.sources import load_data
from convlens.data.store import is_stored, open_store

CONFIG = Config().replace(size="24")


@pytest.fixture
def dataset(shapes):
    return load_data(shapes)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def processes(monkeypatch):
    """Start processes as if no engine was imported, for data sets of any size; note them."""
    started = []
    real = subprocess.Popen

    def start(*args, **options):
        started.append(real(*args, **options))
        return started[-1]

    monkeypatch.setattr(ahead.subprocess, "Popen", start)
    monkeypatch.setattr(ahead, "FEWEST", 1)
    monkeypatch.setattr(ahead.os, "cpu_count", lambda: 2)
    monkeypatch.delitem(sys.modules, "keras")
    return started


def wait_until(condition):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_what_is_decoded_ahead_is_what_the_training_decodes(
    dataset, cache, processes, monkeypatch, tmp_path
):
    wanted = choose_preprocessing(dataset, CONFIG.data)
    with decoded_ahead(dataset, CONFIG):
        wait_until(lambda: list(cache.glob("looks/*.npz")))  # the copies come last
        processes[0].wait()
    assert processes[0].returncode == 0
    assert is_stored(dataset, wanted)
    with monkeypatch.context() as context:
        context.setattr(store, "decode_all", None)  # nothing is left to decode
        found = open_store(dataset, wanted)
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "another"))
    expected = open_store(dataset, wanted)
    assert np.array_equal(found.images, expected.images)
    assert np.array_equal(found.looks, expected.looks)
    assert not Path(processes[0].args[-1]).exists()


def test_only_what_a_limit_leaves_is_decoded_ahead(dataset, cache, processes):
    config = CONFIG.replace(limit=30, seed=3)
    with decoded_ahead(dataset, config):
        processes[0].wait()
    fewer = limited(dataset, config)[0]
    assert is_stored(fewer, choose_preprocessing(fewer, config.data))


def test_the_process_ends_with_the_block_even_at_ctrl_c(dataset, cache, processes):
    with pytest.raises(KeyboardInterrupt), decoded_ahead(dataset, CONFIG):
        raise KeyboardInterrupt
    assert processes[0].returncode is not None
    assert not Path(processes[0].args[-1]).exists()
    assert open_store(dataset, choose_preprocessing(dataset, CONFIG.data)).usable.all()


def test_a_closed_input_stops_the_decoding_and_keeps_it(dataset, cache, monkeypatch, tmp_path):
    """The first report of progress stops it, after which another start goes on."""
    asked = tmp_path / "asked.json"
    said = {"images": list(map(str, dataset.images)), "labels": dataset.labels.tolist()}
    said |= {"class_names": dataset.class_names, "splits": None, "seed": 0}
    asked.write_text(json.dumps(said | {"data": vars(CONFIG.data)}))
    ended = subprocess.run(
        [sys.executable, "-m", "convlens.data.ahead", str(asked)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not is_stored(dataset, choose_preprocessing(dataset, CONFIG.data))


def test_no_process_can_be_started(dataset, cache, processes, monkeypatch):
    def fail(*args, **options):
        raise OSError("no more processes")

    monkeypatch.setattr(ahead.subprocess, "Popen", fail)
    with decoded_ahead(dataset, CONFIG):
        pass


@pytest.mark.parametrize("model", ["small_resnet", "fast_cnn"])
def test_the_usual_networks_take_images_of_any_size(dataset, processes, model):
    with decoded_ahead(dataset, CONFIG.replace(size="auto", model=model)):
        assert processes


@pytest.mark.parametrize(
    "change",
    [
        {"size": "auto", "model": "resnet18"},
        {"backbone": "efficientnet_lite0"},
    ],
)
def test_nothing_is_decoded_ahead_where_the_network_may_decide_the_size(dataset, processes, change):
    with decoded_ahead(dataset, CONFIG.replace(**change)):
        assert not processes


def test_nothing_is_decoded_ahead_without_files_or_without_an_idle_processor(
    dataset, processes, monkeypatch
):
    with decoded_ahead(load_data("digits"), CONFIG):
        assert not processes
    monkeypatch.setattr(ahead, "FEWEST", 1000)
    with decoded_ahead(dataset, CONFIG):
        assert not processes
    monkeypatch.setattr(ahead, "FEWEST", 1)
    monkeypatch.setattr(ahead.os, "cpu_count", lambda: 1)
    with decoded_ahead(dataset, CONFIG):
        assert not processes
    monkeypatch.setattr(ahead.os, "cpu_count", lambda: 2)
    monkeypatch.setitem(sys.modules, "keras", object())
    with decoded_ahead(dataset, CONFIG):
        assert not processes


def test_the_command_decodes_ahead_if_it_trains_from_scratch(shapes, monkeypatch):
    asked = []
    monkeypatch.setattr(ahead, "_is_worthwhile", lambda *given: asked.append(given))
    open_images(str(shapes), CONFIG)
    assert not asked
    open_images(str(shapes), CONFIG, ahead=True)
    assert len(asked) == 1
