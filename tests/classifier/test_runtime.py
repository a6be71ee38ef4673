"""Every engine computes what Keras does, and OpenVINO is silent, lazy and sends nothing."""

import subprocess
import sys
from importlib.util import find_spec

import keras
import numpy as np
import pytest
from keras import layers, ops

from convlens import backend
from convlens.classifier.runtime import KERAS_BATCH, compile_model
from convlens.errors import BackendError, ConfigError

TOLERANCE = {"float32": 1e-5, "bfloat16": 2e-2}  # of the largest feature
# This is not importorskip, since an import of OpenVINO by anybody but convlens sends telemetry.
needs_openvino = pytest.mark.skipif(
    not find_spec("openvino"), reason="needs the extra convlens[openvino]"
)


@pytest.fixture(scope="module")
def body():
    """Normalisation, strides and a depthwise convolution on uint8 images of 24 x 20."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((24, 20, 3), dtype="uint8")
    x = layers.Rescaling(1 / 255)(inputs)
    for filters in (8, 12):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.ReLU(6)(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x), name="body")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (2 * KERAS_BATCH + 5, 24, 20, 3), np.uint8)


def agree(compiled, body, images):
    expected = ops.convert_to_numpy(body(images, training=False))
    found = compiled(images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(
        found, expected, rtol=0, atol=TOLERANCE[compiled.precision] * np.abs(expected).max()
    )
    np.testing.assert_array_equal(compiled(images), found)  # the same bits again
    assert compiled(images[:0]).shape == (0, expected.shape[1])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_keras_in_batches_and_a_last_odd_one(body, images, precision):
    compiled = compile_model(body, precision, "keras")
    assert (compiled.engine, compiled.precision) == (backend.engine(), precision)
    agree(compiled, body, images)


@needs_openvino
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_openvino_computes_as_keras(body, images, precision):
    compiled = compile_model(body, precision, "openvino")
    assert compiled.engine == "openvino"
    assert compiled.precision == precision or not backend.has_fast_bfloat16()
    agree(compiled, body, images)
    alone = np.concatenate([compiled(images[i : i + 1]) for i in range(3)])
    np.testing.assert_array_equal(alone, compiled(images)[:3])  # whatever its neighbours are


@pytest.mark.slow
@needs_openvino
def test_openvino_computes_silu_whose_conversion_adds_outputs(images):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((24, 20, 3), dtype="uint8")
    x = layers.Conv2D(8, 3, strides=2, activation="silu")(layers.Rescaling(1 / 255)(inputs))
    x = layers.Activation("silu")(layers.DepthwiseConv2D(3, use_bias=False)(x))
    model = keras.Model(inputs, layers.GlobalAveragePooling2D()(x), name="curved")
    agree(compile_model(model, "float32", "openvino"), model, images)


@needs_openvino
def test_openvino_is_lazy_silent_sends_nothing_and_survives_ctrl_c_after_several_networks():
    code = """
import gc, os, signal, sys
from convlens import backend
backend.start(threads=1)
import keras, numpy as np
from convlens.classifier.runtime import compile_model
assert "openvino" not in sys.modules
def network():
    inputs = keras.Input((8, 8, 1), dtype="uint8")
    outputs = keras.layers.Flatten()(keras.layers.Rescaling(1.0)(inputs))
    return compile_model(keras.Model(inputs, outputs), "float32", "auto")
compiled = network()
assert compiled.engine == "openvino"
outputs = compiled(np.full((3, 8, 8, 1), 7, np.uint8))
np.testing.assert_array_equal(outputs, np.full((3, 64), 7, np.float32))
loaded = [name for name, module in sys.modules.items() if module]
assert not [name for name in loaded if name.startswith("openvino_telemetry")]
networks = [compiled, network(), network()]
del compiled
while networks:
    del networks[0]
    gc.collect()
signal.signal(signal.SIGINT, lambda *_: print("heard"))
os.kill(os.getpid(), signal.SIGINT)
print("alive")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "heard\nalive\n", "")


def test_without_openvino(body, images, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)  # as if not installed
    assert compile_model(body).engine == backend.engine()
    with pytest.raises(
        BackendError, match=r"cannot be imported: pip install 'convlens\[openvino\]'\.$"
    ):
        compile_model(body, engine="openvino")


@needs_openvino
def test_what_openvino_cannot_convert_runs_on_keras():
    inputs = keras.Input((6, 6, 1), dtype="uint8")
    model = keras.Model(inputs, ops.svd(ops.cast(inputs, "float32")[..., 0])[1], name="singular")
    assert compile_model(model, "float32").engine == backend.engine()
    with pytest.raises(
        BackendError, match=r"^OpenVINO cannot run singular: No .*: Svd\. Use the engine keras\.$"
    ):
        compile_model(model, "float32", "openvino")


def test_auto_precision_on_keras(body, monkeypatch):
    monkeypatch.setattr("convlens.precision.has_fast_bfloat16", lambda: True)
    # Depthwise convolutions are slower in bfloat16.
    assert compile_model(body, engine="keras").precision == "float32"
    plain = keras.Model(body.input, layers.Flatten()(layers.Conv2D(2, 3)(body.layers[1].output)))
    assert compile_model(plain, engine="keras").precision == "bfloat16"
    monkeypatch.setattr("convlens.precision.has_fast_bfloat16", lambda: False)
    assert compile_model(plain, engine="keras").precision == "float32"


def test_mistakes(body):
    with pytest.raises(
        ConfigError, match="precision must be one of auto, float32, bfloat16; found 'half'"
    ):
        compile_model(body, "half")
    with pytest.raises(
        ConfigError, match="engine must be one of auto, openvino, keras; found 'onnx'"
    ):
        compile_model(body, engine="onnx")
