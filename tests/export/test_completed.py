import keras
import numpy as np
import onnxruntime
from keras import layers

from convlens.export.convert import convert_model


def test_exact_gelus_and_grouped_convolutions_become_onnx(tmp_path):
    keras.utils.set_random_seed(0)
    images = keras.Input((9, 9, 3), dtype="uint8", name="images")
    x = layers.Conv2D(8, 3, activation="gelu")(layers.Rescaling(1 / 127.5, -1)(images))
    x = layers.Conv2D(8, 3, groups=4)(x)
    model = keras.Model(images, layers.GlobalAveragePooling2D()(x))
    convert_model(model, "onnx", tmp_path)
    given = np.random.default_rng(0).integers(0, 256, (4, 9, 9, 3)).astype(np.uint8)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (found,) = session.run(["probabilities"], {"images": given})
    expected = np.asarray(model.predict_on_batch(given))
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-5)
