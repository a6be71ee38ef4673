"""A Ray of two nodes on this computer, which all tests share."""

import contextlib
import logging
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convlens import backend
from convlens.cluster.trainings import threads_of

CPUS = backend.threads() or threads_of(None)  # of each node, and threads of a training
STORE = 100 * 2**20  # bytes
PATIENCE = 600  # seconds in which what a test waits for must have come; CI is loaded
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture(scope="session")
def bucket() -> Iterator[Any]:
    """Yield the file system of an object store on this computer, with a bucket of that name.

    Nodes find it, and have access, if they are started afterwards.
    """
    moto = pytest.importorskip("moto.server")
    s3fs = pytest.importorskip("s3fs")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        store = s3fs.S3FileSystem(use_listings_cache=False)
        store.mkdir("bucket")
        yield store
        server.stop()


def slowed(module: ModuleType, waiting: Callable[..., Any], clock: str) -> SimpleNamespace:
    """Return the module `time` with a clock that makes ten minutes of 30 seconds.

    Ray may change what is private in it: a function that waits must still ask this clock.
    """
    assert module.time is time
    assert {"time", clock} <= set(waiting.__code__.co_names)
    read = getattr(time, clock)
    return SimpleNamespace(**vars(time) | {clock: lambda: read() / 20})


@pytest.fixture(scope="session")
def two_nodes(bucket: Any) -> Iterator[Any]:
    """Yield the running cluster, to which no process is connected yet.

    Its nodes have access to the object store, since all tests share them.
    """
    pytest.importorskip("ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray._private import node, services
    from ray.cluster_utils import Cluster

    logging.getLogger("ray").setLevel(logging.ERROR)
    options = {"object_store_memory": STORE, "include_dashboard": False}
    with pytest.MonkeyPatch.context() as patch:
        # The 30 seconds in which a node must have started are too few on a busy computer.
        patch.setattr(node, "time", slowed(node, node.Node.__init__, "monotonic"))
        patch.setattr(services, "time", slowed(services, services.wait_for_node, "time"))
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": CPUS, **options})
        cluster.add_node(num_cpus=CPUS, **options)
        yield cluster
        cluster.shutdown()


@pytest.fixture(scope="module")
def connected(two_nodes: Any) -> Iterator[str]:
    """Yield the address of the cluster, to which the process stays connected meanwhile.

    Ray starts processes anew for each connection.
    """
    from convlens.cluster.connection import connect

    with connect(two_nodes.address):
        yield two_nodes.address


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 400 small images, of which one is damaged and two are equal."""
    folder = tmp_path_factory.mktemp("photos")
    values = np.random.default_rng(0).integers(0, 256, (400, 12, 10), np.uint8)
    for number, pixels in enumerate(values):
        Image.fromarray(pixels).save(folder / f"{number:03d}.png")
    (folder / "300.png").write_bytes(b"no image")
    (folder / "350.png").write_bytes((folder / "001.png").read_bytes())
    return folder


def begun(function: str, node: Any = None) -> list[int]:
    """Return the processes of Ray, of a node or of all, that are carrying out a function."""
    import psutil

    if node is None:
        found = psutil.process_iter()
    else:
        raylet = node.all_processes["raylet"][0].process.pid
        found = psutil.Process(raylet).children(recursive=True)
    running = []
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            if "".join(process.cmdline()[:1]).startswith(f"ray::{function}"):
                running.append(process.pid)
    return running


def wait_for(condition: Callable[[], object], process: subprocess.Popen | None = None) -> None:
    """Wait until a condition holds, while a process goes on."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert process is None or process.poll() is None, "the process has ended"
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


@pytest.fixture
def no_credentials(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process have no access to the object store."""
    for name in KEYS:
        monkeypatch.delenv(name)
    type(bucket).clear_instance_cache()
    yield
    type(bucket).clear_instance_cache()


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a small network with random weights."""
    import keras

    from convlens.classifier.assembly import assemble
    from convlens.classifier.classifier import Classifier
    from convlens.preprocess import Preprocessing
    from convlens.zoo.create import create_model

    size = Preprocessing(16, 16, 3)
    keras.utils.set_random_seed(0)
    network = create_model("custom_cnn", input_shape=size.shape, num_classes=3)
    model = assemble(network, size, 3, "custom_cnn")
    path = tmp_path_factory.mktemp("classifier") / "small.keras"
    Classifier.from_logits(model, ("ant", "bee", "fly"), size).save(path)
    return path
