"""Exporting: a run or a classifier file as an exported folder, made in a process of its own.

The process that serves therefore never loads TensorFlow.
"""

import importlib.util
import os
import signal
import subprocess
from pathlib import Path

from convlens import errors
from convlens.errors import BackendError, ConvlensError, ExportError
from convlens.language import _
from convlens.processes import end, own_command

FORMATS = ("openvino", "onnx")  # the first whose engine is installed
NEEDS = {"openvino": "openvino", "onnx": "onnxruntime"}


def choose_format() -> str:
    """Return the format of exported folders that this installation serves best.

    Raises:
        BackendError: If no engine is installed.
    """
    for name in FORMATS:
        if importlib.util.find_spec(NEEDS[name]) is not None:
            return name
    raise BackendError(_("serving needs OpenVINO or ONNX Runtime: pip install 'convlens[serve]'."))


def export_apart(name: str, folder: Path) -> None:
    """Export a run or a classifier file with `convlens export`, in a process of its own.

    Args:
        name: The run or the file.
        folder: The folder, which must not exist.

    Raises:
        ConvlensError: What `convlens export` ends with, with its message and its exit code.
    """
    words = ["export", name, "--to", choose_format(), "--out", str(folder)]
    process = subprocess.Popen(
        own_command("convlens", *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        start_new_session=True,  # so that it and the converter are stopped together
    )
    try:
        _out, messages = process.communicate()
    except BaseException:
        end(process, signal.SIGINT)  # it may tidy up
        raise
    if process.returncode:
        raise _error(process.returncode, messages)


def _error(code: int, messages: str) -> ConvlensError:
    """Return the error that a command of convlens has printed as its last line."""
    kinds: dict[int, type[ConvlensError]] = {
        getattr(errors, name).exit_code: getattr(errors, name) for name in errors.__all__
    }
    lines = [line for line in messages.splitlines() if line.strip()]
    text = lines[-1].partition("  ")[2] if lines else ""
    return kinds.get(code, ExportError)(text or _("the export was stopped."))
