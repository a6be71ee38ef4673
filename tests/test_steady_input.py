"""Batches reach TensorFlow without the thread for whose end it may wait up to a minute."""

import numpy as np
from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

from convlens import backend
from convlens.data.batches import Batches
from convlens.steady_input import hand_over_steadily


def test_the_pipeline_of_a_training_is_not_tuned():
    backend.start()
    images = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)
    batches = Batches(images, np.zeros(10, np.int64), np.arange(10), num_classes=2, batch_size=4)
    pipeline = PyDatasetAdapter(batches).get_tf_dataset()
    assert pipeline.options().autotune.enabled is False
    given = [pixels.numpy().ravel().tolist() for pixels, _targets in pipeline]
    assert given == [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]


def test_keras_is_changed_once():
    hand_over_steadily()
    once = PyDatasetAdapter.get_tf_dataset
    hand_over_steadily()
    assert PyDatasetAdapter.get_tf_dataset is once
