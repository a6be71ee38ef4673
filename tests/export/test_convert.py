"""The networks of the converters, opened with the libraries of the engines."""

import errno
import importlib.util
import json
from types import SimpleNamespace

import numpy as np
import pytest

from convlens.classifier.classifier import Classifier
from convlens.errors import ExportError
from convlens.export import convert as convert_module
from convlens.export.convert import OPSET, convert
from convlens.export.standalone import ENGINES
from convlens.export.target import FORMATS, Target
from tests.export.conftest import NAMES, SEEN

slow = pytest.mark.slow
EACH = [
    "onnx",
    "openvino",
    pytest.param("litert", marks=slow),
    pytest.param("saved_model", marks=slow),
]


@pytest.mark.parametrize("to", EACH)
def test_each_format_gives_the_probabilities_of_the_classifier(
    exported, classifier_file, images, to
):
    run = ENGINES[to](exported(to) / FORMATS[to].file)
    expected = Classifier.load(classifier_file).probabilities(images)
    assert len(set(expected.argmax(1))) > 1
    np.testing.assert_allclose(run(images), expected, atol=1e-5)
    np.testing.assert_allclose(run(images[3:4]), expected[3:4], atol=1e-5)


def test_the_network_of_onnx_says_what_it_takes(exported):
    import onnx

    model = onnx.load(exported("onnx") / "model.onnx")
    assert [one.version for one in model.opset_import if one.domain == ""] == [OPSET]
    (given,) = model.graph.input
    (found,) = model.graph.output
    assert (given.name, found.name) == ("images", "probabilities")
    assert given.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert found.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    sides = [side.dim_param or side.dim_value for side in given.type.tensor_type.shape.dim]
    assert sides == ["batch", *SEEN.shape]
    sides = [side.dim_param or side.dim_value for side in found.type.tensor_type.shape.dim]
    assert sides == ["batch", 3]
    properties = {one.key: json.loads(one.value) for one in model.metadata_props}
    assert properties["class_names"] == list(NAMES)
    assert properties["preprocessing"]["fit"] == "pad"
    assert properties["preprocessing"]["unit"] == [0, 1023]
    assert properties["threshold"] == 0.6


def test_the_network_of_openvino_says_what_it_takes(exported):
    import openvino

    model = openvino.Core().read_model(exported("openvino") / "model.xml")
    (given,) = model.inputs
    (found,) = model.outputs
    assert (given.get_any_name(), found.get_any_name()) == ("images", "probabilities")
    assert given.get_element_type() == openvino.Type.u8
    assert found.get_element_type() == openvino.Type.f32
    assert given.partial_shape[0].is_dynamic
    assert [side.get_length() for side in list(given.partial_shape)[1:]] == list(SEEN.shape)
    names = model.get_rt_info(["convlens", "class_names"]).astype(str)
    assert json.loads(names) == list(NAMES)
    constants = {
        node.get_element_type() for node in model.get_ops() if node.get_type_name() == "Constant"
    }
    assert openvino.Type.f16 not in constants  # OpenVINO's own default would halve the precision


def test_the_last_words_of_a_converter_are_its_reason(tmp_path, monkeypatch):
    (tmp_path / "x.keras").write_bytes(b"network")
    program = tmp_path / "python"
    monkeypatch.setattr("convlens.processes.PYTHON", (str(program),))
    program.write_text("#!/bin/sh\necho Traceback >&2\necho 'ValueError: no Foo' >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(ExportError, match=r"^the network cannot be converted to onnx: .*no Foo\.$"):
        convert(tmp_path / "x.keras", Target("onnx"), tmp_path)
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    with pytest.raises(ExportError, match=r"stopped by signal 9, .* --to openvino, which"):
        convert(tmp_path / "x.keras", Target("onnx"), tmp_path)
    program.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(ExportError, match="onnx: the program was stopped"):
        convert(tmp_path / "x.keras", Target("onnx"), tmp_path)


def test_a_converter_that_stops_on_a_full_disk_is_no_fault_of_a_layer(tmp_path, monkeypatch):
    (tmp_path / "x.keras").write_bytes(b"network")
    monkeypatch.setattr("convlens.processes.PYTHON", ("/bin/false",))
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=3))
    with pytest.raises(OSError, match="No space left") as raised:
        convert(tmp_path / "x.keras", Target("onnx"), tmp_path)
    assert raised.value.errno == errno.ENOSPC


@slow
def test_a_file_that_is_no_network_is_told(tmp_path):
    (tmp_path / "x.keras").write_bytes(b"nothing")
    with pytest.raises(ExportError, match=r"cannot be converted to saved_model: .+") as raised:
        convert(tmp_path / "x.keras", Target("saved_model"), tmp_path)
    assert "\n" not in str(raised.value)


def test_every_package_of_a_format_is_named_as_it_is_imported():
    for wanted in FORMATS.values():
        for name in wanted.needs:
            assert importlib.util.find_spec(name) is not None, name


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        ("Traceback\nValueError: no Foo.\n", ""),
        (
            "Summary:\n-- No conversion rule found for operations: Foo\n-- Conversion is failed\n"
            "To facilitate the conversion of unsupported operations, refer to the documentation\n",
            "No conversion rule found for operations: Foo",
        ),
        ("error:\nCustom ops: ScaleAndTranslate\n}) {tf.entry}\n", "Custom ops: ScaleAndTranslate"),
        (" \n", ""),
    ],
)
def test_the_line_that_names_the_operation_is_the_reason(errors, reason):
    assert convert_module._telling_line(errors) == reason
