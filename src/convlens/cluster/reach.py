"""Reach: every node must find the answers, and the place where the images lie."""

import os
from pathlib import Path

from convlens.cluster.connection import Cluster
from convlens.cluster.folder import Folder, folder_at
from convlens.cluster.nodes import on_each_node
from convlens.cluster.shards import LIST, read_part
from convlens.cluster.stores import file_system, is_address, reason_of
from convlens.errors import ClusterError, ConvlensError
from convlens.language import _


def refuse_unreachable(cluster: Cluster, place: str, folder: Folder | None = None) -> None:
    """Raise an error if a node cannot read the images or the answers.

    Of images in an object store, the first is asked for, which may be missing.

    Args:
        cluster: The cluster.
        place: A folder with images, or from which their paths count; empty if none does.
        folder: The folder of the answers, which has the list of the images; None without answers.

    Raises:
        ClusterError: If a node cannot.
    """
    asked = (place,) if folder is None else (place, folder.address, read_part(folder, 0)[0])
    found = on_each_node(cluster.nodes, unreached, *asked)
    for node, (what, reason) in found.items():
        if what:
            raise ClusterError(
                _(
                    "every node must reach {what}, as on a shared disk or in an object store; node "
                    "{node} does not ({reason})."
                ).format(what=what, node=node.name, reason=reason)
            )


def work_in(place: str) -> None:
    """Let relative paths count from a folder, unless it is empty."""
    if place:
        os.chdir(place)


def unreached(place: str, address: str = "", image: str = "") -> tuple[str, str]:
    """Return what this computer does not reach, and why; empty texts if it reaches everything.

    Args:
        place: A folder; empty if none is needed.
        address: The folder of the answers; empty without answers.
        image: The name of an image.
    """
    absent = _("nothing is there")
    if place and not Path(place).is_dir():
        return place, absent
    try:
        if address and not folder_at(address).exists(LIST):
            return address, absent
    except ConvlensError as error:
        cause = error.__cause__
        return address, reason_of(cause if isinstance(cause, Exception) else error)
    if is_address(image):
        try:
            files, path = file_system(image)
            files.info(path)
        except OSError:  # It is missing, or this image is forbidden.
            return "", ""
        except Exception as error:  # as without credentials; each kind of store has its own
            return image, reason_of(error)
    return "", ""
