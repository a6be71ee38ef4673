"""The one place that knows which engine runs underneath: choice, threads, precision, state."""

import contextlib
import gc
import importlib
import importlib.util
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.errors import BackendError, ConfigError

__all__ = [
    "choose",
    "ENGINES",
    "PRECISIONS",
    "engine",
    "gradients",
    "has_fast_bfloat16",
    "jit_compile",
    "resolve_precision",
    "start",
    "sync",
    "threads",
    "traced",
    "versions",
]

ENGINES = ("tensorflow", "jax", "torch")
PRECISIONS = ("auto", "float32", "bfloat16")


def choose(name: str) -> None:
    """Set the engine that Keras will run on, without importing it; "auto" leaves KERAS_BACKEND, else TensorFlow.

    Raises:
        BackendError: the engine is not installed, or Keras is running on another one already.
    """
    if name == "auto":
        return
    if "keras" in sys.modules:
        if engine() != name:
            raise BackendError(
                f"the engine must be chosen before Keras is imported; it runs on {engine()}, {name} was asked for. "
                f"Set KERAS_BACKEND={name} before Python starts."
            )
    elif importlib.util.find_spec(name) is None:
        raise BackendError(
            f"--backend {name} needs {name}, which is not installed: pip install {name}."
        )
    os.environ["KERAS_BACKEND"] = name


def start(name: str = "auto", threads: int | None = None) -> None:
    """Choose the engine and import it without its start-up chatter.

    Args:
        name: one of ENGINES, or "auto"; see `choose`.
        threads: processor threads; None leaves all.

    Raises:
        BackendError: see `choose`; or the threads of a running TensorFlow would have to change.
    """
    choose(name)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _silenced_stderr():  # TensorFlow speaks before its log level counts
        engine()
        if importlib.util.find_spec(
            "tensorflow"
        ):  # Keras' data adapters import it later on every engine
            importlib.import_module("tensorflow").get_logger().setLevel("ERROR")
    _limit_threads(threads)


@contextlib.contextmanager
def _silenced_stderr() -> Iterator[None]:
    """Send what C++ code writes to file descriptor 2 nowhere; Python's exceptions still come through."""
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def engine() -> str:
    """Return the name of the engine that Keras runs on."""
    import keras

    return str(keras.backend.backend())


def _limit_threads(threads: int | None) -> None:
    if threads is None:
        return
    if engine() == "tensorflow":
        import tensorflow as tf

        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        except RuntimeError as error:
            found = tf.config.threading.get_intra_op_parallelism_threads()
            if found != threads:
                raise BackendError(
                    "--threads must be set before TensorFlow computes anything in a process."
                ) from error
    elif engine() == "torch":
        import torch

        torch.set_num_threads(threads)
    elif hasattr(os, "sched_setaffinity"):  # JAX sizes its pool by the processors it may run on
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def threads() -> int:
    """Return the processor threads that TensorFlow was limited to; 0 stands for all, as with other engines."""
    if engine() != "tensorflow":
        return 0
    import tensorflow as tf

    return int(tf.config.threading.get_intra_op_parallelism_threads())


def traced(model: Any, shape: Sequence[int]) -> Any:
    """Return a model's answers to uint8 arrays of a shape as a TensorFlow function, which converters understand.

    Raises:
        BackendError: Keras runs on another engine.
    """
    if engine() != "tensorflow":
        raise BackendError(
            f"models can be converted where Keras runs on tensorflow; it runs on {engine()}."
        )
    import tensorflow as tf

    function = tf.function(lambda images: model(images, training=False), autograph=False)
    return function.get_concrete_function(tf.TensorSpec(shape, tf.uint8))


def has_fast_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16 in hardware (AMX or AVX-512 BF16, found at run time).

    What it brings was measured: docs/decisions/precision.md.
    """
    path = Path("/proc/cpuinfo")
    flags = path.read_text(encoding="ascii", errors="replace").split() if path.exists() else []
    return "amx_bf16" in flags or "avx512_bf16" in flags


def resolve_precision(precision: str) -> str:
    """Return the precision; for "auto", the one in which this processor computes faster.

    Raises:
        ConfigError: If the precision is not one of PRECISIONS.
    """
    if precision not in PRECISIONS:
        raise ConfigError(
            "precision must be one of {known}; found {found!r}.".format(
                known=", ".join(PRECISIONS), found=precision
            )
        )
    if precision != "auto":
        return precision
    return "bfloat16" if has_fast_bfloat16() else "float32"


def jit_compile() -> bool | str:
    """Return Keras' `jit_compile` for this engine: XLA made TensorFlow 7 times slower on a CPU, JAX needs it."""
    return "auto" if engine() == "jax" else False


def sync(model: Any) -> None:
    """Write what the engine holds in its own memory back to the model's variables (JAX within `fit`)."""
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()


@contextlib.contextmanager
def unchanged(model: Any) -> Iterator[None]:
    """Give a compiled model and its optimizer, inside the block changed, their values back at the end."""
    import keras

    variables = [*model.variables, *model.optimizer.variables]
    values = [keras.ops.convert_to_numpy(variable).copy() for variable in variables]
    yield
    sync(model)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def gradients(
    function: Callable[[list[Any]], Any], values: Sequence[NDArray[Any]]
) -> list[NDArray[Any]]:
    """Return the derivative of a function by each number of its arguments, by the engine's own differentiation.

    Args:
        function: takes a tensor for each of the values, gives one number.
        values: where to differentiate.
    """
    import keras

    tensors = [keras.ops.convert_to_tensor(value) for value in values]
    if engine() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            answer = function(tensors)
        found = tape.gradient(answer, tensors, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    elif engine() == "torch":
        import torch

        tensors = [tensor.detach().requires_grad_() for tensor in tensors]
        found = torch.autograd.grad(function(tensors), tensors, allow_unused=True)
        found = [
            torch.zeros_like(t) if one is None else one
            for t, one in zip(tensors, found, strict=True)
        ]
    else:
        import jax

        found = jax.grad(function)(tensors)
    return [np.asarray(keras.ops.convert_to_numpy(one)) for one in found]


@contextlib.contextmanager
def forgotten() -> Iterator[None]:
    """Free, on leaving, what TensorFlow keeps of each training step that was traced inside.

    Its registry of custom gradients holds on to the whole graph with all variables of model and optimizer, and is
    never emptied; Keras' optimizer enters one a traced training step. So each network that one process trains would
    stay in memory: 0.19 GB of a resnet18, measured. What was traced inside must not be differentiated afterwards.
    """
    registry: dict[str, Any] = {}
    if engine() == "tensorflow":
        ops = importlib.import_module("tensorflow.python.framework.ops")
        registry = getattr(getattr(ops, "gradient_registry", None), "_registry", registry)
    before = set(registry)
    try:
        yield
    finally:
        for name in set(registry) - before:
            if name.startswith("CustomGradient-"):
                del registry[name]
        gc.collect()


def versions() -> dict[str, str]:
    """Return versions of Python, convlens, Keras and the engine, and the processor count."""
    found = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    for package in ("convlens", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found | {"engine": engine(), "cores": str(os.cpu_count())}
