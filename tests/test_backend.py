import gc
import subprocess
import sys

import keras
import numpy as np
import pytest
from tensorflow.python.framework.func_graph import FuncGraph

from convlens import backend
from convlens.errors import BackendError


def test_another_engine_than_the_running_one_is_refused():
    other = next(name for name in backend.ENGINES if name != backend.engine())
    with pytest.raises(BackendError, match="before Keras is imported"):
        backend.start(other)


def test_an_engine_that_is_not_installed_is_named():
    code = (
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'jax' else find(name, *a)\n"
        "from convlens.cli import main; main(['train', 'digits', '--backend', 'jax'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 8
    assert "pip install jax" in done.stderr
    assert "Traceback" not in done.stderr


def test_start_is_silent_and_threads_cannot_be_changed_late():
    code = (
        "from convlens import backend; backend.start(threads=1); import tensorflow as tf\n"
        "assert tf.config.threading.get_intra_op_parallelism_threads() == 1\n"
        "tf.constant(1) + 1\n"
        "try: backend.start(threads=2)\n"
        "except Exception as e: print(type(e).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("BackendError\n", "")


def test_start_imports_keras_without_searches_for_garbage():
    code = (
        "import gc; from convlens import backend\n"
        "def searches(): return sum(one['collections'] for one in gc.get_stats())\n"
        "before = searches(); backend.start(); print(searches() - before < 10, gc.isenabled())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"


def test_versions_name_the_engine():
    assert backend.versions()["engine"] == backend.engine()
    assert "keras" in backend.versions()


def test_a_network_that_is_trained_inside_forgotten_leaves_no_graph_behind():
    def graphs() -> int:
        gc.collect()
        return sum(isinstance(one, FuncGraph) for one in gc.get_objects())

    def train() -> None:
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("adamw", "mse", jit_compile=False)
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)

    train()  # what the first training of a process leaves once
    before = graphs()
    with backend.forgotten():
        train()
    assert graphs() == before
    train()
    assert graphs() > before  # else TensorFlow has learned to forget, and `forgotten` can go
