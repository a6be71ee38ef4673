"""Connection: to a Ray cluster that runs, or to one that is started on this computer alone.

Ray schedules, retries and moves data. Its usage statistics, its dashboard and its messages are off.
"""

import importlib.util
import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from convlens.cluster.nodes import Node, check_nodes
from convlens.cluster.tasks import run_tasks
from convlens.cluster.undisturbed import AUTHENTICATION, authenticate, undisturbed
from convlens.errors import BackendError, ClusterError, ConfigError
from convlens.language import _
from convlens.language_choice import VARIABLE, language
from convlens.quiet import silenced_stderr
from convlens.reasons import system_reason

LOCAL = "local"
AUTO = "auto"
INSTALL = "pip install 'convlens[cluster]'"  # not translated: a command
STORE = (
    200 * 2**20
)  # bytes of memory for what tasks hand over on this computer; the rest goes to disk
TOO_SLOW = "timed out during startup"  # not translated: what Ray says
PATIENCE = 5.0  # seconds in which the head of a cluster must answer
# What the tasks inherit, so that they compute and speak as the process that started them.
INHERITED = ("CONVLENS_CACHE", "KERAS_BACKEND", "KERAS_HOME")
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster to which this process is connected.

    Attributes:
        address: "local", or the address of its head.
        nodes: Its computers, all of which compute the same answers as this one.
    """

    address: str
    nodes: tuple[Node, ...]

    @property
    def cpus(self) -> int:
        """The number of processors that Ray may use, on all nodes together."""
        return sum(node.cpus for node in self.nodes)

    def run(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        cpus: float = 1,
        ahead: int | None = None,
    ) -> Iterator[tuple[int, Result]]:
        """Compute a function of each item as a task; yield (number of the item, result) when done.

        Args:
            function: A function of a module of convlens, or one that can be pickled.
            items: The items, which are taken one after the other when there is room for them.
            cpus: The processors of a task.
            ahead: How many tasks wait or run at a time; twice as many as can run, if None.

        Raises:
            ConvlensError: What the function raises comes out of here as it is.
            ClusterError: If the processes of a task ended several times, as without memory.
        """
        room = ahead or 2 * max(1, int(self.cpus / max(cpus, 0.01)))
        return run_tasks(function, items, cpus=cpus, ahead=room)


@contextmanager
def connect(address: str, cpus: int | None = None) -> Iterator[Cluster]:
    """Connect to a Ray cluster, and disconnect at the end of the block, which ends all its tasks.

    Where this process is connected already, that connection is used and kept.

    Args:
        address: The address HOST:PORT of the head of a cluster; "auto" for the cluster that runs on
            this computer or that RAY_ADDRESS names; "local" for one that is started here for the
            block alone.
        cpus: The processors that a local cluster may use; all if None.

    Raises:
        ConfigError: If the address has another form.
        BackendError: If Ray is not installed.
        ClusterError: If no cluster answers, or if a node would compute other answers.
    """
    if importlib.util.find_spec("ray") is None:
        raise BackendError(
            _("--cluster needs Ray, which is not installed: {install}.").format(install=INSTALL)
        )
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    # Otherwise Ray prints what other tasks raised than the one whose error comes out of here.
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")
    # Otherwise Ray warns that it will not set the variable of graphics cards in a later release.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    if ray.is_initialized():
        yield Cluster(address, check_nodes())
        return
    with undisturbed():
        _start(address, cpus)
        try:
            yield Cluster(address, check_nodes())
        finally:
            ray.shutdown()


def _start(address: str, cpus: int | None) -> None:
    """Start a local cluster, or connect to one.

    Raises:
        ConfigError: If the address has another form than HOST:PORT.
        ClusterError: If no cluster answers, or if none can be started.
    """
    import ray

    options: dict[str, Any] = {
        "include_dashboard": False,
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "runtime_env": {"env_vars": _environment()},
    }
    if address == LOCAL:
        _start_local(options | {"num_cpus": cpus or usable_cpus(), "object_store_memory": STORE})
        return
    del options["include_dashboard"]  # which is for whom starts a cluster
    _expect_answer(address)
    try:
        _init(address, options)
    # RuntimeError: of another Ray or Python; RayError: of a token.
    except (ConnectionError, RuntimeError, ray.exceptions.RayError) as error:
        if address == AUTO and isinstance(error, ConnectionError):
            raise ClusterError(
                _(
                    "no cluster runs on this computer. Start one with `ray start --head`, or give "
                    "--cluster local."
                )
            ) from error
        if isinstance(error, ConnectionError):
            raise ClusterError(
                _(
                    "something listens at {address}, but no Ray cluster answers there. Give the "
                    "port of its head, which is 6379 unless `ray start --head --port` names one."
                ).format(address=address)
            ) from error
        reason = " ".join(str(error).split())
        raise ClusterError(
            _("the cluster {address} cannot be used; {reason}").format(
                address=address, reason=reason
            )
        ) from error


def _start_local(options: Mapping[str, Any]) -> None:
    """Start a cluster on this computer alone.

    Raises:
        ClusterError: If its processes do not answer within the 30 seconds that Ray gives them.
    """
    import ray

    try:
        with silenced_stderr():
            ray.init("local", **options)
    except Exception as error:  # Ray's error is of no narrower class.
        if TOO_SLOW not in str(error):
            raise
        raise ClusterError(
            _(
                "a cluster on this computer must start within the 30 seconds that Ray gives it, "
                "and did not. Try again when fewer other programs run."
            )
        ) from error


def _init(address: str, options: Mapping[str, Any]) -> None:
    """Connect to a cluster, with a token if it demands one and this computer has one."""
    import ray
    from ray._raylet import AuthenticationTokenLoader  # type: ignore[attr-defined]

    try:
        with silenced_stderr():  # where Ray says which level of its log was chosen
            ray.init(address, **options)
    except ConnectionError:
        # `ray start` demands a token where one lies, as a local cluster leaves it, and `ray.init`
        # shows it only if it is told so.
        token = AuthenticationTokenLoader.instance()
        if AUTHENTICATION in os.environ or not token.has_token(ignore_auth_mode=True):
            raise
        authenticate("token")
        with silenced_stderr():
            ray.init(address, **options)


def _expect_answer(address: str) -> None:
    """Raise an error unless something listens there; Ray itself would wait for two minutes.

    Raises:
        ConfigError: If the address has another form than HOST:PORT.
        ClusterError: If nothing answers, or no cluster runs here.
    """
    named = os.environ.get("RAY_ADDRESS", "") if address == AUTO else address
    host, colon, port = named.rpartition(":")
    if address == AUTO and not colon:  # Ray looks for one that runs on this computer
        return
    if not (host and port.isdigit() and int(port) < 2**16) or "/" in host:
        raise ConfigError(
            _(
                "--cluster must be an address as HOST:PORT, auto or local; found {address!r}."
            ).format(address=named)
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except OSError as error:
        raise ClusterError(
            _(
                "there is no cluster at {address} ({reason}). Start one with `ray start --head`, "
                "or give --cluster local."
            ).format(address=named, reason=system_reason(error))
        ) from error


def _environment() -> dict[str, str]:
    """Return the variables with which the tasks run."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {VARIABLE: language(), "TF_CPP_MIN_LOG_LEVEL": "3", **inherited}


def usable_cpus() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
