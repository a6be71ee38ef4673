"""Exporting: the export of a run as a task in the background, one at a time."""

import contextlib
import json
import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from convlens.errors import BackendError, ConfigError
from convlens.export.target import ALL, FORMATS, RESIZING, Target, check_target
from convlens.files import write_atomically
from convlens.language import N_, VARIABLE, _, language
from convlens.processes import end, own_command
from convlens.studio.opening import Places
from convlens.studio.problem import GONE, Problem

STAGES = {
    "": N_("starting"),
    "starting": N_("starting"),
    "decoding": N_("decoding"),
    "converting": N_("converting the network"),
    "comparing": N_("comparing it with the classifier"),
}
ENDED = N_("the export ended before it was done; see what `convlens export` says.")


class Exporting:
    """The export of a workspace that is under way, or the last one.

    Attributes:
        told: A number that rises with each piece of progress.
    """

    def __init__(self, places: Places) -> None:
        self.told = 0
        self._places = places
        self._file = places.hidden / "export.json"
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._progress: dict[str, Any] = {}
        self._asked: dict[str, Any] = {}
        self._began = 0.0
        self._failure = ""

    def start(self, run: Path, target: Target) -> None:
        """Begin to export a run.

        Raises:
            Problem: If another export is under way, or if this one cannot be; the line says why.
        """
        with self._lock:
            if self._is_running():
                raise Problem(_("an export is under way; wait until it ends, or stop it."), GONE)
            out = self._places.exports / target.folder_name(run.name)
            if missing := why_not(target, out):
                raise Problem(missing, GONE if out.exists() else 422, "to")
            self._file.unlink(missing_ok=True)
            self._failure = ""
            self._progress = {"stage": "", "done": 0, "total": 0}
            self._asked = target._asdict() | {
                "run": str(run),
                "out": str(out),
                "result": str(self._file),
            }
            request = self._places.hidden / "export_request.json"
            write_atomically(request, json.dumps(self._asked), _("the export"))
            self._began = time.monotonic()
            self._process = subprocess.Popen(
                own_command("convlens.studio.shipping.export_process", request),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | {VARIABLE: language()},
                start_new_session=True,  # Ctrl-C is for the studio; all are ended together
            )
            threading.Thread(target=self._follow, args=(self._process,), daemon=True).start()
            self.told += 1

    def stop(self) -> None:
        """Stop the export, if one is under way; nothing is left of it."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        self._process = None  # so that its end is no failure
        end(process)
        self.told += 1

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        """Read what the process tells until it ends."""
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                with contextlib.suppress(ValueError):
                    told = json.loads(line)
                    if isinstance(told, dict) and "stage" in told:
                        self._progress = told
                        self.told += 1
        code = process.wait()
        # A signal, as from a system without memory, is a code below 0.
        if code != 0 and process is self._process:
            self._failure = ENDED
        self.told += 1

    def _is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def status(self) -> dict[str, Any]:
        """Return how far the export is, or how the last one ended, for a page."""
        if self._is_running():
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
