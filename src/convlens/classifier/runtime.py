"""Runtime: a network compiled for inference alone, as fast as this computer allows.

With the extra convlens[openvino] the network runs on OpenVINO. Each request holds one image, and as
many requests run at once as OpenVINO recommends for the processor: larger batches do not fit into
its cache and were slower. The output for an image therefore does not depend on the other images.
Without OpenVINO, or if OpenVINO cannot convert the network, it runs on Keras.

docs/decisions/runtime.md explains the choice of engine, batch size and precision, with the measured
images a second, memory and differences.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens import backend
from convlens.classifier.assembly import DEPTHWISE, all_layers, with_precision
from convlens.classifier.on_openvino import compile_network, convert
from convlens.errors import BackendError, ConfigError
from convlens.language import _, listed
from convlens.preprocess import ImageArray

ENGINES = ("auto", "openvino", "keras")
KERAS_BATCH = 16  # images at a time; 64 were no faster and took 0.5 GB more

Predict = Callable[[ImageArray], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Compiled:
    """A network that is ready for inference. Only one thread may call it at a time.

    Attributes:
        predict: Maps uint8 (n, height, width, channels) to float32 (n, d), for any n.
        engine: "openvino", or the engine that Keras runs on.
        precision: "float32" or "bfloat16". Engine and precision together determine the numbers.
    """

    predict: Predict
    engine: str
    precision: str

    @property
    def arithmetic(self) -> str:
        """Its precision and engine, as files keep them; see `said_arithmetic`."""
        return f"{self.precision} on {self.engine}"

    def __call__(self, images: ImageArray) -> NDArray[np.float32]:
        """Return the float32 (n, d) output for uint8 images (n, height, width, channels)."""
        backend.refuse_after_fork()
        return self.predict(images)


def said_arithmetic(kept: str) -> str:
    """Return the `arithmetic` of a network as a text in the chosen language.

    A file that was written in Chinese before has the text of that language, which stays.

    >>> said_arithmetic("bfloat16 on openvino")
    'bfloat16 on openvino'
    """
    precision, found, engine = kept.partition(" on ")
    if not found:
        return kept
    return _("{precision} on {engine}").format(precision=precision, engine=engine)


def compile_model(model: keras.Model, precision: str = "auto", engine: str = "auto") -> Compiled:
    """Return a model compiled for inference; its weights must not change afterwards.

    Args:
        model: A model in float32 from uint8 (batch, height, width, channels) to float32 (batch, d),
            see `assembly.assemble`.
        precision: "float32", "bfloat16", or "auto" for the faster one. This is bfloat16 where the
            processor supports it, except for networks with depthwise convolutions on Keras.
        engine: "openvino", "keras", or "auto" for OpenVINO if it is installed and can run the
            network.

    Raises:
        ConfigError: If the precision or the engine is unknown.
        BackendError: If OpenVINO was asked for and is not installed or cannot run the network.
    """
    if engine not in ENGINES:
        raise ConfigError(
            _("engine must be one of {known}; found {found!r}.").format(
                known=listed(ENGINES), found=engine
            )
        )
    if engine == "openvino" or (engine == "auto" and importlib.util.find_spec("openvino")):
        try:
            return compile_on_openvino(
                convert(model),
                backend.resolve_precision(precision),
                model.output_shape[1:],
                model.name,
            )
        except BackendError:
            if engine == "openvino":
                raise
    return _on_keras(model, precision)


def keras_precision(model: keras.Model, precision: str) -> str:
    """Return the precision; for "auto", the one in which Keras computes a model faster.

    Keras is slow at depthwise convolutions in bfloat16, see docs/decisions/precision.md.
    """
    if precision == "auto" and any(isinstance(layer, DEPTHWISE) for layer in all_layers(model)):
        return "float32"
    return backend.resolve_precision(precision)


def _on_keras(model: keras.Model, precision: str) -> Compiled:
    precision = keras_precision(model, precision)
    network = with_precision(model, "mixed_bfloat16") if precision == "bfloat16" else model

    def predict(images: ImageArray) -> NDArray[np.float32]:
        outputs = np.empty((len(images), *network.output_shape[1:]), np.float32)
        for start in range(0, len(images), KERAS_BATCH):
            batch = slice(start, start + KERAS_BATCH)
            outputs[batch] = network.predict_on_batch(images[batch])
        return outputs

    return Compiled(predict, backend.engine(), precision)


def compile_on_openvino(
    network: Any, precision: str, shape: tuple[int, ...], name: str, output: int = 0
) -> Compiled:
    """Return a network of OpenVINO compiled for many images.

    Args:
        network: The network, which takes one image, or the path of its file.
        precision: "float32" or "bfloat16".
        shape: The shape of what it gives for an image.
        name: The name of the network, for messages.
        output: The number of the output that is wanted.

    Raises:
        BackendError: If OpenVINO is not installed or cannot run the network.
    """
    wanted = "bf16" if precision == "bfloat16" else "f32"
    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": wanted}
    if threads := backend.threads():
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    compiled = compile_network(network, settings, name)
    import openvino

    requests = openvino.AsyncInferQueue(compiled)

    def predict(images: ImageArray) -> NDArray[np.float32]:
        outputs = np.empty((len(images), *shape), np.float32)

        def keep(request: openvino.InferRequest, row: int) -> None:
            outputs[row] = request.get_output_tensor(output).data[0]

        requests.set_callback(keep)
        for row in range(len(images)):
            requests.start_async(images[row : row + 1], row)
        requests.wait_all()
        return outputs

    # A processor without bfloat16 computes in float32, whatever was asked for.
    used = compiled.get_property("INFERENCE_PRECISION_HINT")
    return Compiled(predict, "openvino", "bfloat16" if used == openvino.Type.bf16 else "float32")
