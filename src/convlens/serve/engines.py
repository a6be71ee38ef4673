"""Engines: a network that several threads run at once, or one thread with all processors.

Images that wait together are computed at the same time, one in each thread, rather than as a batch:
this takes the least processor time for an image, see docs/decisions/serving.md. An image that is
alone gets all threads. The output for an image therefore does not depend on other images.
"""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens.export.standalone import Network
from convlens.preprocess import ImageArray

Run = Callable[[ImageArray], NDArray[np.float32]]


class Engine(NamedTuple):
    """Two ways to run a network; any number of threads may call both.

    Attributes:
        alone: Maps uint8 (n, height, width, channels) to float32 (n, num_classes) with all threads.
        beside: Does the same with one thread, while others do it too.
    """

    alone: Run
    beside: Run


def open_engine(network: Network, threads: int) -> Engine:
    """Return a network of an exported folder as an engine with a number of threads."""
    path = network.folder / network.facts["model"]
    opener = OPENERS.get(network.facts["format"])
    if opener is None:
        run = _in_turn([network.run])
        return Engine(run, run)
    network.run = None  # which frees the engine that it has opened
    beside = opener(path, threads, threads)
    return Engine(beside if threads == 1 else opener(path, threads, 1), beside)


def _open_openvino(path: Path, threads: int, streams: int) -> Run:
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
        "NUM_STREAMS": str(streams),
        "INFERENCE_NUM_THREADS": threads,
        # The event loop and other programs need processors, too: a thread that may use only one of
        # them waits while that one is busy, and the others of the network wait for it.
        "ENABLE_CPU_PINNING": False,
    }
    compiled = _core().compile_model(str(path), "CPU", settings)

    def with_request() -> Run:
        request = compiled.create_infer_request()
        return lambda images: request.infer({"images": images})["probabilities"]

    return _in_turn([with_request() for _stream in range(streams)])


@cache
def _core() -> Any:
    """Return OpenVINO's core, the only one; `convlens.classifier.on_openvino` says why."""
    import openvino

    return openvino.Core()


def _open_onnx(path: Path, threads: int, streams: int) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads // streams
    options.inter_op_num_threads = 1
    # Threads that wait for work would take the processors from those that decode.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(["probabilities"], {"images": images})[0]


OPENERS: dict[str, Callable[[Path, int, int], Run]] = {
    "openvino": _open_openvino,
    "onnx": _open_onnx,
    "web": _open_onnx,  # the folder of a page, which has the same network
}


def _in_turn(runs: list[Run]) -> Run:
    """Return a function that many threads may call, over functions that one may call at a time."""
    idle: SimpleQueue[Run] = SimpleQueue()
    for run in runs:
        idle.put(run)

    def run_idle(images: ImageArray) -> NDArray[np.float32]:
        run = idle.get()
        try:
            return run(images)
        finally:
            idle.put(run)

    return run_idle
