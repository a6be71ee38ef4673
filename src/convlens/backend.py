"""Backend: the engine under Keras, its threads and its state.

`convlens.training.fused_norm` has a layer for TensorFlow alone, `convlens.steady_input` changes its
input pipeline, `convlens.classifier.on_openvino` and `runtime` have OpenVINO, and exports have
their own engines. All other code uses Keras and works on every engine.
"""

import contextlib
import gc
import importlib
import importlib.util
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from convlens.errors import BackendError
from convlens.language import _
from convlens.precision import PRECISIONS, has_fast_bfloat16, resolve_precision
from convlens.quiet import silenced_stderr, uncollected, unswallowed
from convlens.steady_input import hand_over_steadily

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
_COMPUTING: set[int] = set()  # the number of this process, or of the one that it was forked from


def choose(name: str) -> None:
    """Set the engine that Keras will run on, without importing it.

    Args:
        name: One of ENGINES, or "auto" for what KERAS_BACKEND says, or else TensorFlow.

    Raises:
        BackendError: If the engine is not installed, or if Keras already runs on another one.
    """
    if name == "auto":
        return
    if "keras" in sys.modules:
        if engine() != name:
            raise BackendError(
                (
                    _(
                        "the engine must be chosen before Keras is imported; Keras runs on "
                        "{found}, and {name} was asked for. Set KERAS_BACKEND={name} before Python "
                        "starts."
                    )
                ).format(found=engine(), name=name)
            )
    elif importlib.util.find_spec(name) is None:
        raise BackendError(
            _("--backend {name} needs {name}, which is not installed: pip install {name}.").format(
                name=name
            )
        )
    os.environ["KERAS_BACKEND"] = name


def start(name: str = "auto", threads: int | None = None) -> None:
    """Choose the engine and import it without the messages that it prints at its start.

    Args:
        name: One of ENGINES, or "auto"; see `choose`.
        threads: The number of processor threads, or None for all.

    Raises:
        BackendError: If the engine cannot be chosen, see `choose`, or if TensorFlow is running
            with another number of threads.
    """
    choose(name)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow prints messages before it reads its log level. Keras' data adapters import it on
    # every engine, so it is silenced on every engine.
    with unswallowed(), silenced_stderr(), uncollected():
        engine()
        if importlib.util.find_spec("tensorflow"):
            importlib.import_module("tensorflow").get_logger().setLevel("ERROR")
    if engine() == "tensorflow":
        hand_over_steadily()
    _limit_threads(threads)


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
                    (
                        _(
                            "--threads must be set before TensorFlow computes anything in a "
                            "process; it runs with {found} threads, and {threads} were asked for."
                        )
                    ).format(found=found, threads=threads)
                ) from error
    elif engine() == "torch":
        import torch

        torch.set_num_threads(threads)
    elif hasattr(os, "sched_setaffinity"):
        # JAX starts as many threads as there are processors that it may run on.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def threads() -> int:
    """Return the number of threads that TensorFlow was limited to; 0 is all, or another engine."""
    if engine() != "tensorflow":
        return 0
    import tensorflow as tf

    return int(tf.config.threading.get_intra_op_parallelism_threads())


def traced(model: Any, shape: Sequence[int | None]) -> Any:
    """Return a model as a TensorFlow function, which converters of other libraries understand.

    Args:
        model: A Keras model that takes images.
        shape: The shape of the uint8 arrays that the function takes.

    Raises:
        BackendError: If Keras runs on another engine than TensorFlow.
    """
    if engine() != "tensorflow":
        raise BackendError(
            _("a model can be converted only if Keras runs on tensorflow; it is {found}.").format(
                found=engine()
            )
        )
    import tensorflow as tf

    function = tf.function(lambda images: model(images, training=False), autograph=False)
    return function.get_concrete_function(tf.TensorSpec(shape, tf.uint8))


def refuse_after_fork() -> None:
    """Note that this process computes; raise an error if it was forked from one that did.

    The threads of the engine do not survive a fork, and the child would wait for them for ever.

    Raises:
        BackendError: If this process was forked from one that had computed.
    """
    if _COMPUTING and os.getpid() not in _COMPUTING:
        raise BackendError(
            _(
                "a process that was forked from one in which {engine} has computed cannot compute; "
                "this one is process {child}, forked from {parent}. Start it with "
                "multiprocessing.get_context('spawn'), or fork before the first prediction."
            ).format(engine=engine(), child=os.getpid(), parent=next(iter(_COMPUTING)))
        )
    _COMPUTING.add(os.getpid())


def jit_compile() -> bool | str:
    """Return the value of Keras' `jit_compile` for this engine.

    JAX needs XLA. TensorFlow became 7 times slower with it on a CPU.
    """
    return "auto" if engine() == "jax" else False


def sync(model: Any) -> None:
    """Write state that the engine holds (JAX within `fit`) back to the variables of the model."""
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()


def gathered(tensor: Any) -> Any:
    """Return a tensor of which several processes have computed some rows each, with all rows."""
    import keras

    distribution = keras.distribution.distribution()
    if distribution is None:
        return tensor
    rows = keras.distribution.TensorLayout([None] * len(tensor.shape), distribution.device_mesh)
    return keras.distribution.distribute_tensor(tensor, rows)


@contextlib.contextmanager
def unchanged(model: Any) -> Iterator[None]:
    """Restore the values of a compiled model and its optimizer at the end of the block."""
    import keras

    variables = [*model.variables, *model.optimizer.variables]
    values = [keras.ops.convert_to_numpy(variable).copy() for variable in variables]
    yield
    sync(model)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def gradients(
    function: Callable[[list[Any]], Any], values: Sequence["NDArray[Any]"]
) -> "list[NDArray[Any]]":
    """Return the gradients of a function, by the automatic differentiation of the engine.

    Args:
        function: A function of a list of tensors that returns one number.
        values: The arrays at which the function is differentiated.

    Returns:
        For each array an array of its shape; zeros where the function does not depend on it.
    """
    import keras
    import numpy as np

    tensors = [keras.ops.convert_to_tensor(value) for value in values]
    if engine() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            result = function(tensors)
        found = tape.gradient(result, tensors, unconnected_gradients=tf.UnconnectedGradients.ZERO)
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
    """Free, at the end of the block, the memory of training steps that TensorFlow traced in it.

    Keras' optimizer registers a custom gradient for each training step that is traced. TensorFlow
    never empties that registry, and its entries hold the whole graph with all variables of the
    model and the optimizer. Each network that a process trains would stay in memory: 0.19 GB for a
    resnet18, measured. What was traced in the block must not be differentiated afterwards.
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
    """Return the versions of Python, the system and the packages, the engine and the core count."""
    from importlib.metadata import PackageNotFoundError, version

    found = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    for package in ("convlens", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "numpy"):
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found | {"engine": engine(), "cores": str(os.cpu_count())}
