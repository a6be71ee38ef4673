"""Stored: what is computed once for a run, in the folder `explanations/` of the run.

It holds for the classifier whose checksum it names. After another training it is computed anew.
"""

import json
from typing import Any

from convlens.checksums import digest
from convlens.errors import StorageError
from convlens.maps.explainer import Explainer
from convlens.maps.perturbing import Progress
from convlens.maps.randomisation import Randomised
from convlens.run import Run

FOLDER = "explanations"  # not translated: the name of a folder
RANDOMISATION = f"{FOLDER}/randomisation.json"
DOUBTS = f"{FOLDER}/doubts.json"
CHECKED = f"{FOLDER}/checked.json"


def read_randomised(run: Run) -> dict[str, Randomised]:
    """Return the results of the randomisation check of the classifier of a run, by method."""
    found = _read(run, RANDOMISATION)
    return {method: Randomised.from_dict(method, facts) for method, facts in found.items()}


def write_randomised(run: Run, results: dict[str, Randomised]) -> None:
    """Keep the results of the randomisation check for the classifier of a run.

    Raises:
        StorageError: If the file cannot be written.
    """
    _write(run, RANDOMISATION, {method: one.to_dict() for method, one in results.items()})


def randomise_once(
    explainer: Explainer, method: str, run: Run | None, progress: Progress | None = None
) -> StorageError | None:
    """Compute the randomisation check of a method unless it is known, and keep it for the run.

    Args:
        explainer: The explainer of the classifier. If that has no examples, nothing is computed.
        method: The method, which the network has.
        run: The run of the classifier, if there is one.
        progress: See `Explainer.randomise`.

    Returns:
        Why it could not be kept, for example in a folder that may only be read. It is then computed
        again the next time.
    """
    examples = explainer.classifier.examples
    if method in explainer.randomised or examples is None:
        return None
    explainer.randomise(method, examples, progress)
    if run is None:
        return None
    try:
        write_randomised(run, explainer.randomised)
    except StorageError as error:
        return error
    return None


def read_checked(run: Run) -> dict[str, dict[int, dict[str, Any]]]:
    """Return what `convlens explain RUN --check` has found, by method and index of an image."""
    found = _read(run, CHECKED)
    return {
        method: {int(index): facts for index, facts in images.items()}
        for method, images in found.items()
    }


def write_checked(run: Run, found: dict[str, dict[int, dict[str, Any]]]) -> None:
    """Keep what the checks have found, by method and index of an image.

    Raises:
        StorageError: If the file cannot be written.
    """
    _write(
        run,
        CHECKED,
        {
            method: {str(index): facts for index, facts in images.items()}
            for method, images in found.items()
        },
    )


def read_doubts(run: Run) -> dict[int, str]:
    """Return the classes that `convlens audit RUN` has suggested, by the index of an image."""
    return {int(index): label for index, label in _read(run, DOUBTS).items()}


def write_doubts(run: Run, doubts: dict[int, str]) -> None:
    """Keep the classes that the audit of a run suggests, by the index of an image.

    Raises:
        StorageError: If the file cannot be written.
    """
    _write(run, DOUBTS, {str(index): label for index, label in doubts.items()})


def _read(run: Run, name: str) -> dict[str, Any]:
    """Return what is stored for the classifier that a run has now; nothing if it is not there."""
    if not (run.folder / name).is_file():
        return {}
    found = run.read(name)
    return found["results"] if found.get("classifier") == digest(run.classifier_path) else {}


def _write(run: Run, name: str, results: dict[str, Any]) -> None:
    facts = {"classifier": digest(run.classifier_path), "results": results}
    run.write(name, json.dumps(facts, ensure_ascii=False))
