"""Begun: whether a search or a comparison can be continued, by its files and without the engine."""

from pathlib import Path

from convlens.errors import RunError
from convlens.language import N_, _, listed
from convlens.run_access import refuse_begun
from convlens.run_folder import COMPARISON_FACTS, RUNS, SEARCH_FACTS, folder_of, read_json

NO_COMPARISON = {  # by whether there are others
    True: N_(
        "{name}: a comparison is a folder that `convlens compare` made, with compare.json. "
        "Comparisons here: {known}."
    ),
    False: N_("{name}: a comparison is a folder that `convlens compare` made, with compare.json."),
}


def find_comparison(name: str | Path) -> Path:
    """Return the folder of an existing comparison by its path or its name under `runs/`.

    Raises:
        RunError: If there is no such comparison.
    """
    folder = folder_of(name)
    if (folder / COMPARISON_FACTS).is_file():
        return folder
    refuse_begun(folder)
    known = sorted(path.parent.name for path in RUNS.glob(f"*/{COMPARISON_FACTS}"))
    raise RunError(_(NO_COMPARISON[bool(known)]).format(name=name, known=listed(known)))


def refuse_finished_comparison(folder: Path) -> None:
    """Raise RunError if a comparison has its result."""
    if "ranking" in read_json(folder / COMPARISON_FACTS):
        raise RunError(
            _("{folder}: this comparison is finished; its table is in compare.json.").format(
                folder=folder
            )
        )


def require_unfinished_search(folder: Path) -> None:
    """Raise RunError if a folder is no search, or if the search has its result."""
    if not (folder / SEARCH_FACTS).is_file():
        raise RunError(
            _(
                "{folder}: a search is a folder that `convlens search` made, with search.json."
            ).format(folder=folder)
        )
    if "best" in read_json(folder / SEARCH_FACTS):
        raise RunError(
            _("{folder}: this search is finished; its result is in search.json.").format(
                folder=folder
            )
        )
