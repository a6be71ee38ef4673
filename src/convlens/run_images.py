"""Run images: whether images are those of a run, and which of them it has drawn and divided."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.altered import refuse_altered
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.digests import Digests, no_digests
from convlens.data.formats.named import NAMES
from convlens.data.labels import natural_key
from convlens.data.prepared import Prepared
from convlens.data.sources import load_data
from convlens.errors import DataError, RunError
from convlens.files import DAMAGE, and_more, write_atomically
from convlens.language import N_, _, sentences
from convlens.run_folder import CLASSIFIER, is_of_run, read_json, study_of

IMAGES = Path("state") / "images.npz"  # the names, labels and digests of the images of a run
NAMED = 3  # images in a message
OWN_IMAGES = N_(
    "Restore them, or give the run's own images; others can be scored with evaluate --data."
)
DIFFERENCES = (
    N_("Images that are missing: {names}."),
    N_("Images that are new: {names}."),
    N_("Images whose content has changed: {names}."),
    N_("Images that have another class: {names}."),
)


def record_images(folder: Path, prepared: Prepared, earlier: Digests | None = None) -> None:
    """Write what tells the images of a run apart, unless it is there.

    The parts of a study, such as its folds, have the images of the study and no file of their own.

    Args:
        folder: The folder of the run.
        prepared: The images.
        earlier: (m, 16) digests of the images that its network has learned from before.

    Raises:
        StorageError: If the file cannot be written.
    """
    path = _list_of(folder)
    if path.exists():
        return
    dataset = prepared.dataset
    # An array of texts would take as much room for each name as for the longest one.
    names = json.dumps([dataset.file_name(index) for index in range(len(dataset))]).encode()
    write_atomically(
        path,
        lambda place: np.savez_compressed(
            place,
            names=np.frombuffer(names, np.uint8),
            labels=dataset.labels,
            contents=prepared.store.contents,
            earlier=no_digests() if earlier is None else earlier,
        ),
        _("the list of images"),
    )


def _list_of(folder: Path) -> Path:
    """Return where the list of the images of a run lies, or that of the study it is a part of."""
    return (study_of(folder) or folder) / IMAGES


def _recorded(folder: Path, *keys: str) -> list[NDArray[Any]]:
    """Return arrays that `record_images` has written; none for runs of earlier versions."""
    with suppress(*DAMAGE), np.load(_list_of(folder)) as file:
        return [file[key] for key in keys]
    return []


def learned_by(classifier: Path) -> Digests:
    """Return (m, 16) digests of the images that a classifier has learned from or was chosen by.

    Those of the trainings before, which `train --from` and `--backbone` name, are among them. There
    are none where they are not known, as for a file that does not lie in a run.

    Args:
        classifier: The file of the classifier, or the folder of its run.
    """
    path = classifier / CLASSIFIER if classifier.is_dir() else classifier
    known = _recorded(path.parent, "contents", "earlier") if is_of_run(path) else []
    if not known:
        return no_digests()
    data = read_json(path.parent / "data.json")
    indices = np.array(data["splits"]["train"] + data["splits"]["val"], np.int64)
    if "drawn" in data:
        indices = np.searchsorted(data["drawn"], indices)
    contents, earlier = known
    return np.unique(np.concatenate([contents[indices], earlier]), axis=0)


def are_among(contents: Digests, learned: Digests) -> NDArray[np.bool_]:
    """Return (n,) whether the (n, 16) digests of images are among others."""
    known = {one.tobytes() for one in learned}
    return np.array([one.tobytes() in known for one in contents], bool)


def _differences(
    folder: Path, data: Mapping[str, Any], dataset: Dataset, contents: Digests | None = None
) -> str:
    """Return which images are not those of a run, as far as this is known; "" if it is not.

    Args:
        folder: The folder of the run.
        data: The content of its data.json.
        dataset: The images.
        contents: Their digests. Without them, the images are compared by their names, and none is
            read. Those of arrays are numbers that tell nothing.
    """
    known = _recorded(folder, "names", "labels")
    if not known or (contents is None and isinstance(dataset.images, np.ndarray)):
        return ""
    known_names: list[str] = json.loads(known[0].tobytes())
    names = [dataset.file_name(index) for index in range(len(dataset))]
    known_keys: Iterable[str | bytes] = known_names
    keys: Iterable[str | bytes] = names
    if contents is not None:
        known_keys = [one.tobytes() for one in _recorded(folder, "contents")[0]]
        keys = [one.tobytes() for one in contents]
    before = _by_key(known_keys, known_names, known[1], data["class_names"])
    now = _by_key(keys, names, dataset.labels, dataset.class_names)
    missing = {before[one][0] for one in before.keys() - now.keys()}
    new = {now[one][0] for one in now.keys() - before.keys()}
    moved = {now[one][0] for one in before.keys() & now.keys() if before[one][1] != now[one][1]}
    if not missing | new | moved:  # A copy of another image has come or gone.
        missing = set(known_names) - set(names)
        new = set(names) - set(known_names)
    changed = missing & new
    # Of images that a limit has left, nobody knows which others there were.
    added = set() if "drawn" in data else new - changed
    found = zip(DIFFERENCES, (missing - changed, added, changed, moved), strict=True)
    return sentences(*(_(template).format(names=_named(some)) for template, some in found if some))


def _by_key(
    keys: Iterable[str | bytes],
    names: Iterable[str],
    labels: NDArray[np.int64],
    class_names: Sequence[str],
) -> dict[str | bytes, tuple[str, str]]:
    """Return the name and the class of each image, by its digest or by its name."""
    classes = (class_names[label] for label in labels)
    return dict(zip(keys, zip(names, classes, strict=True), strict=True))


def _renamed(folder: Path, prepared: Prepared) -> str:
    """Return which images have another name than in the training; "" if none is known.

    Args:
        folder: The folder of the run.
        prepared: Its images, in another order.
    """
    known = _recorded(folder, "names", "contents")
    dataset = prepared.dataset
    if not known or isinstance(dataset.images, np.ndarray):
        return ""
    names = [dataset.file_name(index) for index in range(len(dataset))]
    known_names: list[str] = json.loads(known[0].tobytes())
    gone = set(known_names) - set(names)
    new = set(names) - set(known_names)
    pairs = zip(known[1], known_names, strict=True)
    before = {content.tobytes(): name for content, name in pairs if name in gone}
    renamed: set[str] = {
        _("{name} (was {before})").format(name=name, before=before[content.tobytes()])
        for name, content in zip(names, prepared.store.contents, strict=True)
        if name in new and content.tobytes() in before
    }
    if not renamed:
        return ""
    return _("Images that have another name: {names}.").format(names=_named(renamed))


def _named(names: set[str]) -> str:
    ordered: list[str] = sorted(names, key=natural_key)
    return and_more(ordered, NAMED)


def divided(folder: Path, data: Mapping[str, Any], prepared: Prepared) -> Prepared:
    """Return images with the split that a run has recorded.

    Args:
        folder: The folder of the run.
        data: The content of its data.json.
        prepared: The images.

    Raises:
        RunError: If these are not the images of the run, or not in the order that they had.
    """
    if not prepared.has_fingerprint(data["fingerprint"]):
        said = _("{source}: these are not the images of {folder} (their fingerprint differs).")
        found = ""
        if prepared.whole is None:
            found = _differences(folder, data, prepared.dataset, prepared.store.contents)
        raise RunError(
            sentences(
                said.format(source=prepared.dataset.source, folder=folder), found, _(OWN_IMAGES)
            )
        )
    # Runs of earlier versions have not recorded the order.
    if "order" in data and not prepared.has_order(data["order"]):
        said = _("{source}: these are the images of {folder} in another order.")
        advice = _(
            "Restore the file names, or the order of the rows, of the training: its split is "
            "recorded by the positions of the images."
        )
        raise RunError(
            sentences(
                said.format(source=prepared.dataset.source, folder=folder),
                _renamed(folder, prepared),
                advice,
            )
        )
    return prepared.divided(data["splits"])


def load_images(path: str, config: Config, lists: list[Path], remedy: str = "") -> Dataset:
    """Return the images of a run, with the labels that its training has read.

    Args:
        path: Where they lie.
        config: The configuration of the run.
        lists: Its lists of corrections.
        remedy: What the message says besides if they cannot be found or read there.

    Raises:
        DataError: If they cannot be found or read there.
    """
    settings = config.data
    try:
        return load_data(path, pattern=settings.pattern, layout=settings.layout, using=lists)
    except DataError as error:
        raise DataError(sentences(*error.args, "" if path in NAMES else remedy)) from error


def drawn(folder: Path, data: Mapping[str, Any], dataset: Dataset) -> NDArray[np.int64]:
    """Return the (n,) ascending indices of the images of a data set that a run uses.

    Runs without a limit, and those of earlier releases, have not recorded them, and use all images.

    Args:
        folder: The folder of the run.
        data: The content of its data.json.
        dataset: The images.

    Raises:
        RunError: If these are not the images of the run, or its settings or its split were changed.
    """
    refuse_altered(folder)
    if data.get("images", len(dataset)) != len(dataset):
        said = _(
            "{source}: these are not the images of {folder}, which has {known:,}; found {found:,}."
        ).format(source=dataset.source, folder=folder, known=data["images"], found=len(dataset))
        raise RunError(sentences(said, _differences(folder, data, dataset), _(OWN_IMAGES)))
    return np.array(data.get("drawn", range(len(dataset))), np.int64)
