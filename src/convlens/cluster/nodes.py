"""Nodes: the computers of a cluster, all of which must compute the same answers.

The numbers of a network depend on the versions of what computes them and on the instructions of
the processor. The process that asks fixes both: a node that differs from it is refused.
"""

import hashlib
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from convlens.errors import ClusterError
from convlens.language import N_, _

# What decodes images and computes networks.
PACKAGES = (
    "convlens", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "openvino", "numpy",
    "pillow", "opencv-python-headless", "scikit-learn", "scipy", "optuna",
)  # fmt: skip
# The instructions among which oneDNN, Eigen, OpenVINO and NumPy choose.
INSTRUCTIONS = (
    "avx", "avx2", "fma", "avx_vnni", "avx_vnni_int8", "avx_ne_convert", "avx_ifma", "avx512f",
    "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16",
    "avx10", "amx_tile", "amx_int8", "amx_bf16", "amx_fp16", "asimd", "asimdhp", "asimddp", "sve",
    "sve2", "bf16", "i8mm", "svebf16", "sme",
)  # fmt: skip
# Variables with which these libraries choose other instructions.
VARIABLES = (
    "DNNL_DEFAULT_FPMATH_MODE", "DNNL_MAX_CPU_ISA", "NPY_DISABLE_CPU_FEATURES",
    "ONEDNN_DEFAULT_FPMATH_MODE", "ONEDNN_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS",
)  # fmt: skip
CODE = N_("code of convlens")
FEATURES = N_("processor features")
PATIENCE = 120.0  # seconds in which a node must say what it is
Result = TypeVar("Result")


class Node(NamedTuple):
    """A computer of a cluster.

    Attributes:
        identity: Its identity in Ray.
        name: Its name and address, for messages.
        cpus: The number of processors that Ray may use on it.
    """

    identity: str
    name: str
    cpus: int


def own_facts() -> dict[str, str]:
    """Return what the answers of this computer depend on, by names for messages."""
    facts = {
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": platform.machine(),
        FEATURES: " ".join(sorted(_processor_flags().intersection(INSTRUCTIONS))),
        CODE: _code(),
    }
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            facts[package] = version(package)
    return facts | {name: os.environ[name] for name in VARIABLES if name in os.environ}


def first_difference(own: Mapping[str, str], other: Mapping[str, str]) -> tuple[str, str, str]:
    """Return (name, own value, other value) of the first fact that differs; empty texts if none.

    Of features, only those that one of both lacks are named.

    >>> first_difference({"keras": "3.15"}, {"keras": "3.12"})
    ('keras', '3.15', '3.12')
    >>> first_difference({"processor features": "avx2 fma"}, {"processor features": "avx2"})
    ('processor features', 'fma', '-')
    """
    for name in dict.fromkeys([*own, *other]):
        here = own.get(name, "")
        there = other.get(name, "")
        if here != there:
            if name == FEATURES:
                some, others = set(here.split()), set(there.split())
                here = " ".join(sorted(some - others))
                there = " ".join(sorted(others - some))
            return name, here or "-", there or "-"
    return "", "", ""


def check_nodes() -> tuple[Node, ...]:
    """Return the nodes of the cluster to which this process is connected.

    Raises:
        ClusterError: If a node does not answer, or would compute other answers than this computer.
    """
    import ray

    nodes = [_node(facts) for facts in ray.nodes() if facts["Alive"]]
    found = on_each_node(nodes, own_facts)
    _refuse_differing(found)
    return tuple(found)


def on_each_node(
    nodes: Sequence[Node], function: Callable[..., Result], *arguments: object
) -> dict[Node, Result]:
    """Return what a function returns on each node, except for nodes that are lost meanwhile.

    Raises:
        ClusterError: If a node does not answer, or cannot run convlens, or if no node is left.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task: Any = ray.remote(num_cpus=0)(function)
    asked = [
        task.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node.identity, soft=False)
        ).remote(*arguments)
        for node in nodes
    ]
    _ready, waiting = ray.wait(asked, num_returns=len(asked), timeout=PATIENCE)
    if waiting:
        silent = nodes[asked.index(waiting[0])]
        raise ClusterError(
            _("node {node} must answer within {seconds:.0f} s; it did not.").format(
                node=silent.name, seconds=PATIENCE
            )
        )
    answers: dict[Node, Result] = {}
    for node, one in zip(nodes, asked, strict=True):
        try:
            answers[node] = ray.get(one)
        except ray.exceptions.RayError as error:
            living = {facts["NodeID"] for facts in ray.nodes() if facts["Alive"]}
            if node.identity not in living:
                continue
            raise ClusterError(
                _("node {node} cannot run convlens; {reason}. Install it there.").format(
                    node=node.name, reason=str(error).strip().splitlines()[-1]
                )
            ) from error
    if not answers:
        raise ClusterError(_("a node must answer; all nodes of the cluster were lost meanwhile."))
    return answers


def _refuse_differing(facts: Mapping[Node, Mapping[str, str]]) -> None:
    """Raise ClusterError for the first node whose facts are not those of this computer."""
    own = own_facts()
    for node, found in facts.items():
        name, here, there = first_difference(own, found)
        if name:
            raise ClusterError(
                _(
                    "node {node} would compute other answers than this computer: {name} is "
                    "{there} there and {here} here. Make both the same, or leave the node out."
                ).format(node=node.name, name=_(name), there=there, here=here)
            )


def _node(facts: Mapping[str, Any]) -> Node:
    """Return a node of what Ray knows about it."""
    name = "{host} ({address}, {identity})".format(
        host=facts["NodeManagerHostname"],
        address=facts["NodeManagerAddress"],
        identity=facts["NodeID"][:8],
    )
    return Node(facts["NodeID"], name, int(facts["Resources"].get("CPU", 0)))


def _processor_flags() -> set[str]:
    """Return the names of the processor's instructions, which Linux tells."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return set()
    return set(path.read_text(encoding="ascii", errors="replace").split())


def _code() -> str:
    """Return a digest of the source of convlens, whose version stays the same between releases."""
    folder = Path(__file__).parents[1]
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
