"""Page texts: what the page of the studio says; it gets all of them in both languages."""

from convlens.language import N_

TEXTS: dict[str, str] = {
    "studio": N_("Studio"),
}
