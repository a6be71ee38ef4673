"""Detail: all that is known of one image without an audit."""

from pathlib import Path
from typing import Any

from convlens.decode import read_header
from convlens.errors import ImageError
from convlens.preprocess import open_image
from convlens.studio.changes import class_id
from convlens.studio.listing import Item
from convlens.studio.problem import said_of
from convlens.studio.workspace import Workspace
from convlens.text import printable


def detail(workspace: Workspace, item: Item) -> dict[str, Any]:
    """Return it as plain data."""
    row = workspace.marks.rows.get(item.file)
    found: dict[str, Any] = {"width": None, "height": None, "format": None, "bytes": None}
    problem = None
    try:
        content = workspace.listing.content(item)
        if isinstance(content, Path):
            header = read_header(content)
            found["width"], found["height"] = header.size
            found["format"] = header.format
            found["bytes"] = content.stat().st_size
        else:
            found["width"], found["height"] = open_image(content).size
    except (ImageError, OSError) as error:
        problem = printable(said_of(error) if isinstance(error, ImageError) else error)
    return {
        "id": item.id,
        "name": printable(item.file),
        "class": class_id(workspace.marks.label(item)),
        "given": class_id(item.given),
        "excluded": workspace.marks.is_excluded(item),
        "split": item.split,
        "path": None if item.path is None else printable(item.path),
        "problem": problem,
        "row": row and {name: getattr(row, name) for name in ("action", "value", "code", "note")},
        **found,
    }
