import json

import numpy as np
import pytest

from convlens.errors import ExportError
from convlens.export.folder import engine_version
from convlens.export.verify import verify
from tests.export.test_folder import sign


@pytest.mark.parametrize("to", ["onnx", "openvino"])
def test_a_whole_folder_is_verified(exported, to):
    found = verify(exported(to))
    assert found.examples == 15
    assert found.largest < 1e-5
    assert found.facts["format"] == to
    assert (
        found.engine_version
        == engine_version(found.facts["engine"])
        == (found.facts["engine_version"])
    )


def change_a_weight(folder):
    """Change a kernel of the network in a folder by a tenth."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(folder / "model.onnx")
    weights = next(one for one in model.graph.initializer if len(one.dims) == 4)
    values = numpy_helper.to_array(weights) * np.float32(1.1)
    weights.CopyFrom(numpy_helper.from_array(values, weights.name))
    onnx.save(model, folder / "model.onnx")


def test_a_changed_weight_is_found_by_the_file_and_by_the_examples(folder):
    change_a_weight(folder)
    with pytest.raises(ExportError, match=r"missing or changed: model\.onnx\. Export"):
        verify(folder)
    sign(folder)
    with pytest.raises(ExportError, match=r"within 0\.0001; with onnxruntime .* differ by 0\.\d+"):
        verify(folder)


def test_a_network_that_gives_no_numbers_is_found(folder):
    examples = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    examples["00-colours.jpg"][0] = float("nan")
    (folder / "examples.json").write_text(json.dumps(examples), encoding="utf-8")
    sign(folder)
    with pytest.raises(ExportError, match="they differ by nan"):
        verify(folder)
