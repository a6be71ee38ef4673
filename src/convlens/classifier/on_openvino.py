"""On OpenVINO: how a network of Keras becomes one of OpenVINO, and how that is compiled.

Nothing here imports Keras, so that a network that was converted before answers at once.
"""

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convlens import backend
from convlens.errors import BackendError
from convlens.language import _

if TYPE_CHECKING:
    import keras

INSTALL = "pip install 'convlens[openvino]'"  # not translated: a command


def convert(model: "keras.Model") -> Any:
    """Return a Keras model from uint8 images as a network of OpenVINO, for one image at a time.

    Raises:
        BackendError: If OpenVINO is not installed or cannot run the network.
    """
    openvino = _openvino()
    try:
        traced = backend.traced(model, (1, *model.input_shape[1:]))
        converted = openvino.convert_model(traced)
        # The converter adds an output for each SiLU, behind those of the network.
        for added in converted.get_results()[len(model.outputs) :]:
            converted.remove_result(added)
    except BackendError:
        raise
    except Exception as error:  # the converter raises a dozen kinds of errors
        raise _refused(model.name, error) from error
    return converted


def compile_network(network: Any, settings: Mapping[str, str], name: str) -> Any:
    """Return a network of OpenVINO compiled for the processor.

    Args:
        network: The network, or the path of its file.
        settings: Settings of OpenVINO.
        name: The name of the network, for the message.

    Raises:
        BackendError: If OpenVINO is not installed or cannot run the network.
    """
    _openvino()
    if isinstance(network, Path):
        network = str(network)
    # Other programs use the processors, too.
    all_settings = {"ENABLE_CPU_PINNING": False, **settings}
    try:
        return _core().compile_model(network, "CPU", all_settings)
    except Exception as error:  # of a dozen kinds, likewise
        raise _refused(name, error) from error


def write_network(network: Any, path: Path) -> None:
    """Write a network of OpenVINO in float32: a file .xml, and one .bin beside it.

    Raises:
        OSError: If it cannot be written.
    """
    try:
        _openvino().save_model(network, str(path), compress_to_fp16=False)
    except RuntimeError as error:
        raise OSError(_reason(error)) from error


def refuse_without_openvino() -> None:
    """Raise BackendError if OpenVINO is not installed."""
    _openvino()


def _openvino() -> Any:
    # OpenVINO believes that the package which reports each import and conversion is missing.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise BackendError(
            _("the engine openvino needs OpenVINO, which cannot be imported: {install}.").format(
                install=INSTALL
            )
        ) from error
    return openvino


def _refused(name: str, error: Exception) -> BackendError:
    return BackendError(
        _("OpenVINO cannot run {model}: {reason}. Use the engine keras.").format(
            model=name, reason=_reason(error)
        )
    )


def _reason(error: Exception) -> str:
    """Return the line of OpenVINO's message that says what is wrong."""
    lines = [line.strip() for line in str(error).strip().splitlines()] or [type(error).__name__]
    # The converter lists the operations that it does not support behind dashes.
    unsupported = (line.removeprefix("-- ") for line in lines if line.startswith("-- "))
    return next(unsupported, lines[-1])


@cache
def _core() -> Any:
    """Return OpenVINO's core, the only one of the process.

    Each core sets up a stack on which signals are handled, and frees it at its end. With two of
    them, the first to go may leave the freed stack of the other in use, and the next Ctrl-C would
    crash the process.
    """
    return _openvino().Core()
