"""`convlens cache`: what the cache holds, and how to make it smaller."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from convlens.language import N_, _, ngettext
from convlens.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convlens.data.cache_size import Entry

cache = App(
    name="cache",
    help=N_(
        "List the decoded images, features and maps that are kept for later runs, or remove the "
        "oldest."
    ),
    help_format="plaintext",
)


@cache.command(name="list", help=N_("List what the cache holds, those used last first."))
def list_cache() -> None:
    """List what the cache holds, those used last first."""
    from convlens.data.cache import cache_folder
    from convlens.data.cache_size import cache_entries, cache_limit

    screen = Screen()
    entries = cache_entries()
    size = _("{size} of at most {most}").format(size=_size(entries), most=_mb(cache_limit()))
    screen.facts([(_("folder"), str(cache_folder())), (_("size"), size)])
    if entries:
        rows = [
            (
                _(entry.kind),
                _mb(entry.size),
                "{:%Y-%m-%d %H:%M}".format(datetime.fromtimestamp(entry.used)),
                entry.name,
            )
            for entry in entries
        ]
        screen.say()
        headings = (_("kind"), _("size"), _("last used"), _("name"))
        screen.columns([headings, *rows], left=(0, 2, 3))


@cache.command(
    help=N_("Remove what was used least recently, until the cache is not larger than a size.")
    + "\n\n"
    + N_("Everything that is removed is made again when it is needed. Downloaded data sets stay.")
)
def trim(
    *,
    to: Annotated[
        str | None,
        Parameter(help=N_("size that may stay, as 500MB or 5GB [the limit]"), show_default=False),
    ] = None,
) -> None:
    """Remove what was used least recently, until the cache is not larger than a size.

    Everything that is removed is made again when it is needed. Downloaded data sets stay.
    """
    from convlens.data.cache import cache_folder
    from convlens.data.cache_size import cache_entries, cache_limit, parse_bytes, trim_cache

    screen = Screen()
    most = cache_limit() if to is None else parse_bytes(to, "--to")
    removed = trim_cache(most)
    left = cache_entries()
    screen.facts([(_("removed"), _size(removed)), (_("remaining"), _size(left))])
    if sum(entry.size for entry in left) > most:
        screen.note(
            _(
                "what remains could not be removed: {folder} must be a folder that can be written "
                "to, and no other program may have its files open"
            ).format(folder=cache_folder())
        )


def _size(entries: "Sequence[Entry]") -> str:
    return ngettext(
        "{size} in {count:,} entry", "{size} in {count:,} entries", len(entries)
    ).format(size=_mb(sum(entry.size for entry in entries)), count=len(entries))


def _mb(size: int) -> str:
    return "{size:,.1f} MB".format(size=size / 1e6)
