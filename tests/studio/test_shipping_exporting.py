"""How an export ends: refused, with a loss, by a crash, stopped, after a studio was killed."""

import io
import json
import os
import shutil
import signal
import threading
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from convlens.errors import ExportError
from convlens.export import export as export_module
from convlens.export.cost import LossError
from convlens.export.target import Target
from convlens.hidden import make_hidden_folder
from convlens.processes import PYTHON
from convlens.studio import telling
from convlens.studio.auditing import Auditing
from convlens.studio.opening import open_places
from convlens.studio.scores.predicting import Predicting
from convlens.studio.shipping import export_process, exporting, exports
from convlens.studio.shipping.exporting import ENDED, Exporting
from convlens.studio.shipping.exports import ExportList
from convlens.studio.shipping.serving import Serving
from convlens.studio.telling import Telling
from tests.studio.conftest import opened

# What stands in the place of the export: it writes a hidden folder, and hears no SIGTERM.
PROGRAM = """
import json, signal, sys, time
from pathlib import Path
from convlens.hidden import make_hidden_folder
signal.signal(signal.SIGTERM, signal.SIG_IGN)
asked = json.loads(Path(sys.argv[1]).read_text())
make_hidden_folder(Path(asked["out"]))
print(json.dumps({"stage": "converting", "done": 0, "total": 0}), flush=True)
time.sleep(60)
"""


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """Return an export that is under way."""
    monkeypatch.setattr(exporting, "why_not", lambda *_given: "")
    monkeypatch.setattr(
        telling, "own_command", lambda _module, request: [*PYTHON, "-c", PROGRAM, str(request)]
    )
    ending = exporting.end
    monkeypatch.setattr(exporting, "end", lambda process: ending(process, patience=0.5))
    places = open_places(str(tmp_path / "pets"))
    found = Exporting(places)
    found.start(places.runs / "digits", Target("onnx"))
    process = found._process
    until(lambda: found.status()["stage"] == "converting")
    yield found, places
    if process.poll() is None:
        process.kill()
        process.wait()


def until(is_so):
    """Wait until something is so."""
    for _try in range(1200):
        if is_so():
            return
        threading.Event().wait(0.1)
    raise AssertionError


def test_an_export_that_hears_nothing_leaves_no_hidden_folder(begun):
    running, places = begun
    assert len(list(places.exports.iterdir())) == 1
    running.stop()
    assert running.status() == {"state": "none"}
    assert list(places.exports.iterdir()) == []


def test_nothing_begins_before_the_former_export_has_ended(begun):
    running, places = begun
    stopping = threading.Thread(target=running.stop)
    stopping.start()
    until(lambda: running._process is None)
    assert running.status()["state"] == "running"  # or the page would offer to begin another one
    with pytest.raises(exporting.Problem, match="is under way"):
        running.start(places.runs / "digits", Target("openvino"))
    stopping.join()
    assert running.status() == {"state": "none"}


