"""Convert: a classifier file as a network of another engine, in a process of its own.

The converters need TensorFlow, whatever engine Keras runs on here, and print much. `convert` starts
this module as a program, with TensorFlow under Keras.
"""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from convlens.errors import ExportError
from convlens.export.process import check_room, reason_of
from convlens.export.target import FORMATS, Target
from convlens.language import _
from convlens.preprocess import Preprocessing
from convlens.processes import own_command

# The lines with which OpenVINO and LiteRT name the operations that they do not know.
# not translated: they are of other programs
TELLING = ("Custom ops:", "-- No conversion rule", "-- Conversion is failed for")
RESIZED = "resized"  # the planes of bytes within a network that resizes its images
SIDES = ("height", "width")  # names of axes that have any size
ANY_SIZE = "any-size"  # not translated: a word of the program of this module
OPSET = 18  # of ONNX; it is pinned, so that the same classifier always gives the same operations


def convert(saved: Path, target: Target, folder: Path) -> None:
    """Write the network of a file into a folder.

    Args:
        saved: A classifier file, or another file that Keras saved.
        target: The format. Of the precisions, only float16 of LiteRT is written here; see
            `quantise` for the others.
        folder: The folder, which exists.

    Raises:
        ExportError: If the network cannot be converted.
        OSError: If the disk is full.
    """
    environment = os.environ | {
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    words = (saved, target.to, target.precision, folder, *([ANY_SIZE] if target.any_size else []))
    done = subprocess.run(
        own_command("convlens.export.convert", *words),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode or not (folder / FORMATS[target.to].file).exists():
        check_room(folder, saved)
        # not translated: a flag
        smaller = "" if target.to == "openvino" else "--to openvino"
        raise ExportError(
            _("the network cannot be converted to {format}: {reason}.").format(
                format=target.to,
                reason=reason_of(done, _telling_line(done.stderr), smaller),
            )
        )


def _telling_line(errors: str) -> str:
    """Return the line of what a converter has written that names an unknown operation, if any."""
    lines = [line.strip().rstrip(".") for line in errors.splitlines()]
    telling = [line.removeprefix("-- ") for line in lines if line.startswith(TELLING)]
    return telling[0] if telling else ""


def convert_model(model: Any, to: str, folder: Path) -> None:
    """Write a Keras model into a folder; see `convert`."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "model.keras"
        model.save(path)
        convert(path, Target(to), folder)


def main(saved: str, to: str, precision: str, folder: str, size: str = "") -> None:
    """Convert a network that Keras saved; the program of this module."""
    import keras

    from convlens import backend
    from convlens.export.completed import tf2onnx_completed

    backend.start("tensorflow")
    model = keras.models.load_model(saved, compile=False)
    properties = _properties(Path(saved))
    if size == ANY_SIZE:
        model = _with_resize(model, properties)
    # The converter of ONNX refuses a network that was never called.
    model(keras.ops.zeros([side or 1 for side in model.input_shape], "uint8"))
    path = Path(folder) / FORMATS[to].file
    if to == "saved_model":
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint("serve", model.call, input_signature=[_signature(model)])
        archive.write_out(str(path), verbose=False)
    elif to in ("onnx", "web"):
        with tf2onnx_completed():
            model.export(str(path), format="onnx", verbose=False, opset_version=OPSET)
        _complete_onnx(path, properties)
    elif to == "openvino":
        _write_openvino(model, path, properties)
    else:
        model.export(str(path), format="litert", verbose=False, **_litert_settings(precision))


def _litert_settings(precision: str) -> dict[str, Any]:
    """Return the settings with which LiteRT keeps kernels in float16, and computes in float32."""
    import tensorflow

    if precision == "float32":
        return {}
    return {
        "optimizations": [tensorflow.lite.Optimize.DEFAULT],
        "target_spec": {"supported_types": [tensorflow.float16]},
    }


def _with_resize(model: Any, properties: dict[str, str]) -> Any:
    """Return a network that resizes its images, and add to the properties that it does."""
    import keras

    from convlens.export.resize import Resized

    facts = json.loads(properties["preprocessing"])
    images = keras.Input((None, None, facts["channels"]), dtype="uint8", name="images")
    resized = Resized(Preprocessing.from_dict(facts))(images)
    properties["preprocessing"] = json.dumps(facts | {"any_size": True})
    return keras.Model(images, model(resized), name=model.name)


def _signature(model: Any) -> Any:
    import keras

    return keras.InputSpec(shape=(None, *model.input_shape[1:]), dtype="uint8", name="images")


def _properties(saved: Path) -> dict[str, str]:
    """Return what the network itself says of its classes and its input, as JSON."""
    from convlens.classifier.archive import ENTRY

    with zipfile.ZipFile(saved) as archive:
        if ENTRY not in archive.namelist():
            return {}
        facts = json.loads(archive.read(ENTRY))
    names = ("class_names", "preprocessing", "threshold")
    return {name: json.dumps(facts[name], ensure_ascii=False) for name in names}


def _complete_onnx(path: Path, properties: dict[str, str]) -> None:
    """Name input, output and batch axis as in every exported network, and add the properties."""
    import onnx

    model = onnx.load(path)
    graph = model.graph
    names = {graph.input[0].name: "images", graph.output[0].name: "probabilities"}
    if "any_size" in properties.get("preprocessing", ""):
        names[_bytes_of(graph)] = RESIZED
    for node in graph.node:
        for place in (node.input, node.output):
            for index, name in enumerate(place):
                place[index] = names.get(name, name)
    del graph.value_info[:]  # what the converter knew of inner shapes, by the former names
    for value in (*graph.input, *graph.output):
        value.name = names[value.name]
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    for side, name in zip(graph.input[0].type.tensor_type.shape.dim[1:3], SIDES, strict=True):
        if not side.dim_value:
            side.dim_param = name
    onnx.helper.set_model_props(model, properties)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _bytes_of(graph: Any) -> str:
    """Return the name of the first value of a graph of ONNX that is made bytes."""
    import onnx

    return next(
        str(node.output[0])
        for node in graph.node
        if node.op_type == "Cast" and node.attribute[0].i == onnx.TensorProto.UINT8
    )


def _write_openvino(model: Any, path: Path, properties: dict[str, str]) -> None:
    """Write a network of OpenVINO in float32; its own default would be float16."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    from convlens import backend

    network = openvino.convert_model(backend.traced(model, model.input_shape))
    # Shapes that are computed on the way would be outputs, too.
    for result in network.get_results()[1:]:
        network.remove_result(result)
    network.inputs[0].set_names({"images"})
    network.outputs[0].set_names({"probabilities"})
    for node in network.get_ordered_ops():
        if node.get_type_name() == "Convert" and node.get_element_type() == openvino.Type.u8:
            node.output(0).set_names({RESIZED})
            break
    for name, text in properties.items():
        network.set_rt_info(text, ["convlens", name])
    openvino.save_model(network, str(path), compress_to_fp16=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
