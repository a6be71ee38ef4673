"""Steady input: batches reach TensorFlow without the thread that tunes an input pipeline.

TensorFlow starts such a thread for each epoch and waits for its end. The thread may miss that it is
to end, and then sleeps on, up to as long as the epoch took and a minute at most
(docs/decisions/steady_input.md). On two cores every third epoch of Fashion-MNIST took 20 seconds
instead of 12. A pipeline that hands over the batches of one generator has nothing to tune.
"""

from functools import wraps
from typing import Any


def hand_over_steadily() -> None:
    """Let Keras make the input pipelines of TensorFlow without tuning from now on."""
    import tensorflow as tf
    from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

    make = PyDatasetAdapter.get_tf_dataset
    if hasattr(make, "__wrapped__"):  # It was called before.
        return

    @wraps(make)
    def without_tuning(adapter: PyDatasetAdapter) -> Any:
        options = tf.data.Options()
        options.autotune.enabled = False
        return make(adapter).with_options(options)

    PyDatasetAdapter.get_tf_dataset = without_tuning
