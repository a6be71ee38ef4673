"""A crash while a folder is exported leaves the whole folder or none."""

from pathlib import Path

import pytest

from convlens.errors import ExportError
from convlens.export.folder import open_network
from tests.crashes.conftest import recorder  # noqa: F401 - a fixture
from tests.crashes.disk import (
    Content,
    key,
    read_folder,
    states,
    without_leftovers,
    write_folder,
)
from tests.crashes.recorder import ERRORS, Recorder

NONE = "this must be a folder that convlens export wrote; it has no convlens.json"


@pytest.fixture
def place(tmp_path) -> Path:
    folder = tmp_path.resolve() / "place"
    folder.mkdir()
    return folder


@pytest.fixture
def words(classifier_file, exported, place) -> list[object]:
    """Return the arguments of the job that exports."""
    return ["export", classifier_file, place / "out", exported("onnx") / "model.onnx"]


def check(content: Content, place: Path, images, expected) -> bool:
    """Return whether there is a folder, which then has the probabilities of the undisturbed one."""
    write_folder(content, place)
    if not (place / "out").exists():
        with pytest.raises(ExportError, match=NONE):
            open_network(place / "out")
        return False
    assert (open_network(place / "out").probabilities(images) == expected).all()
    return True


def test_the_folder_appears_as_a_whole(recorder, words, place, images):  # noqa: F811
    recording = recorder.record(place, *words)
    final = read_folder(place)
    expected = open_network(place / "out").probabilities(images)
    found = states(recording)
    assert key(final) in {key(state.content) for state in found}, "a call was missed"
    visible = {key(without_leftovers(state.content)): state.content for state in found}
    whole = [check(content, place, images, expected) for content in visible.values()]
    assert whole.count(True) == 1
    assert len(found) > 50


def calls_to_fail(recorder: Recorder, words: list[object], place: Path) -> list[int]:  # noqa: F811
    """Return the numbers of all calls of an export that changed something."""
    calls = recorder.record(place, *words).calls
    write_folder({}, place)
    return [call.number for call in calls]


def fail(recorder: Recorder, words: list[object], place: Path, number: int, error: str) -> None:  # noqa: F811
    write_folder({}, place)
    done = recorder.fail(place, number, ERRORS[error], *words)
    assert done.code == 9, (number, done.output)
    assert len(done.output.splitlines()) == 1, (number, done.output)
    for folder in place.glob("[!.]*"):
        open_network(folder)  # only the fsync after the rename can fail and leave it, whole


def test_a_disk_that_fails_leaves_no_folder(recorder, words, place):  # noqa: F811
    numbers = calls_to_fail(recorder, words, place)
    for number, error in ((len(numbers) // 2, "full"), (len(numbers) // 3, "broken")):
        fail(recorder, words, place, number, error)


@pytest.mark.slow
@pytest.mark.parametrize("error", ERRORS)
def test_each_call_that_fails_leaves_no_folder(recorder, words, place, error):  # noqa: F811
    for number in calls_to_fail(recorder, words, place):
        fail(recorder, words, place, number, error)
