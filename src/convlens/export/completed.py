"""Completed: what tf2onnx does not know of the operations of Keras layers.

The exact GELU of Keras is computed with Erfc, for which tf2onnx has no rule. A grouped convolution
is compiled with XLA, whose calls tf2onnx does not look into; its graph needs no XLA.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock


@contextmanager
def tf2onnx_completed() -> Iterator[None]:
    """Let tf2onnx convert exact GELUs and grouped convolutions inside the block."""
    import numpy as np
    import tensorflow
    from tf2onnx.handler import tf_op  # type: ignore[import-untyped]

    @tf_op("Erfc")
    class Erfc:
        """erfc(x) = 1 - erf(x)."""

        @classmethod
        def version_9(cls, ctx: Any, node: Any, **_kwargs: Any) -> None:
            data_type = ctx.get_dtype(node.output[0])
            shape = ctx.get_shape(node.output[0])
            one = ctx.make_const(f"{node.name}_one", np.array(1, np.float32)).output[0]
            erf = ctx.make_node("Erf", node.input[:1], shapes=[shape], dtypes=[data_type])
            ctx.remove_node(node.name)
            ctx.make_node(
                "Sub",
                [one, erf.output[0]],
                name=node.name,
                outputs=node.output,
                shapes=[shape],
                dtypes=[data_type],
            )

    real = tensorflow.function

    def function(func: Callable[..., Any] | None = None, **settings: Any) -> Any:
        if func is None and settings.get("jit_compile"):
            return lambda given: given
        return real(func, **settings)

    with mock.patch.object(tensorflow, "function", function):
        yield
