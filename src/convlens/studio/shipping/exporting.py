"""Exporting: the export of a run as a task in the background, one at a time."""

import contextlib
import json
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from convlens.errors import BackendError, ConfigError
from convlens.export.target import ALL, FORMATS, RESIZING, Target, check_target
from convlens.files import write_atomically
from convlens.hidden import remove_leftovers
from convlens.language import N_, _
from convlens.processes import end
from convlens.studio.opening import Places
from convlens.studio.problem import GONE, Problem
from convlens.studio.shipping.found import end_found, facts_of, find, is_alive
from convlens.studio.telling import Telling, start_telling, told_by

STAGES = {
    "": N_("starting"),
    "starting": N_("starting"),
    "decoding": N_("decoding"),
    "converting": N_("converting the network"),
    "comparing": N_("comparing it with the classifier"),
}
ENDED = N_("the export ended before it was done; begin it again.")


class Exporting(Telling):
    """The export of a workspace that is under way, or the last one.

    Attributes:
        told: A number that rises with each piece of progress.
    """

    def __init__(self, places: Places) -> None:
        super().__init__()
        self._places = places
        self._file = places.hidden / "export.json"
        self._request = places.hidden.resolve() / "export_request.json"
        self._running = places.hidden / "export_running.json"
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._found: psutil.Process | None = None
        self._progress: dict[str, Any] = {}
        self._asked: dict[str, Any] = {}
        self._began = 0.0
        self._failure = ""
        self._is_stopping = False
        self._find()

    def start(self, run: Path, target: Target) -> None:
        """Begin to export a run.

        Raises:
            Problem: If another export is under way, or if this one cannot be; the line says why.
        """
        with self._lock:
            if self._is_running() or self._is_stopping:
                raise Problem(_("an export is under way; wait until it ends, or stop it."), GONE)
            out = self._places.exports / target.folder_name(run.name)
            if missing := why_not(target, out):
                raise Problem(missing, GONE if out.exists() else 422, "to")
            self._found = None
            self._file.unlink(missing_ok=True)
            self._failure = ""
            self._progress = {"stage": "", "done": 0, "total": 0}
            self._asked = target._asdict() | {
                "run": str(run),
                "out": str(out),
                "result": str(self._file),
            }
            write_atomically(self._request, json.dumps(self._asked), _("the export"))
            self._began = time.monotonic()
            module = "convlens.studio.shipping.export_process"
            process = self._process = start_telling(module, self._request)
            threading.Thread(target=self._follow, args=(process,), daemon=True).start()
            self._tell()
            content = json.dumps(facts_of(process.pid))
            write_atomically(self._running, content, _("the export"))

    def stop(self) -> None:
        """Stop the export, if one is under way; nothing is left of it."""
        with self._lock:
            if not self._is_running():
                return
            process, found = self._process, self._found
            self._is_stopping = True  # nothing begins before it has ended
            self._process = self._found = None  # so that its end is no failure
        try:
            if process is not None:
                end(process)
            if found is not None:
                end_found(found)
            self._tidy()
        finally:
            self._is_stopping = False
            self._tell()

    def _find(self) -> None:
        """Find the export that a studio has left that was killed."""
        self._asked = _read(self._request)
        facts = _read(self._running)
        self._found = find(facts, str(self._request))
        if self._found is None:
            self._tidy()
            return
        self._progress = {"stage": "", "done": 0, "total": 0}  # which it tells to nobody any more
        self._began = time.monotonic() - (time.time() - float(facts["began"]))
        threading.Thread(target=self._wait_for, args=(self._found,), daemon=True).start()

    def _wait_for(self, found: psutil.Process) -> None:
        with contextlib.suppress(psutil.Error):
            found.wait()
        self._tell()

    def _tidy(self) -> None:
        """Remove the hidden folder of an export that was killed."""
        with contextlib.suppress(KeyError, OSError, TypeError):
            remove_leftovers(Path(self._asked["out"]))

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        """Read what the process tells until it ends."""
        for told in told_by(process, "stage"):
            if process is self._process:  # and not one that was stopped
                self._progress = told
                self._tell()
        code = process.wait()
        # A signal, as from a system without memory, is a code below 0.
        if code != 0:
            self._fail(process)
        self._tell()

    def _fail(self, process: subprocess.Popen[bytes]) -> None:
        """Note that an export was killed, after what it has left was removed."""
        with self._lock:
            if process is not self._process:  # it was stopped, or another one was begun
                return
            self._is_stopping = True  # so that it still runs for those who ask
            try:
                self._tidy()
            finally:
                self._failure = ENDED
                self._is_stopping = False

    def _is_running(self) -> bool:
        process, found = self._process, self._found  # which another thread may end meanwhile
        if process is not None:
            return process.poll() is None
        return found is not None and is_alive(found)

    def status(self) -> dict[str, Any]:
        """Return how far the export is, or how the last one ended, for a page.

        One that is being stopped still runs: nothing else can begin before it has ended.
        """
        if self._is_running() or self._is_stopping:
            stage = self._progress.get("stage", "")
            return {
                "state": "running",
                **_what(self._asked),
                **self._progress,
                "stage_text": _(STAGES.get(stage, STAGES[""])),
                "seconds": time.monotonic() - self._began,
            }
        if self._failure:
            said = {"message": _(self._failure), "may_accept": False}
            return {"state": "failed", **_what(self._asked), **said}
        return self._ended()

    def _ended(self) -> dict[str, Any]:
        """Return how the last export ended, also if it was begun by an earlier studio."""
        try:
            result = json.loads(self._file.read_text(encoding="utf-8"))
            what = _what(result["asked"])
            if "message" in result:
                may_accept = bool(result["may_accept"])
                said = {"message": result["message"], "may_accept": may_accept}
                return {"state": "failed", **what, **said}
            return {"state": "done", **what, "notes": result["notes"]}
        except (OSError, ValueError, KeyError, TypeError):
            return {"state": "none"}


def _read(file: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def _what(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what is exported, for a page."""
    names = ("to", "precision", "any_size", "accept_loss")
    own = {name: asked[name] for name in names}
    return own | {"run": Path(asked["run"]).name, "name": Path(asked["out"]).name}


def why_not(target: Target, out: Path) -> str:
    """Return the line that says why something cannot be exported here, or nothing."""
    try:
        check_target(target, out)
    except (BackendError, ConfigError) as error:
        return str(error.args[0])
    return ""


def formats(places: Places) -> list[dict[str, Any]]:
    """Return the formats with their precisions, and what is missing for each, for a page."""
    nowhere = places.exports / ".new"
    return [
        {
            "to": to,
            "engine": one.engine,
            "resizes": to in RESIZING,
            "precisions": [
                {"precision": name, "missing": why_not(Target(to, name), nowhere)} for name in ALL
            ],
        }
        for to, one in FORMATS.items()
    ]
