"""Planning: what a training will be, in words and minutes, found out by a process of its own.

It does what `convlens train` does up to its announcement, with the same functions. The decoded
images are kept for the training. TensorFlow is imported there and not in the studio, which would
need 500 MB more, and start seconds later.
"""

import json
import os
import subprocess
import time
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

from convlens.files import write_atomically
from convlens.language import _
from convlens.language_choice import VARIABLE, language
from convlens.processes import end, own_command
from convlens.progress import VARIABLE as PROGRESS
from convlens.studio.listing import short_digest
from convlens.studio.telling import Telling
from convlens.studio.training.ways import Choice, Images
from convlens.studio.workspace import Workspace

PATIENCE = 5.0  # seconds in which the process may end


class Planning(Telling):
    """The plan that was asked for last.

    Attributes:
        told: A number that rises with each piece of progress.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._folder = workspace.places.hidden / "plan"
        self._process: subprocess.Popen[bytes] | None = None
        self._key = ""
        self._plans: dict[str, dict[str, Any]] = {}
        self._seen: object = None

    def key(self, choice: Choice) -> str:
        """Return what names a plan: the images with their labels, the choice and the language.

        All time budgets have the same plan, which says what they must be at least.
        """
        choice = replace(choice, seconds=min(choice.seconds, 1))
        return short_digest(f"{self._workspace.version} {choice} {language()}")

    def ask(self, choice: Choice) -> dict[str, Any]:
        """Return the plan of a choice, or how far it is; begin to make it if nobody has.

        One that could not be made is tried again.
        """
        key = self.key(choice)
        if self._plans.get(key, {}).get("state") == "failed":
            del self._plans[key]
        if key not in self._plans and key != self._key:
            self._begin(key, choice)
        return self.status(choice)

    def status(self, choice: Choice) -> dict[str, Any]:
        """Return the plan of a choice, or how far it is, or the state "none"."""
        self.look()
        key = self.key(choice)
        if key in self._plans:
            return self._plans[key]
        if key != self._key:
            return {"state": "none"}
        return {"state": "running", "progress": self._progress()}

    @property
    def is_free(self) -> bool:
        """Whether no plan is being made."""
        return self._process is None

    def look(self) -> None:
        """Note what the process has found out."""
        with self._workspace.lock:
            process = self._process
            if process is None:
                return
            if process.poll() is None:
                seen = self._progress()
                if seen != self._seen:
                    self._seen = seen
                    self._tell()
                return
            self._process = None
            self._plans[self._key] = self._found()
            self._key = ""
            self._tell()

    def _found(self) -> dict[str, Any]:
        failed = _("the plan could not be made; the training will say why.")
        with suppress(OSError, ValueError):
            result = json.loads((self._folder / "plan.json").read_text(encoding="utf-8"))
            if isinstance(result, dict) and result.pop("key", None) == self._key:
                return result
        return {"state": "failed", "message": failed}

    def _progress(self) -> dict[str, Any] | None:
        with suppress(OSError, ValueError):
            content = json.loads((self._folder / "progress.json").read_text(encoding="utf-8"))
            return content if isinstance(content, dict) else None
        return None

    def _begin(self, key: str, choice: Choice) -> None:
        self.stop()
        for name in ("plan.json", "progress.json"):
            (self._folder / name).unlink(missing_ok=True)
        request = {
            "key": key,
            "settings": choice.settings,
            "seconds": choice.seconds,
            "images": asdict(Images.of(self._workspace)),
            "result": str(self._folder / "plan.json"),
            "began": time.time(),
        }
        write_atomically(self._folder / "request.json", json.dumps(request), _("the plan"))
        self._key = key
        self._process = subprocess.Popen(
            own_command("convlens.studio.training.plan_process", self._folder / "request.json"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {VARIABLE: language(), PROGRESS: str(self._folder / "progress.json")},
            start_new_session=True,  # Ctrl-C is for the studio
        )

    def stop(self) -> None:
        """Stop to make a plan."""
        process = self._process
        self._process = None
        self._key = ""
        if process is None or process.poll() is not None:
            return
        end(process, patience=PATIENCE)
