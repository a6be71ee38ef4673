"""Ahead: image files are decoded in a process of their own while the engine is imported.

The import takes seconds and one processor. What is decoded meanwhile lies in the cache, where the
training finds it, and what is not the training decodes itself. Nothing depends on the process: it
may end at any time.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from convlens.config import USUAL_MODELS, Config, DataConfig
from convlens.data.dataset import Dataset
from convlens.errors import ConvlensError
from convlens.processes import own_command

FEWEST = 200  # images; fewer are decoded before the process has started
PATIENCE = 0.5  # seconds that the process has to keep what it has decoded


@contextlib.contextmanager
def decoded_ahead(dataset: Dataset, config: Config) -> Iterator[None]:
    """Decode images, and look for copies, while the block runs.

    Args:
        dataset: The images.
        config: The configuration of a training from scratch.
    """
    process = _start(dataset, config) if _is_worthwhile(dataset, config) else None
    try:
        yield
    finally:
        if process is not None:
            _stop(process)


def _is_worthwhile(dataset: Dataset, config: Config) -> bool:
    """Return whether an engine must be imported while a processor is idle.

    The size of the images must be known before the network is.
    """
    is_known = config.data.size != "auto" or config.model.model in USUAL_MODELS
    is_idle = "keras" not in sys.modules and (os.cpu_count() or 1) > 1
    wanted = min(config.data.limit or len(dataset), len(dataset))
    has_files = not isinstance(dataset.images, np.ndarray) and wanted >= FEWEST
    return is_known and is_idle and has_files and config.transfer.backbone is None


def _start(dataset: Dataset, config: Config) -> "subprocess.Popen[bytes] | None":
    """Start the process, or return None where none can be started."""
    splits = None if dataset.splits is None else dataset.splits.tolist()
    asked = {
        "images": list(map(str, dataset.images)),
        "labels": dataset.labels.tolist(),
        "class_names": dataset.class_names,
        "splits": splits,
        "data": asdict(config.data),
        "seed": config.training.seed,
    }
    try:
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump(asked, file)
        return subprocess.Popen(
            own_command("convlens.data.ahead", file.name),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that Ctrl-C reaches this process alone
        )
    except OSError:  # A full disk is said where the images are decoded.
        return None


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Let the process end, which it does when its standard input is closed."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    Path(str(process.args[-1])).unlink(missing_ok=True)  # type: ignore[index]


def main() -> None:
    """Decode what a file lists, until that is done or the standard input is closed."""
    # Here, so that what starts the process need not import SciPy before.
    from convlens.data.duplicates import find_pairs
    from convlens.data.input_shape import choose_preprocessing
    from convlens.data.limited import limited
    from convlens.data.store import open_store

    closed = threading.Event()

    def wait() -> None:
        os.read(0, 1)  # returns at its end; a stream could not be left at the end of the process
        closed.set()

    def progress(done: int, total: int) -> None:
        if closed.is_set():
            raise KeyboardInterrupt

    threading.Thread(target=wait, daemon=True).start()
    asked = json.loads(Path(sys.argv[1]).read_text())
    config = Config(data=DataConfig(**asked["data"])).replace(seed=asked["seed"])
    images = [Path(name) for name in asked["images"]]
    labels = np.array(asked["labels"], np.int64)
    splits = None if asked["splits"] is None else np.array(asked["splits"])
    # not translated: names that nobody sees
    dataset = Dataset("ahead", "ahead", images, labels, tuple(asked["class_names"]), splits)
    # The training says what is wrong with the images.
    with contextlib.suppress(ConvlensError, KeyboardInterrupt):
        dataset = limited(dataset, config)[0]
        preprocessing = choose_preprocessing(dataset, config.data, progress=progress)
        store = open_store(dataset, preprocessing, progress, survive=False)
        if config.data.audit:
            find_pairs(store, progress=progress)


if __name__ == "__main__":
    main()
