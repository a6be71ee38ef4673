"""`convlens cache`: what the cache holds, and how to make it smaller."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from convlens.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convlens.data.cache_size import Entry

cache = App(
    name="cache",
    help="List the decoded images and features that are kept for later runs, or remove the oldest.",
    help_format="plaintext",
)


@cache.command(name="list")
def list_cache() -> None:
    """List what the cache holds, those used last first."""
    from convlens.data.cache import cache_folder
    from convlens.data.cache_size import cache_entries, cache_limit

    screen = Screen()
    entries = cache_entries()
    size = "{size} of at most {most}".format(size=_size(entries), most=_mb(cache_limit()))
    screen.facts([("folder", str(cache_folder())), ("size", size)])
    if entries:
        rows = [
            (
                entry.kind,
                _mb(entry.size),
                "{:%Y-%m-%d %H:%M}".format(datetime.fromtimestamp(entry.used)),
                entry.name,
            )
            for entry in entries
        ]
        screen.say()
        screen.columns([("kind", "size", "last used", "name"), *rows], left=(0, 2, 3))


@cache.command
def trim(
    *,
    to: Annotated[
        str | None,
        Parameter(help="size that may stay, as 500MB or 5GB [the limit]", show_default=False),
    ] = None,
) -> None:
    """Remove what was used least recently, until the cache is not larger than a size.

    Everything that is removed is made again when it is needed. Downloaded data sets stay.
    """
    from convlens.data.cache_size import cache_entries, cache_limit, parse_bytes, trim_cache

    removed = trim_cache(cache_limit() if to is None else parse_bytes(to, "--to"))
    Screen().facts([("removed", _size(removed)), ("left", _size(cache_entries()))])


def _size(entries: "Sequence[Entry]") -> str:
    template = "{size} in {count:,} entries"
    if len(entries) == 1:
        template = "{size} in 1 entry"
    return template.format(size=_mb(sum(entry.size for entry in entries)), count=len(entries))


def _mb(size: int) -> str:
    return "{size:,.1f} MB".format(size=size / 1e6)
