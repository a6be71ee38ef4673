"""Own picture: the bytes of an image of the workspace, also of one that lies in an array."""

import io
from pathlib import Path

from convlens.errors import ImageError
from convlens.language import _
from convlens.preprocess import open_image
from convlens.studio.listing import Item
from convlens.studio.problem import GONE, Problem
from convlens.studio.workspace import Workspace


def content_of(workspace: Workspace, item: Item) -> tuple[str, bytes]:
    """Return the name and the bytes of an image.

    Raises:
        Problem: If it cannot be read any more.
    """
    name = item.file.rpartition("/")[2]
    try:
        content = workspace.listing.content(item)
        if isinstance(content, Path):
            return name, content.read_bytes()
        file = io.BytesIO()
        open_image(content).save(file, "PNG")
    except (ImageError, OSError) as error:
        raise Problem(_("the file of this image cannot be read any more."), GONE) from error
    return f"{name}.png", file.getvalue()
