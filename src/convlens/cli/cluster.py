"""`--cluster`: the same commands on more than one machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from convlens import backend
from convlens.config import Config
from convlens.errors import ConfigError
from convlens.language import N_, _, ngettext
from convlens.screen import Screen

if TYPE_CHECKING:
    from convlens.cluster.connection import Cluster
    from convlens.pipeline import StageOf
    from convlens.studies.places import Place

ClusterFlag = Annotated[
    str | None,
    Parameter(help=N_("run on a Ray cluster: its address as HOST:PORT, auto or local")),
]


@contextmanager
def connected(address: str, screen: Screen) -> "Iterator[Cluster]":
    """Connect to a cluster, and say how large it is; see `convlens.cluster.connection.connect`.

    Args:
        address: What `--cluster` says.
        screen: Where it is said.
    """
    from convlens.cluster.connection import connect

    with connect(address) as cluster:
        nodes = len(cluster.nodes)
        said = ngettext(
            "{nodes} node, processors: {cpus:g}", "{nodes} nodes, processors: {cpus:g}", nodes
        ).format(nodes=nodes, cpus=cluster.cpus)
        screen.fact(_("cluster"), said)
        yield cluster


@contextmanager
def place_of(address: str | None, config: Config) -> "Iterator[Place | None]":
    """Yield where the trainings of a study run; None is this process.

    Args:
        address: What `--cluster` says, or None.
        config: The settings of the trainings, which say how many threads one has.
    """
    if address is None:
        yield None
        return
    from convlens.cluster.connection import connect
    from convlens.cluster.trainings import OnCluster, threads_of

    with connect(address) as cluster:
        yield OnCluster(cluster, threads_of(config.training.threads))


@contextmanager
def workers_of(address: str, config: Config) -> "Iterator[StageOf]":
    """Yield what trains a network on several processes of a cluster; see `pipeline.train`.

    Args:
        address: What `--cluster` says.
        config: The settings, with the number of processes.

    Raises:
        ConfigError: If the engine is not JAX, or if the processes cannot share a step evenly.
        BackendError: If JAX or Ray is not installed.
        ClusterError: If the cluster has no room for all processes now.
    """
    settings = config.training
    workers = settings.workers or 1
    engine = settings.backend
    if engine == "auto":
        engine = os.environ.get("KERAS_BACKEND", "tensorflow")
    if engine != "jax":
        raise ConfigError(_("--workers needs --backend jax; found {engine}.").format(engine=engine))
    if settings.batch_size % workers:
        raise ConfigError(
            _(
                "--batch-size must be a multiple of --workers, which share its images; found "
                "{images} and {workers}."
            ).format(images=settings.batch_size, workers=workers)
        )
    backend.choose("jax")
    # This process may have to share a graphics card with one of the workers.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    from convlens.cluster.parallel import trained_on

    with trained_on(address, workers) as stage_of:
        yield stage_of
