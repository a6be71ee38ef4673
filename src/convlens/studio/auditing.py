"""Auditing: the audit of a workspace as a task in the background, whose findings stay."""

import hashlib
import json
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convlens.audit.codes import CODES
from convlens.audit.finding import Finding
from convlens.data.dataset import split_of
from convlens.files import write_atomically
from convlens.language import N_, _
from convlens.language_choice import language
from convlens.processes import end
from convlens.studio.listing import short_digest, time_of
from convlens.studio.problem import GONE, Problem
from convlens.studio.telling import Telling, start_telling, told_by
from convlens.studio.workspace import Workspace

STAGES = {
    "": N_("starting"),
    "decoding": N_("decoding"),
    "features": N_("features"),
    "checks": N_("looking for copies and odd images"),
}
PATIENCE = 5.0  # seconds in which the process may end


@dataclass(frozen=True)
class Result:
    """What an audit has found.

    Attributes:
        stamp: What the workspace was like, see `stamp_of`.
        findings: The findings. Their indices are not those of the workspace.
        facts: The rest, as plain data.
    """

    stamp: str
    findings: tuple[Finding, ...]
    facts: dict[str, Any]


class Auditing(Telling):
    """The audit of a workspace.

    Attributes:
        told: A number that rises with each piece of progress.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._file = workspace.places.hidden / "audit.json"
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._progress: dict[str, Any] = {}
        self._failure = ""
        self._result: Result | None = None
        self._read_at = 0
        self._stamped: tuple[int, str] = (0, "")

    def start(self, *, features: bool) -> None:
        """Begin an audit.

        Raises:
            Problem: If one is under way.
        """
        with self._lock, self._workspace.lock:
            if self._is_running():
                raise Problem(_("an audit is under way; wait until it ends, or stop it."), GONE)
            self._failure = ""
            self._progress = {"stage": "", "done": 0, "total": 0}
            request = self._workspace.places.hidden / "audit_request.json"
            write_atomically(request, json.dumps(self._request(features)), _("the audit"))
            self._process = start_telling("convlens.studio.audit_process", request)
            threading.Thread(target=self._follow, args=(self._process,), daemon=True).start()
            self._tell()

    def _request(self, features: bool) -> dict[str, Any]:
        return {
            **images_of(self._workspace),
            "features": features,
            "stamp": self.stamp(),
            "result": str(self._file),
        }

    def stop(self) -> None:
        """Stop the audit, if one is under way."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        self._failure = ""
        self._process = None  # so that its end is no failure
        end(process, patience=PATIENCE)
        self._tell()

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        """Read what the process tells until it ends."""
        for told in told_by(process, "stage"):
            if process is self._process:  # and not one that was stopped
                self._progress = told
                self._tell()
        code = process.wait()
        # A signal, as from a system without memory, is a code below 0.
        with self._lock:  # or another one could begin between the question and the answer
            if code != 0 and process is self._process:
                self._failure = N_("the check ended before it was done; begin it again.")
        self._tell()

    def _is_running(self) -> bool:
        process = self._process  # which another thread may end meanwhile
        return process is not None and process.poll() is None

    def stamp(self) -> str:
        """Return a digest of the images with their labels, kept until the workspace changes."""
        version = self._workspace.version
        if self._stamped[0] != version:
            self._stamped = (version, stamp_of(self._workspace))
        return self._stamped[1]

    def result(self) -> Result | None:
        """Return what the last audit has found; None if there is none."""
        time = time_of(self._file)
        if time != self._read_at:
            self._result = _read(self._file)
            self._read_at = time  # last, as other threads take what they find here
        return self._result

    def result_stamp(self) -> str:
        """Return what changes with each audit that ends; nothing if there is none."""
        result = self.result()
        return "" if result is None else short_digest(f"{result.stamp} {self._read_at}")

    def status(self) -> dict[str, Any]:
        """Return how far the audit is, or what it has found, for a page."""
        if self._is_running():
            stage = self._progress.get("stage", "")
            return {
                "state": "running",
                **self._progress,
                "stage_text": _(STAGES.get(stage, STAGES[""])),
            }
        if self._failure:
            return {"state": "failed", "message": _(self._failure)}
        result = self.result()
        if result is None:
            return {"state": "none"}
        stale = result.stamp != self.stamp()
        if "message" in result.facts:
            return {"state": "failed", "stale": stale, "message": _said(result.facts["message"])}
        return {"state": "done", "stale": stale, "stamp": self.result_stamp(), **_summary(result)}

    def numbers_of(self, code: str | None) -> list[int]:
        """Return the numbers of the findings of a code, or of all findings."""
        result = self.result()
        findings = () if result is None else result.findings
        return [i for i, finding in enumerate(findings) if code in (None, finding.code)]

    def finding(self, number: int) -> Finding:
        """Return a finding.

        Raises:
            Problem: If there is none of this number (any more).
        """
        result = self.result()
        if result is None or not 0 <= number < len(result.findings):
            raise Problem(_("this finding is not there any more; load the page again."), GONE)
        return result.findings[number]


def _summary(result: Result) -> dict[str, Any]:
    codes = []
    for code in result.facts["codes"]:
        own = [finding for finding in result.findings if finding.code == code]
        texts = CODES[code]
        codes.append(
            {
                "code": code,
                "level": own[0].level,
                "title": _(texts.title),
                "meaning": _(texts.meaning),
                "advice": _(texts.advice),
                "findings": len(own),
                "images": len({file for finding in own for file in finding.files}),
            }
        )
    return {
        "seconds": result.facts["seconds"],
        "levels": result.facts["levels"],
        "codes": codes,
        "left_out": _said(result.facts["left_out"]),
    }


def _said(texts: Any) -> Any:
    """Return what the process has written in each language in that of the page.

    A file of an older release has it in one language.
    """
    return texts[language()] if isinstance(texts, dict) else texts


def images_of(workspace: Workspace) -> dict[str, Any]:
    """Return how another process loads the images of a workspace: source, layout and using."""
    places = workspace.places
    has_corrections = workspace.marks.matter(workspace.listing)
    has_odd_names = workspace.is_own and any(map(split_of, workspace.listing.class_names))
    return {
        "source": places.source or str(places.images),
        "layout": "classes" if has_odd_names else "auto",
        "using": str(places.list) if has_corrections else None,
    }


def stamp_of(workspace: Workspace) -> str:
    """Return a digest of the images of a workspace with their labels."""
    marks = workspace.marks
    digest = hashlib.sha256()
    with workspace.lock:
        for item in workspace.listing.items:
            label = "" if marks.is_excluded(item) else marks.label(item)
            digest.update(f"{item.file}\0{label}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()[:32]


def _read(file: Path) -> Result | None:
    """Return what a process has written; None if it is missing or of another release."""
    make: Callable[..., Finding] = Finding
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        facts = content.get("audit")
        if facts is None:
            return Result(content["stamp"], (), {"message": content["message"]})
        findings = tuple(
            make(
                code=one["code"],
                level=one["level"],
                indices=tuple(range(len(one["files"]))),
                files=tuple(one["files"]),
                evidence=one["evidence"],
                action=one["action"],
            )
            for one in facts["findings"]
            if one["code"] in CODES
        )
        known = {finding.code for finding in findings}
        facts["codes"] = [code for code in facts["codes"] if code in known]
        return Result(content["stamp"], findings, facts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
