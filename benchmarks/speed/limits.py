"""Measure what the machine can do: matrix products in float32 and bfloat16, and copies.

python benchmarks/speed/limits.py

Prints one line of JSON. The speeds of trainings are compared with these.
"""

import json
import os
import statistics
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import numpy as np
import tensorflow as tf

SIDE = 2048  # of the square matrices
BYTES = 64 * 2**20  # of a copied array, more than a cache holds
ROUNDS = 7


def main() -> None:
    """Print the medians."""
    print(
        json.dumps(
            {
                "float32_gflops": product_rate(tf.float32),
                "bfloat16_gflops": product_rate(tf.bfloat16),
                "copy_gb_per_second": copy_rate(),
            }
        )
    )


def product_rate(dtype: tf.DType) -> float:
    """Return the operations of a matrix product in 10^9 a second, each multiply-add as two."""
    matrix = tf.cast(tf.random.normal((SIDE, SIDE)), dtype)
    product = tf.function(lambda: tf.matmul(matrix, matrix))
    product().numpy()
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        product().numpy()
        seconds.append(time.perf_counter() - began)
    return round(2 * SIDE**3 / statistics.median(seconds) / 1e9, 1)


def copy_rate() -> float:
    """Return the bytes that are read and written in 10^9 a second."""
    source, target = np.ones(BYTES, np.uint8), np.ones(BYTES, np.uint8)
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        np.copyto(target, source)
        seconds.append(time.perf_counter() - began)
    return round(2 * BYTES / statistics.median(seconds) / 1e9, 1)


if __name__ == "__main__":
    main()
