"""Runtime: a network that is only asked, compiled to answer as many images a second as this computer can.

With the extra convlens[openvino] it runs on OpenVINO, one image a request and as many requests at once as OpenVINO
wants on this processor: larger batches leave the cache and were slower. So what an image gets does not depend on its
neighbours. Without it, or where OpenVINO cannot convert the network, it runs on Keras.

Why this engine, batch and precision, with images a second, memory and differences: docs/decisions/runtime.md.
"""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from convlens import backend
from convlens.classifier.assembly import all_layers, with_precision
from convlens.errors import BackendError, ConfigError

ENGINES = ("auto", "openvino", "keras")
PRECISIONS = ("auto", "bfloat16", "float32")
KERAS_BATCH = 16  # images; 64 were no faster and took 0.5 GB more
DEPTHWISE = (layers.DepthwiseConv2D, layers.SeparableConv2D)
INSTALL = "pip install 'convlens[openvino]'"

Answer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Compiled:
    """A network ready to answer; to be called by one thread at a time.

    Attributes:
        answer: uint8 (n, height, width, channels) -> float32 (n, d), any n.
        engine: "openvino", or the engine that Keras runs on.
        precision: "float32" or "bfloat16": engine and precision together say how the numbers were computed.
    """

    answer: Answer
    engine: str
    precision: str

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what the network makes of uint8 images (n, height, width, channels): float32 (n, d)."""
        return self.answer(images)


def compile_model(model: keras.Model, precision: str = "auto", engine: str = "auto") -> Compiled:
    """Return a model compiled for answers alone; its weights must not change afterwards.

    Args:
        model: uint8 (batch, height, width, channels) -> float32 (batch, d), computing in float32; see
            `assembly.assemble`.
        precision: "float32", "bfloat16", or "auto" for the faster: bfloat16 where the processor multiplies it, but on
            Keras only for networks without depthwise convolutions.
        engine: "openvino", "keras", or "auto" for OpenVINO where it is installed and can run the network.

    Raises:
        ConfigError: another precision or engine.
        BackendError: OpenVINO was asked for and is not installed, or cannot run this network.
    """
    for name, value, known in (("precision", precision, PRECISIONS), ("engine", engine, ENGINES)):
        if value not in known:
            raise ConfigError(f"{name} must be one of {', '.join(known)}; found {value!r}.")
    if engine == "openvino" or (engine == "auto" and importlib.util.find_spec("openvino")):
        try:
            return _on_openvino(model, backend.resolve_precision(precision))
        except BackendError:
            if engine == "openvino":
                raise
    return _on_keras(model, precision)


def keras_precision(model: keras.Model, precision: str) -> str:
    """Return in what Keras computes a model quickest, asked or trained, for "auto"; else the precision itself.

    Depthwise convolutions are slow in bfloat16 there, see docs/decisions/precision.md.
    """
    if precision == "auto" and any(isinstance(layer, DEPTHWISE) for layer in all_layers(model)):
        return "float32"
    return backend.resolve_precision(precision)


def _on_keras(model: keras.Model, precision: str) -> Compiled:
    precision = keras_precision(model, precision)
    network = with_precision(model, "mixed_bfloat16") if precision == "bfloat16" else model

    def answer(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        found = np.empty((len(images), *network.output_shape[1:]), np.float32)
        for start in range(0, len(images), KERAS_BATCH):
            batch = slice(start, start + KERAS_BATCH)
            found[batch] = network.predict_on_batch(images[batch])
        return found

    return Compiled(answer, backend.engine(), precision)


def _on_openvino(model: keras.Model, precision: str) -> Compiled:
    _without_telemetry()
    try:
        import openvino
    except ImportError as error:
        raise BackendError(
            f"the engine openvino needs OpenVINO, which cannot be imported: {INSTALL}."
        ) from error
    wanted = openvino.Type.bf16 if precision == "bfloat16" else openvino.Type.f32
    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": wanted}
    if threads := backend.threads():
        settings["INFERENCE_NUM_THREADS"] = threads
    traced = backend.traced(model, (1, *model.input_shape[1:]))
    try:
        compiled = _core().compile_model(openvino.convert_model(traced), "CPU", settings)
    except Exception as error:  # its converter has a dozen kinds
        lines = [line.strip() for line in f"{error}".strip().splitlines()] or [type(error).__name__]
        reason = next(
            (line[3:] for line in lines if line.startswith("-- ")), lines[-1]
        )  # its list of operations
        raise BackendError(
            f"OpenVINO cannot run {model.name}: {reason}. Take the engine keras."
        ) from error
    requests = openvino.AsyncInferQueue(compiled)

    def answer(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        found = np.empty((len(images), *model.output_shape[1:]), np.float32)

        def keep(request: openvino.InferRequest, row: int) -> None:
            found[row] = request.get_output_tensor().data[0]

        requests.set_callback(keep)
        for row in range(len(images)):
            requests.start_async(images[row : row + 1], row)
        requests.wait_all()
        return found

    used = compiled.get_property(
        "INFERENCE_PRECISION_HINT"
    )  # a processor without bfloat16 computes in float32
    return Compiled(answer, "openvino", "bfloat16" if used == openvino.Type.bf16 else "float32")


@cache
def _core() -> Any:
    """Return OpenVINO's core, one for the process.

    Each sets up a stack that signals are handled on, and frees it at its end. Of two, the one that goes first may leave
    the other's freed stack in use: the next Ctrl-C would crash the process.
    """
    import openvino

    return openvino.Core()


def _without_telemetry() -> None:
    """Keep out of OpenVINO what tells a server of every import and conversion, asked or not: as if not installed."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
