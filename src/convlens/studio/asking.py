"""Asking: what a request asks for, with the line that says why it cannot be."""

from collections.abc import Collection
from dataclasses import dataclass

from convlens.language import _, listed
from convlens.studio.problem import Problem
from convlens.studio.workspace import Workspace

ORDERS = ("name", "newest", "oldest", "shuffled")
SHOWN = ("all", "used", "excluded", "relabelled")


@dataclass(frozen=True)
class Query:
    """Which images are asked for, and in which order.

    Attributes:
        order: One of `ORDERS`.
        shown: One of `SHOWN`.
        class_name: The class that they have after the list, or None for all.
        ids: Only these, in their order; None for all.
        search: A part of their names.
    """

    order: str = "name"
    shown: str = "all"
    class_name: str | None = None
    ids: tuple[str, ...] | None = None
    search: str = ""


def query_of(workspace: Workspace, given: dict[str, str], ids: tuple[str, ...] | None) -> Query:
    """Return what a request asks for.

    Raises:
        Problem: If it asks for an order or a choice that there is not.
    """
    order = given.get("order", "name")
    shown = given.get("show", "all")
    require_known("order", order, ORDERS)
    require_known("show", shown, SHOWN)
    name = workspace.class_of(given["class"]) if given.get("class") else None
    return Query(order, shown, name, ids, given.get("search", "")[:200])


def require_known(field: str, value: object, known: Collection[object]) -> None:
    """Raise Problem if a field of a request has a value that there is not."""
    if value not in known:
        raise Problem(
            _("{field} must be one of {known}; found {value!r}.").format(
                field=field, known=listed(map(str, known)), value=str(value)[:50]
            ),
            field=field,
        )


def whole_number(given: dict[str, str], name: str, otherwise: int, most: int) -> int:
    """Return a number of a request.

    Raises:
        Problem: If it is none, or too large.
    """
    text = given.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= most):
        raise Problem(
            _("{name} must be a whole number from 0 to {most}; found {text!r}.").format(
                name=name, most=most, text=text[:50]
            ),
            field=name,
        )
    return int(text)
