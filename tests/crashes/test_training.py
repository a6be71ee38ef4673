"""A training from each state that a crash can leave ends with the bits of an undisturbed one."""

import re
from pathlib import Path

import pytest

from convlens.run import Run
from tests.crashes.disk import (
    Content,
    Recording,
    State,
    key,
    read_folder,
    states,
    without_leftovers,
    write_folder,
)
from tests.crashes.recorder import ERRORS, Recorder
from tests.crashes.runs import BEGUN, PRECISIONS, Ending, resume, words_of, write_images

pytestmark = pytest.mark.usefixtures("no_charts")
SHARE = {"float32": 1, "bfloat16": 4}  # each so many-th state is resumed in the normal tests


class Undisturbed:
    """A recorded training, its states, and what has been resumed from some of them."""

    def __init__(self, images: Path, folder: Path, recording: Recording) -> None:
        self.images = images
        self.folder = folder
        self.recording = recording
        self.final = read_folder(folder)
        self.ending = Ending.of(folder / "run")
        self._resumed: set[str] = set()

    def states(self) -> list[State]:
        """Return the states that differ in what a resumed run reads."""
        found: dict[str, State] = {}
        for state in states(self.recording):
            content = without_leftovers(state.content)
            found.setdefault(key(what_is_read(content)), State(state.moment, content))
        return list(found.values())

    def check(self, content: Content, moment: str) -> None:
        """Resume from a content, and compare the end; each content once."""
        read = key(what_is_read(content))
        if read in self._resumed:
            return
        self._resumed.add(read)
        run = write_folder(content, self.folder) / "run"
        message = resume(self.images, run)
        if message:
            assert "\n" not in message
            assert_nothing_is_lost(Run(run), message, moment)
        if not message or Run(run).finished:
            assert Ending.of(run).equals(self.ending), moment


def what_is_read(content: Content) -> Content:
    """Return what a resumed run reads: no checksums, no lock, and not when the run began."""
    return {
        name: data and re.sub(rb'"began": "[^"]+"', b"", data)
        for name, data in without_leftovers(content).items()
        if Path(name).name not in ("SHA256SUMS", "lock")
    }


def assert_nothing_is_lost(run: Run, message: str, moment: str) -> None:
    """Check why a run cannot be resumed: it is finished, or had not begun to train."""
    if run.finished:
        assert "this run is finished" in message, moment
        return
    assert BEGUN in message or "a run is a folder that" in message, f"{moment}: {message}"
    assert not run.state_path.exists(), moment
    assert not run.classifier_path.exists(), moment


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    return write_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module", params=PRECISIONS)
def undisturbed(request, recorder, images, tmp_path_factory) -> Undisturbed:
    """Return a recorded training in one precision."""
    folder = tmp_path_factory.mktemp("undisturbed").resolve() / "runs"
    folder.mkdir()
    words = words_of(images, folder / "run", request.param)
    return Undisturbed(images, folder, recorder.record(folder, "command", *words))


def test_no_call_is_missed(undisturbed):
    assert key(undisturbed.final) in {key(one.content) for one in states(undisturbed.recording)}


def test_what_is_resumed_ends_with_the_same_bits(undisturbed, request):
    precision = request.node.callspec.params["undisturbed"]
    for state in undisturbed.states()[:: SHARE[precision]]:
        undisturbed.check(state.content, state.moment)


@pytest.mark.slow
def test_all_states_end_with_the_same_bits(undisturbed):
    for state in undisturbed.states():
        undisturbed.check(state.content, state.moment)


def test_what_a_killed_process_has_left_is_removed(undisturbed):
    found = [one.content for one in states(undisturbed.recording)]
    left = [
        content
        for content in found
        if without_leftovers(content) != content and "run/report.json" not in content
    ]
    run = write_folder(left[-1], undisturbed.folder) / "run"
    assert not resume(undisturbed.images, run)
    assert not [path for path in run.rglob("*") if path.name.startswith(".")]
    assert Ending.of(run).equals(undisturbed.ending)


def calls_by_file(recording: Recording) -> list[list[int]]:
    """Return the numbers of the first call of each kind on each file, those of a file together."""
    found: dict[str, dict[str, int]] = {}
    for call in recording.calls:
        name = re.sub(r"^\.[0-9a-f]{8}\.", "", Path(call.named).name)  # random letters
        name = re.sub(r"keras\..+", "keras, its folder", name)
        found.setdefault(name, {}).setdefault(call.kind, call.number)
    return [sorted(numbers.values()) for numbers in found.values()]


def fail(undisturbed: Undisturbed, recorder: Recorder, number: int, error: str) -> None:
    """Let a call of the training fail, and resume it.

    A training that ends all the same has tried again, as zipfile does when it opens a file.
    """
    write_folder({}, undisturbed.folder)
    words = words_of(undisturbed.images, undisturbed.folder / "run", "float32")
    done = recorder.fail(undisturbed.folder, number, ERRORS[error], "command", *words)
    errors = [line for line in done.output.splitlines() if line.startswith("error")]
    what = f"{error} at call {number}: {done.output}"
    assert done.code in (0, 9), what
    assert len(errors) == (1 if done.code else 0), what
    assert not re.search("Traceback|Exception ignored", done.output), what
    content = read_folder(undisturbed.folder)
    if not done.code:
        assert "run/report.json" in content, what
    if "run" in content:  # otherwise the folder of a run that had not begun was removed
        undisturbed.check(content, what)


@pytest.mark.parametrize("undisturbed", ["float32"], indirect=True)
def test_a_training_whose_disk_fails_goes_on_with_the_same_bits(undisturbed, recorder):
    """On every second file; all are in a slow test."""
    for index, numbers in enumerate(calls_by_file(undisturbed.recording)[::2]):
        fail(undisturbed, recorder, numbers[index % len(numbers)], list(ERRORS)[index % 2])


@pytest.mark.slow
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("undisturbed", ["float32"], indirect=True)
def test_each_kind_of_call_on_each_file_may_fail(undisturbed, recorder, error):
    files = calls_by_file(undisturbed.recording)
    for number in sorted(number for numbers in files for number in numbers):
        fail(undisturbed, recorder, number, error)
