import keras
import numpy as np
import pytest
from keras import layers

from convlens.maps.nearest import deciding_body, nearest, usual_cosines


def test_rows_of_the_same_direction_are_nearest():
    rows = np.array([[1, 0], [2, 2.2], [0, -1], [0, 0]], np.float32)
    order, cosines = nearest(np.array([1, 1], np.float32), rows, 2)
    assert order.tolist() == [1, 0]
    np.testing.assert_allclose(cosines, [0.9989, 0.7071], atol=1e-4)


def test_features_are_the_input_of_the_last_dense_layer():
    inputs = keras.Input((8, 8, 3))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(5, 3)(inputs))
    model = keras.Model(inputs, layers.Dense(2)(layers.Dense(4, "relu")(pooled)))
    assert deciding_body(model).output_shape == (None, 4)
    no_dense = keras.Model(inputs, layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(inputs)))
    assert deciding_body(no_dense).output_shape == (None, 2)


def test_usual_cosines_are_those_of_the_nearest_other_image():
    angles = np.deg2rad([0.0, 10.0, 20.0, 90.0])
    rows = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    least, middle = usual_cosines(rows)
    assert middle == pytest.approx(np.cos(np.deg2rad(10)), abs=1e-6)
    # Of four images, the last is 70 degrees away from all others.
    far, near = np.cos(np.deg2rad([70, 10]))
    assert least == pytest.approx(far + 3 * 0.05 * (near - far), abs=1e-6)
    assert usual_cosines(rows[:1]) == (1.0, 1.0)
