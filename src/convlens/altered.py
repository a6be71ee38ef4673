"""Altered: whether somebody has changed the settings or the split of a run, and which settings.

The checksums of a run tell which of its files were changed since convlens has written them.
"""

import csv
import json
from pathlib import Path

from convlens.checksums import FIXED, SUMS, digest, readable_sums
from convlens.classifier.archive import read_facts
from convlens.config import Config
from convlens.errors import ConfigError, ConvlensError, RunError
from convlens.files import and_more
from convlens.language import N_, _, sentences
from convlens.run_folder import (
    CLASSIFIER,
    FOLD_DONE,
    NETWORK_DONE,
    SETTINGS,
    TRIALS,
    continuing,
    is_finished,
    read_json,
    study_of,
)

ALTERED = {  # by whether `convlens train` has written the file
    True: N_(
        "{path}: the settings and the split of a run must stay as it has written them; this file "
        "was changed since."
    ),
    False: N_(
        "{path}: the settings and the split of a search or a comparison must stay as it has "
        "written them; this file was changed since."
    ),
}
ADVICE = {  # likewise
    True: N_("Restore the file. To train with other settings, start a new run with --config."),
    False: N_(
        "Restore the file. For other settings, begin a new search or comparison under another "
        "--run name."
    ),
}


def altered(folder: Path) -> list[str]:
    """Return a sentence for each file with the settings or the split of a run that was changed.

    Those of the parts of a study that are left, such as the networks of a comparison, count as its
    own. Parts that are done decide nothing any more.
    """
    parts = [] if is_finished(folder) else sorted(path.parent for path in folder.glob(f"*/{SUMS}"))
    ended = _ended_trials(folder)
    left = [part for part in parts if part.name not in ended and not _is_done(part)]
    is_training = continuing(study_of(folder) or folder) == "train"
    message = _(ALTERED[is_training])
    known = {
        place / name: digits
        for place in (folder, *left)
        for name, digits in readable_sums(place).items()
        if name.as_posix() in FIXED
    }
    return [
        sentences(message.format(path=path), _changed_settings(path), _(ADVICE[is_training]))
        for path, digits in known.items()
        if _is_other(path, digits)
    ]


def _changed_settings(path: Path) -> str:
    """Return which settings of a run somebody has changed, as far as its classifier tells.

    Nothing is said where this is not known: of other files, before the first epoch has ended, and
    where convlens itself may have written other settings since it saved the classifier.
    """
    if path.name != SETTINGS or not (path.parent / CLASSIFIER).is_file():
        return ""
    try:
        changed = _differences(path)
    except (ConvlensError, AttributeError, LookupError, TypeError):
        return ""  # Whoever reads the files says what is wrong with them.
    return _("What was changed: {settings}.").format(settings=and_more(changed)) if changed else ""


def _differences(path: Path) -> list[str]:
    """Return the settings in a file that differ from those that the classifier has recorded."""
    before = read_facts(path.parent / CLASSIFIER)["provenance"]["config"]
    now = json.loads(json.dumps(Config.from_toml(path).to_dict()))
    if "budget" in read_json(path.parent / "data.json"):  # which is planned anew while it passes
        return []
    if before["transfer"]["unfreeze"] != now["transfer"]["unfreeze"]:  # only the head has learned
        return []
    if now["transfer"]["backbone"] is not None:  # The file has what was asked for, not decided.
        del now["training"]["precision"]
    template: str = _("{name} ({before} before, {now} now)")
    return [
        template.format(name=name, before=_written(known[name]), now=_written(found))
        for section, known in before.items()
        for name, found in now.get(section, {}).items()
        if name in known and known[name] != found
    ]


def _written(value: object) -> str:
    """Return the value of a setting as the file has it, which leaves out those that are None."""
    return _("not set") if value is None else json.dumps(value, ensure_ascii=False)


def _ended_trials(folder: Path) -> set[str]:
    """Return the names of the trials of a search that have ended; none if it has no such table."""
    try:
        with (folder / TRIALS).open(newline="", encoding="utf-8") as file:
            return {f"trial-{int(row['trial']):03d}" for row in csv.DictReader(file)}
    except (OSError, ValueError, LookupError, TypeError, csv.Error):
        return set()


def _is_done(part: Path) -> bool:
    """Return whether a fold, a draw or a network of a study has its result."""
    return any((part / name).exists() for name in ("report.json", FOLD_DONE, NETWORK_DONE))


def _is_other(path: Path, known: str) -> bool:
    """Return whether a file can be read and does not have the known digest."""
    try:
        return path.is_file() and digest(path) != known
    except OSError:  # Whoever reads the content of the file says why it cannot be read.
        return False


def refuse_altered(folder: Path) -> None:
    """Raise RunError if the settings or the split of a run were changed; see `altered`."""
    if said := altered(folder):
        raise RunError(sentences(_unreadable(folder), *said))


def _unreadable(folder: Path) -> str:
    """Return why the settings of a run cannot be read, or "" if they can or are not there."""
    try:
        if (folder / SETTINGS).is_file():
            Config.from_toml(folder / SETTINGS)
    except ConfigError as error:
        return str(error.args[0])
    return ""
