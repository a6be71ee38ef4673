"""Quantise: an exported network in a lower precision, in a process of its own.

float16 keeps the kernels in half the bytes; the engine computes in float32 as before. int8 is
post-training quantisation with NNCF, calibrated on training images: convolutions and dense layers
take and multiply integers of 8 bits. Three things stay in float32: the scaling of the pixels, the
last layer, which gives the logits, and temperature and softmax behind it.

NNCF prints and imports much. `quantise` starts this module as a program.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from convlens.errors import ExportError
from convlens.export.process import check_room, reason_of
from convlens.export.target import Target
from convlens.language import _
from convlens.preprocess import ImageArray
from convlens.processes import own_command

CALIBRATED_ON = 300  # training images; NNCF recommends this number
SEED = 0  # of their choice
WITH_WEIGHTS = {"Conv", "Convolution", "Gemm", "GroupConvolution", "MatMul"}


def quantise(network: Path, target: Target, folder: Path, training: ImageArray) -> None:
    """Write a network in a lower precision into another folder, under the same name.

    Args:
        network: The file of the network in float32.
        target: Its format and the precision.
        folder: The other folder, which exists.
        training: (n, height, width, channels) uint8 training images, which int8 needs.

    Raises:
        ExportError: If the network cannot be written in this precision.
        OSError: If the disk is full.
    """
    with tempfile.TemporaryDirectory() as place:
        given = Path(place) / "training.npy"
        np.save(given, training)
        words = [str(network), target.to, target.precision, str(folder / network.name), str(given)]
        done = subprocess.run(
            own_command("convlens.export.quantise", *words),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode or not (folder / network.name).exists():
        check_room(folder, network)
        raise ExportError(
            _(
                "the network cannot be written in {precision}: {reason}. Nothing was exported."
            ).format(
                precision=target.precision,
                reason=reason_of(done),
            )
        )


def main(network: str, to: str, precision: str, out: str, training: str) -> None:
    """Write a network in a lower precision; the program of this module."""
    # OpenVINO and NNCF report their use to their maker if they find this package.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    write = {"onnx": _write_onnx, "web": _write_onnx, "openvino": _write_openvino}[to]
    write(network, precision, out, np.load(training, mmap_mode="r"))


def _write_openvino(network: str, precision: str, out: str, training: ImageArray) -> None:
    import openvino

    model = openvino.Core().read_model(network)
    if precision == "int8":
        layers = [(op.get_type_name(), op.get_friendly_name()) for op in model.get_ordered_ops()]
        model = _quantised(model, [image[None] for image in training], layers)
    openvino.save_model(model, out, compress_to_fp16=precision == "float16")


def _write_onnx(network: str, precision: str, out: str, training: ImageArray) -> None:
    import onnx

    model = onnx.load(network)
    if precision == "int8":
        properties = {one.key: one.value for one in model.metadata_props}
        layers = [(node.op_type, node.name) for node in model.graph.node]
        model = _quantised(model, [{"images": image[None]} for image in training], layers)
        onnx.helper.set_model_props(model, properties)
    else:
        _halve(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, out)


def _quantised(model: Any, given: list[Any], operations: list[tuple[str, str]]) -> Any:
    """Return a network of OpenVINO or ONNX with integers of 8 bits.

    These settings were compared on several networks, see docs/export.md. Weights use 7 of the 8
    bits: with 8, processors without VNNI would clip sums of products, which they form in 16 bits,
    and the same file would give other probabilities on them.

    Args:
        model: The network in float32.
        given: What it is run with to be calibrated.
        operations: The kinds and names of its operations, in the order in which they are computed.
    """
    import nncf
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix

    last = [name for kind, name in operations if kind in WITH_WEIGHTS][-1]
    return nncf.quantize(
        model,
        nncf.Dataset(given),
        subset_size=len(given),
        fast_bias_correction=False,
        ignored_scope=nncf.IgnoredScope(names=[last]),
        advanced_parameters=AdvancedQuantizationParameters(overflow_fix=OverflowFix.ENABLE),
    )


def _halve(model: Any) -> None:
    """Store the kernels of a network of ONNX in float16, each with a cast to float32 behind it.

    ONNX Runtime applies the casts when it opens the file. Kernels with values that float16 cannot
    hold stay as they are, and so do vectors and single numbers, which take no space.
    """
    import onnx

    casts = []
    for kernel in model.graph.initializer:
        values = onnx.numpy_helper.to_array(kernel)
        if values.dtype != np.float32 or values.ndim < 2:
            continue
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if not np.isfinite(half).all():
            continue
        name = kernel.name
        kernel.CopyFrom(onnx.numpy_helper.from_array(half, f"{name}_float16"))
        casts.append(
            onnx.helper.make_node("Cast", [kernel.name], [name], to=onnx.TensorProto.FLOAT)
        )
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


if __name__ == "__main__":
    main(*sys.argv[1:])