def test_an_export_that_is_killed_is_told_and_leaves_nothing(begun, monkeypatch):
    running, places = begun
    tidy, told = running._tidy, []
    monkeypatch.setattr(running, "_tidy", lambda: (told.append(running.status()["state"]), tidy()))
    running._process.kill()
    until(lambda: running.status()["state"] == "failed")
    assert told == ["running"]  # it is told when everything is tidy
    assert running.status()["message"] == ENDED
    assert list(places.exports.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals are of POSIX")
def test_the_export_of_a_studio_that_was_killed_is_found_and_stopped(begun, tmp_path, monkeypatch):
    running, places = begun
    process = running._process
    monkeypatch.setattr("convlens.studio.shipping.found.PATIENCE", 5.0)
    shutil.copytree(tmp_path / "pets", tmp_path / "copy")
    assert Exporting(open_places(str(tmp_path / "copy"))).status() == {"state": "none"}
    again = Exporting(places)
    found = again.status()
    assert (found["state"], found["name"]) == ("running", "digits-onnx")
    with pytest.raises(exporting.Problem, match="is under way"):
        again.start(places.runs / "digits", Target("openvino"))
    again.stop()
    assert not psutil.pid_exists(process.pid)
    assert again.status() == {"state": "none"}
    assert list(places.exports.iterdir()) == []


def test_what_a_killed_export_has_left_goes_when_a_studio_begins(tmp_path, monkeypatch):
    places = open_places(str(tmp_path / "pets"))
    out = places.exports / "digits-onnx"
    with monkeypatch.context() as patch:  # a process that has ended
        patch.setattr(psutil.Process, "create_time", lambda _process: 1.0)
        left = make_hidden_folder(out)
    request = {"out": str(out)}
    (places.hidden / "export_request.json").write_text(json.dumps(request), encoding="utf-8")
    assert left.is_dir()
    Exporting(places)
    assert not left.exists()


@pytest.mark.parametrize(
    ("error", "message", "may_accept"),
    [
        (ExportError("the proof fails."), "the proof fails.", False),
        (LossError("int8 costs 3 points."), "int8 costs 3 points.", True),
        (RuntimeError("a crash"), None, None),
    ],
)
def test_how_an_export_fails_is_told(
    finished_run, tmp_path, monkeypatch, error, message, may_accept
):
    places = open_places(str(tmp_path / "pets"))
    request = {
        **Target("openvino")._asdict(),
        "run": str(finished_run.folder),
        "out": str(places.exports / "digits-openvino"),
        "result": str(places.hidden / "export.json"),
    }
    file = places.hidden / "export_request.json"
    file.write_text(json.dumps(request), encoding="utf-8")

    def fail(*_given, **_named):
        raise error

    monkeypatch.setattr(export_module, "export_classifier", fail)
    for module, name in ((signal, "signal"), (os, "nice")):  # which are for a process of its own
        monkeypatch.setattr(module, name, lambda *_given: None)
    if message is None:
        with pytest.raises(RuntimeError):
            export_process.main(file)
        assert Exporting(places).status() == {"state": "none"}
        return
    export_process.main(file)
    found = Exporting(places).status()
    assert found["state"] == "failed"
    assert (found["name"], found["message"]) == ("digits-openvino", message)
    assert found["may_accept"] is may_accept


def test_a_list_of_exports_is_told_while_one_is_removed(shipped, monkeypatch):
    """Each piece of progress, and each other tab, asks for the list."""
    folder = shipped / "exports" / "digits-openvino"
    copy = Path(shutil.copytree(folder, shipped / "exports" / "copy"))
    real = Path.lstat

    def remove_first(path):
        if path.name == "model.xml" and path.parent == copy:
            path.unlink(missing_ok=True)
        return real(path)

    with monkeypatch.context() as patch, opened(shipped) as page:
        patch.setattr(Path, "lstat", remove_first)
        found = page.get("/api/ship")
    shutil.rmtree(copy)
    assert found.status_code == 200, found.text
    assert {row["name"] for row in found.json()["exports"]} == {"copy", "digits-openvino"}


def test_a_kill_while_an_export_is_removed_leaves_no_damaged_one(shipped, monkeypatch):
    shutil.copytree(shipped / "exports" / "digits-openvino", shipped / "exports" / "copy")
    known = ExportList(shipped / "exports")

    def killed(_folder):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(exports.shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            known.remove("copy")
    assert [row["name"] for row in known.rows()] == ["digits-openvino"]
    ExportList(shipped / "exports")  # of the next studio
    assert [path.name for path in (shipped / "exports").iterdir()] == ["digits-openvino"]


@pytest.mark.parametrize("kind", [Exporting, Serving, Predicting, Auditing])
def test_a_process_that_is_stopped_while_it_is_asked_about_is_no_error(kind, monkeypatch):
    found = [SimpleNamespace(poll=lambda: 0), None]  # as another thread takes it away
    monkeypatch.setattr(kind, "_process", property(lambda self: found.pop(0)), raising=False)
    one = object.__new__(kind)
    one._found = None
    assert one._is_running() is False


@pytest.mark.parametrize("kind", [Exporting, Predicting, Auditing])
def test_the_end_of_a_killed_process_is_not_that_of_the_next_one(kind):
    one = object.__new__(kind)
    Telling.__init__(one)
    one._lock = threading.Lock()
    one._asked = {}
    one._run = "digits"
    one._failure = before = Path("no such file")
    one._failures = {}
    one._process = killed = SimpleNamespace(stdout=io.BytesIO(), wait=lambda: -9)
    following = threading.Thread(target=one._follow, args=(killed,))
    with one._lock:  # as while another one begins
        following.start()
        following.join(0.5)
        one._process = SimpleNamespace()
    following.join()
    assert (one._failure, one._failures) == (before, {})
