"""Exports: the exported folders of a workspace, whoever has made them, with their proofs."""

import json
import os
import secrets
import shlex
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from convlens.errors import ExportError
from convlens.export.folder import changed_files, is_exported, read_facts
from convlens.files import DAMAGE, storage_errors
from convlens.language import N_, _, again
from convlens.studio.listing import time_of
from convlens.studio.problem import Problem
from convlens.studio.written import written
from convlens.text import printable

# The scores of the report that leave with an export.
SCORES = {
    "accuracy": N_("Accuracy"),
    "balanced_accuracy": N_("Balanced accuracy"),
    "macro_f1": N_("F1 (macro)"),
    "log_loss": N_("Log loss"),
    "expected_calibration_error": N_("Calibration error"),
}
REMOVED = ".removed"  # the end of the hidden name of a folder while it is removed
MOST_FILES = 60  # of a folder that are named
PROOF = (  # the numbers of a proof that a page shows
    "holds",
    "examples",
    "images",
    "changed",
    "near",
    "largest",
    "mean",
    "allowed",
    "size",
    "float32_size",
    "classifier_size",
    "milliseconds",
    "classifier_milliseconds",
    "accepted",
)


@dataclass(frozen=True)
class File:
    """A file of an exported folder: its name in it, its size in bytes and when it was written."""

    name: str
    size: int
    time: int


class ExportList:
    """The exported folders of a workspace.

    Attributes:
        folder: The folder in which they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, tuple[tuple[File, ...], list[str]]] = {}
        for path in folder.glob(f".*{REMOVED}"):  # which a kill has left
            shutil.rmtree(path, ignore_errors=True)

    def find(self, name: object) -> Path:
        """Return an exported folder.

        Raises:
            Problem: If the workspace has none of this name.
        """
        for path in self._folders():
            if path.name == name:
                return path
        raise Problem(
            _("the workspace has no export {name!r}.").format(name=printable(str(name)[:100])),
            404,
            "name",
        )

    def remove(self, name: object) -> None:
        """Delete an exported folder; it can be exported again.

        Raises:
            Problem: If there is none of this name.
            StorageError: If it cannot be deleted.
        """
        folder = self.find(name)
        # Whoever looks at the list meanwhile, or after a kill, does not find half of it.
        hidden = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}{REMOVED}")
        with storage_errors(folder, _("the exported folder")):
            folder.rename(hidden)
            shutil.rmtree(hidden)

    def _folders(self) -> list[Path]:
        try:
            found = [path for path in self.folder.iterdir() if path.is_dir()]
        except OSError:
            return []
        own = [path for path in found if not path.is_symlink() and not path.name.startswith(".")]
        return [path for path in own if is_exported(path)]

    def rows(self) -> list[dict[str, Any]]:
        """Return what a page shows of each folder, the newest first."""
        folders = sorted(self._folders(), key=lambda path: (-time_of(path), path.name))
        return [self._row(folder) for folder in folders]

    def _row(self, folder: Path) -> dict[str, Any]:
        files = _files(folder)
        row = {
            "name": printable(folder.name),
            "folder": printable(folder),
            "bytes": sum(file.size for file in files),
            "number": len(files),
            "files": [[printable(file.name), file.size] for file in files[:MOST_FILES]],
            "commands": _commands(folder),
        }
        try:
            facts = read_facts(folder)
            proof = json.loads((folder / "proof.json").read_text(encoding="utf-8"))
            return row | self._told(folder, files, facts, proof)
        except (*DAMAGE, ExportError) as error:
            line = error.args[0] if isinstance(error, ExportError) else _damaged(folder)
            return row | {"problem": printable(str(again(line)))}

    def _told(
        self, folder: Path, files: tuple[File, ...], facts: dict[str, Any], proof: dict[str, Any]
    ) -> dict[str, Any]:
        known = self._known.get(folder.name)
        if known is None or known[0] != files:  # all files are read, which takes a while
            known = (files, changed_files(folder))
            self._known[folder.name] = known
        numbers = {name: proof.get(name) for name in PROOF}
        numbers["labels"] = proof["examples"] + proof["images"]
        cost = proof.get("cost")
        return {
            "problem": "",
            "format": facts["format"],
            "precision": facts["precision"],
            "any_size": bool(facts.get("any_size")),
            "run": printable(str(facts["name"])),
            "class_names": [printable(name) for name in facts["class_names"]],
            "engine": facts["engine"],
            "engine_version": facts["engine_version"],
            "convlens": facts["convlens"],
            "changed_files": [printable(name) for name in known[1]],
            "proof": numbers,
            "cost": None if cost is None else _cost(cost),
            "scores": _scores(facts.get("scores") or {}),
        }


def _files(folder: Path) -> tuple[File, ...]:
    """Return the files of a folder; those that are removed meanwhile are left out."""
    found = []
    for place, _folders, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            with suppress(OSError):
                state = path.lstat()
                if stat.S_ISREG(state.st_mode):
                    name = path.relative_to(folder).as_posix()
                    found.append(File(name, state.st_size, state.st_mtime_ns))
    return tuple(sorted(found, key=lambda file: file.name))


def _damaged(folder: Path) -> str:
    return _(
        "{folder}: the proof of this exported folder cannot be read; export the classifier again."
    ).format(folder=folder.name)


def _cost(cost: dict[str, Any]) -> dict[str, Any]:
    """Return what a lower precision costs, with the sentence that the command prints."""
    from convlens.export.cost import Cost  # which loads scipy.stats, and few exports need it

    own = Cost(**{one.name: cost[one.name] for one in fields(Cost)})
    shown = {"labelled": own.labelled, "before": own.before, "after": own.after}
    return shown | {"text": str(own)}


def _scores(scores: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": key, "name": _(SCORES[key])} | written(score, key)
        for key, score in scores.items()
        if key in SCORES
    ]


def _commands(folder: Path) -> dict[str, str]:
    """Return what does the same at a terminal."""
    place = os.fspath(folder)
    words = {
        "verify": ["convlens", "verify", place],
        "serve": ["convlens", "serve", place],
        "predict": ["python", os.fspath(folder / "predict.py")],
    }
    if (folder / "index.html").is_file():
        page = ["python", "-m", "http.server", "8000", "--bind", "127.0.0.1"]
        words["page"] = [*page, "--directory", place]
    commands = {name: printable(shlex.join(some)) for name, some in words.items()}
    return commands | {"predict": commands["predict"] + " IMAGE..."}
