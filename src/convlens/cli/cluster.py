"""`--cluster`: the same commands on more than one machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from convlens.config import Config
from convlens.language import N_

if TYPE_CHECKING:
    from convlens.studies.places import Place

ClusterFlag = Annotated[
    str | None,
    Parameter(help=N_("run on a Ray cluster: its address as HOST:PORT, auto or local")),
]


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
