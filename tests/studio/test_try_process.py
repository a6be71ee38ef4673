"""The process that answers in the room in which a classifier is tried: when it begins and ends."""

import asyncio
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from convlens import backend
from convlens.classifier.classifier import Classifier
from convlens.errors import ClassifierError, ConvlensError
from convlens.studio import worker
from convlens.studio.problem import Problem
from convlens.studio.trying import answer_process, api, trying
from convlens.studio.trying.opened import Opened
from tests.studio.trying import asked_of_stopped, shape, trained  # noqa: F401 - a fixture


@pytest.fixture
def run(trained):  # noqa: F811
    """Return the folder of the run that is tried."""
    return trained / "runs" / "first"


def test_no_process_begins_once_the_studio_ends(run, monkeypatch):
    """Formerly who waited for an answer at Ctrl-C began another one."""
    monkeypatch.setattr(worker, "PATIENCE", 0.1)
    tried = trying.Trying()
    tried.open(run)
    asked = {"do": "answer", "name": "image.png"}
    process = tried._tried[run].worker
    answer = asked_of_stopped(process, lambda: tried.ask(run, asked, shape()))
    tried.close()
    with pytest.raises(Problem, match="the studio is being ended"):
        answer.result(120)
    with pytest.raises(Problem, match="the studio is being ended"):
        tried.open(run)
    assert tried.status(run)["state"] == "none"


@pytest.mark.skipif(not find_spec("openvino"), reason="needs the extra convlens[openvino]")
def test_a_classifier_answers_also_where_there_can_be_no_cache(run, tmp_path, monkeypatch):
    assert Opened(run).engine == "openvino"
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "file" / "cache"))
    opened = Opened(run)
    assert opened.engine == backend.engine()
    assert opened.answer(shape(), {"name": "image.png"})["label"] in ("bar", "disc")


@pytest.mark.skipif(not find_spec("openvino"), reason="needs the extra convlens[openvino]")
def test_no_other_classifier_is_explained_than_the_one_that_answers(run, tmp_path):
    """As while a training goes on: the kept network is of the epoch before."""
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    opened = Opened(copy)
    replace(Classifier.load(run), threshold=1.0).save(copy / "classifier.keras")
    with pytest.raises(ClassifierError, match="has changed since it was opened"):
        opened.explaining()
    assert Opened(copy).explaining().classifier.class_names == ("bar", "disc")


def test_what_nobody_waits_for_any_more_is_forgotten(monkeypatch):
    told, begun, ended = [], threading.Event(), threading.Event()

    class Slow:
        """What answers only after the client has gone."""

        def ask(self, _folder, asked, _content):
            told.append(asked["word"])
            begun.set()
            ended.wait(10)
            return {}

        def forget(self, word):
            told.append(word)
            ended.set()

    monkeypatch.setattr(api, "checked_name", lambda name, _content: name)
    runs = SimpleNamespace(find_classifier=lambda name: name)
    studio = SimpleNamespace(trying=Slow(), runs=runs)

    async def stream():
        yield b"image"

    request = SimpleNamespace(
        app=SimpleNamespace(state=SimpleNamespace(studio=studio)),
        headers={},
        query_params={"run": "first"},
        stream=stream,
    )

    async def break_off():
        task = asyncio.create_task(api._asked(request, {"do": "why"}))
        while not begun.is_set():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(ended.wait, 10)

    with ThreadPoolExecutor(1) as pool:  # the browser of other tests has a loop in this thread
        pool.submit(asyncio.run, break_off()).result()
    word, forgotten = told
    assert word == forgotten
    with pytest.raises(ConvlensError):
        answer_process._explain(None, {word}, {"do": "why", "word": word}, b"", None)


def test_a_process_that_nobody_asks_ends(run, monkeypatch):
    monkeypatch.setattr(trying, "LOOK", 0.05)
    tried = trying.Trying()
    tried.open(run)
    process = tried._tried[run].worker
    monkeypatch.setattr(trying, "IDLE", 0.0)
    end = time.monotonic() + 120
    while tried.status(run)["state"] != "none":
        assert time.monotonic() < end
        time.sleep(0.05)
    assert process._process.poll() is not None
    tried.close()


def test_a_process_that_ends_in_the_middle_of_a_line_blocks_nobody(tmp_path, monkeypatch):
    start = subprocess.Popen
    half = "input(); print('{\"number\": 1, \"answ', end='')"
    words = [sys.executable, "-c", half]
    monkeypatch.setattr(worker.subprocess, "Popen", lambda _words, **more: start(words, **more))
    found = worker.Worker("none", tmp_path, lambda: None)
    heard = []

    def ask():
        with pytest.raises(worker.Ended) as error:
            found.ask({"do": "answer"}, b"")
        heard.append(error)

    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    asker.join(120)
    assert heard
    assert found.is_idle
    assert not found.is_alive
