"""Changes: what a person does to the images and classes of a workspace, each as a step of undo.

Labels are changed in the list of corrections. Files are moved only inside an own workspace: to the
trash, out of it, and with the name of their class.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from convlens.data.correction_lists import Correction
from convlens.files import numbered, storage_errors
from convlens.language import _, ngettext
from convlens.studio.history import Step
from convlens.studio.listing import Item, short_digest
from convlens.studio.marks import Rows
from convlens.studio.names import class_name
from convlens.studio.problem import GONE, Problem
from convlens.studio.workspace import Workspace

MOST_NOTE = 500  # signs of a note


def relabel(
    workspace: Workspace, items: list[Item], name: str, why: tuple[str, str]
) -> dict[str, int]:
    """Give images another label; the first images of a class are moved, see `_settle`.

    Args:
        workspace: The workspace.
        items: The images.
        name: The class.
        why: The columns code and note of the list.

    Returns:
        The number of images that changed, and of those that were moved.
    """
    changed = [item for item in items if _says(workspace, item) != ("relabel", name)]
    after: Rows = {
        item.file: None if item.given == name else Correction(item.file, "relabel", name, *why)
        for item in changed
    }
    moved = _mark(workspace, "relabel", after)
    return {"changed": len(changed), "moved": moved}


def exclude(workspace: Workspace, items: list[Item], why: tuple[str, str]) -> dict[str, int]:
    """Leave images out; see `relabel`."""
    changed = [item for item in items if not workspace.marks.is_excluded(item)]
    after: Rows = {item.file: Correction(item.file, "exclude", "", *why) for item in changed}
    _mark(workspace, "exclude", after)
    return {"changed": len(changed)}


def restore(workspace: Workspace, items: list[Item]) -> dict[str, int]:
    """Take images as their source has them; see `relabel`."""
    changed = [item for item in items if item.file in workspace.marks.rows]
    _mark(workspace, "restore", {item.file: None for item in changed})
    return {"changed": len(changed)}


def correct(workspace: Workspace, corrections: Iterable[Correction]) -> dict[str, int]:
    """Do what findings propose, as one step; see `relabel`."""
    after: Rows = {}
    added: list[Correction] = []
    kept = workspace.marks.kept
    for one in corrections:
        row = replace(one, row=0)
        item = workspace.listing.by_file.get(row.file)
        if item is None or row.action == "look":
            continue
        if row.action == "group":
            added += [row] if row not in kept else []
        elif row.action == "exclude" or row.value in workspace.listing.folders:
            is_given = row.action == "relabel" and row.value == item.given
            after[row.file] = None if is_given else row
    after = {file: row for file, row in after.items() if _row_of(workspace, file) != row}
    if not after and not added:
        return {"changed": 0}
    step = Step("apply", len({*after, *(row.file for row in added)}))
    step.after = after
    step.before = workspace.marks.before(after)
    step.kept = (kept, [*kept, *added]) if added else None
    _settle(workspace, step)
    workspace.perform(step)
    return {"changed": step.number}


def remove(workspace: Workspace, items: list[Item]) -> dict[str, int]:
    """Move image files of an own workspace to its trash."""
    workspace.require_own()
    step = Step("remove", len(items))
    for item in items:
        step.moves.append((f"images/{item.file}", step.in_trash(item.file)))
    step.before = workspace.marks.before(
        item.file for item in items if item.file in workspace.marks.rows
    )
    step.after = dict.fromkeys(step.before)
    _settle(workspace, step)
    workspace.perform(step)
    return {"changed": len(items)}


def create_class(workspace: Workspace, given: object) -> str:
    """Make a class, and return its name."""
    workspace.require_own()
    name = class_name(given, workspace.listing.class_names)
    step = Step("create", 1)
    made = workspace.places.root / step.in_trash(name)
    with storage_errors(made, _("the images")):
        made.mkdir(parents=True)
    step.moves.append((step.in_trash(name), f"images/{name}"))
    workspace.perform(step)
    return name


def rename_class(workspace: Workspace, name: str, given: object) -> str:
    """Give a class another name, and return it."""
    workspace.require_own()
    others = [other for other in workspace.listing.class_names if other != name]
    new = class_name(given, others)
    if new == name:
        return name
    step = Step("rename", 1)
    folder = workspace.folder_of(name)
    step.moves.append((f"images/{folder.name}", f"images/{new}"))
    marks = workspace.marks
    old = f"{folder.name}/"

    def renamed(row: Correction) -> Correction:
        file = f"{new}/{row.file.removeprefix(old)}" if row.file.startswith(old) else row.file
        is_of_class = row.action == "relabel" and row.value == name
        return replace(row, file=file, value=new if is_of_class else row.value)

    for file, row in marks.rows.items():
        other = renamed(row)
        if other != row:
            step.before |= {other.file: None, file: row}
            step.after |= {file: None, other.file: other}
    kept = [renamed(row) for row in marks.kept]
    step.kept = (marks.kept, kept) if kept != marks.kept else None
    workspace.perform(step)
    return new


def delete_class(workspace: Workspace, name: str, images: int | None) -> None:
    """Move a class to the trash.

    Args:
        workspace: The workspace.
        name: The class.
        images: The number of its images that whoever asks for it knows to be lost.

    Raises:
        Problem: If it has another number of images.
    """
    workspace.require_own()
    items = [item for item in workspace.listing.items if item.given == name]
    if len(items) != (images or 0):
        text = ngettext(
            "the class {name} has {number:,} image, which would go to the trash with it.",
            "the class {name} has {number:,} images, which would go to the trash with it.",
            len(items),
        )
        raise Problem(text.format(name=name, number=len(items)), GONE, images=len(items))
    into = [
        row
        for row in workspace.marks.rows.values()
        if row.action == "relabel" and row.value == name
    ]
    step = Step("delete", len(items))
    folder = workspace.folder_of(name)
    step.moves.append((f"images/{folder.name}", step.in_trash(folder.name)))
    files = {item.file for item in items} | {row.file for row in into}
    step.before = {file: row for file, row in workspace.marks.rows.items() if file in files}
    step.after = dict.fromkeys(step.before)
    workspace.perform(step)


def class_id(name: str) -> str:
    """Return what a class is called in requests."""
    return short_digest(f"class {name}")


def why_of(content: Mapping[str, object]) -> tuple[str, str]:
    """Return the columns code and note of a request."""
    return _text_of(content, "code"), _text_of(content, "note")


def _text_of(content: Mapping[str, object], name: str) -> str:
    value = content.get(name, "")
    if not isinstance(value, str) or len(value) > MOST_NOTE:
        raise Problem(
            _("{name} must be a text of {most} signs at most.").format(name=name, most=MOST_NOTE),
            field=name,
        )
    return " ".join(value.split())


def _says(workspace: Workspace, item: Item) -> tuple[str, str]:
    """Return what is done with an image now, an image that is used as it is with its own label."""
    row = workspace.marks.rows.get(item.file)
    return ("relabel", item.given) if row is None else (row.action, row.value)


def _row_of(workspace: Workspace, file: str) -> Correction | None:
    """Return what the list says of an image, wherever its row stands."""
    row = workspace.marks.rows.get(file)
    return None if row is None else replace(row, row=0)


def _mark(workspace: Workspace, what: str, after: Rows) -> int:
    """Change rows of the list as a step, and return how many images were moved for it."""
    if not after:
        return 0
    step = Step(what, len(after), before=workspace.marks.before(after), after=after)
    _settle(workspace, step)
    workspace.perform(step)
    return len(step.moves)


def _settle(workspace: Workspace, step: Step) -> None:
    """Let a step move images into the folder of their class where it has no other image.

    A list can only name classes that have an image. Images that lie elsewhere are never moved. The
    rows of the list that do not change, such as those of groups, name the files as they lie then.
    """
    if not workspace.is_own:
        return
    rows = workspace.marks.rows | step.after
    gone = {here.removeprefix("images/") for here, _there in step.moves}
    stay = [item for item in workspace.listing.items if item.file not in gone]
    alone = workspace.listing.folders.keys() - {item.given for item in stay}
    taken: set[Path] = set()
    renamed: dict[str, str] = {}
    for item in stay:
        row = rows.get(item.file)
        if row is None or row.action != "relabel" or row.value not in alone:
            continue
        folder = workspace.folder_of(row.value)
        wanted = folder / Path(item.file).name
        path = next(
            one for one in numbered(wanted, wanted.suffix) if one not in taken and not one.exists()
        )
        taken.add(path)
        step.moves.append((f"images/{item.file}", f"images/{folder.name}/{path.name}"))
        step.before |= workspace.marks.before([item.file])
        step.after |= {item.file: None}
        renamed[item.file] = f"{folder.name}/{path.name}"
    kept = workspace.marks.kept if step.kept is None else step.kept[1]
    others = [replace(row, file=renamed.get(row.file, row.file)) for row in kept]
    if others != kept:
        step.kept = (workspace.marks.kept, others)
