"""Target: the formats of exported networks, and whether what was asked for can be exported.

Nothing here imports an engine; what is missing is told before anything is computed.
"""

import importlib.util
import os
from pathlib import Path
from typing import NamedTuple

from convlens.errors import BackendError, ConfigError
from convlens.language import _, all_of, listed, one_of
from convlens.vendor import package_folder

RUNTIME = "onnxruntime-web"  # the JavaScript package that runs the network of a page


class Format(NamedTuple):
    """A format of networks.

    Attributes:
        file: The name of the network in an exported folder.
        needs: The packages that write and run it.
        extra: The extra of convlens that installs them; empty if convlens needs them anyway.
        engine: The name of the distribution that runs it.
        precisions: The precisions that it can be written in.
    """

    file: str
    needs: tuple[str, ...]
    extra: str
    engine: str
    precisions: tuple[str, ...]


class Target(NamedTuple):
    """What a classifier is exported to.

    Attributes:
        to: The format, a key of FORMATS.
        precision: The arithmetic of the network: "float32", "float16" or "int8".
        any_size: Whether the network takes images of any size and resizes them itself.
        accept_loss: Whether the folder is written even if a lower precision costs accuracy.
    """

    to: str
    precision: str = "float32"
    any_size: bool = False
    accept_loss: bool = False

    def folder_name(self, name: str) -> str:
        """Return the name of the folder of an exported run or classifier file."""
        words = [name, self.to]
        if self.precision != "float32":
            words.append(self.precision)
        if self.any_size:
            words.append("any-size")
        return "-".join(words)


ALL = ("float32", "float16", "int8")
FORMATS = {
    "onnx": Format("model.onnx", ("onnx", "onnxruntime", "tf2onnx"), "onnx", "onnxruntime", ALL),
    "openvino": Format("model.xml", ("openvino",), "openvino", "openvino", ALL),
    "litert": Format(
        "model.tflite", ("ai_edge_litert",), "litert", "ai-edge-litert", ("float32", "float16")
    ),
    "saved_model": Format("saved_model", (), "", "tensorflow", ("float32",)),
    "web": Format("model.onnx", ("onnx", "onnxruntime", "tf2onnx"), "onnx", "onnxruntime", ALL),
}
RESIZING = ("onnx", "openvino")  # the formats of which a network can resize its images


def check_target(target: Target, out: Path) -> None:
    """Check what was asked for, before anything is computed.

    Raises:
        ConfigError: If the format or its precision is unknown, if they do not go with the rest of
            the target, or if the folder exists.
        BackendError: If a package that they need is missing, in Python or in JavaScript.
    """
    to = target.to
    if to not in FORMATS:
        raise ConfigError(
            _("the format must be one of {known}; found {found!r}.").format(
                known=listed(FORMATS), found=to
            )
        )
    _check_precision(target)
    _check_size(target)
    if os.path.lexists(out):
        raise ConfigError(
            _("{folder}: this folder exists; give another one, or move it away.").format(folder=out)
        )
    missing = [name for name in FORMATS[to].needs if importlib.util.find_spec(name) is None]
    if missing:
        raise BackendError(
            _(
                "the format {format} needs {packages}, which is not installed: pip install "
                "'convlens[{extra}]'."
            ).format(format=to, packages=listed(missing), extra=FORMATS[to].extra)
        )
    if target.precision == "int8" and importlib.util.find_spec("nncf") is None:
        raise BackendError(
            _(
                "the precision {precision} needs {package}, which is not installed: pip install "
                "'convlens[{extra}]'."
            ).format(precision="int8", package="nncf", extra="int8")
        )
    if to == "web":
        package_folder(RUNTIME)


def _check_size(target: Target) -> None:
    """Raise ConfigError if the format has no networks that take images of any size."""
    if target.any_size and target.to not in RESIZING:
        raise ConfigError(
            _(
                "a network that takes images of any size can be exported to {known}; {format} has "
                "no such form. Leave out --any-size, and resize the images as predict.py does."
            ).format(known=listed(RESIZING), format=target.to)
        )
    if target.any_size and target.precision != "float32":
        raise ConfigError(
            _(
                "a network that takes images of any size is exported in float32, since a lower "
                "precision would resize wrongly; found {precision}. Leave out --any-size or "
                "--precision."
            ).format(precision=target.precision)
        )


def _check_precision(target: Target) -> None:
    known = FORMATS[target.to].precisions
    if target.precision not in known:
        others = [name for name, one in FORMATS.items() if target.precision in one.precisions]
        text = _("{format} is written in {known}; found the precision {found!r}.")
        if others:
            text = _(
                "{format} is written in {known}; the precision {found!r} is there for {others}."
            )
        raise ConfigError(
            text.format(
                format=target.to,
                known=one_of(known),
                found=target.precision,
                others=all_of(others),
            )
        )
    if target.accept_loss and target.precision == "float32":
        raise ConfigError(
            _(
                "a network in float32 must give the same probabilities, so that no loss can be "
                "accepted. Leave out --accept-loss, or choose a lower --precision."
            )
        )
