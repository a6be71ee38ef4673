"""One save of each kind of file: whatever a crash leaves of it, the old or the new one is loaded.

If there was none before, the message must be the one that a user gets who has never saved any.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from convlens.errors import ConvlensError
from tests.crashes.disk import (
    Call,
    Content,
    key,
    read_folder,
    states,
    without_leftovers,
    write_folder,
)
from tests.crashes.kinds import KINDS, Kind
from tests.crashes.recorder import ERRORS

FIRST = {True: "first", False: "second"}


@pytest.fixture
def place(tmp_path) -> Path:
    """Return an empty folder, the same for every state, since messages name it."""
    folder = tmp_path.resolve() / "place"
    folder.mkdir()
    return folder


def outcome(kind: Kind, content: Content, place: Path) -> tuple[Any, ...]:
    """Return the parts that are loaded from a folder, or the message."""
    write_folder(content, place)
    try:
        return kind.load(place)
    except ConvlensError as error:
        return (in_one_line(str(error)),)


def in_one_line(message: str) -> str:
    """Return a message, which must be a single line."""
    assert len(message.splitlines()) == 1
    return message


def is_whole(found: tuple[Any, ...], old: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
    """Return whether parts are old or new ones, and all new if the first one is."""
    if found in (old, new):
        return True
    olds = old if len(old) == len(found) else (*old, *[None] * (len(found) - len(old)))
    if found[0] == new[0]:
        return False
    return all(one in pair for one, *pair in zip(found, olds, new, strict=True))


@pytest.mark.parametrize("first", [True, False], ids=FIRST.get)
@pytest.mark.parametrize("name", KINDS)
def test_a_crash_leaves_the_old_or_the_new_one(name, first, place, recorder):
    kind = KINDS[name]
    if not first:
        kind.save(place, 1)
    recording = recorder.record(place, "save", name, place, 1 if first else 2)
    final = read_folder(place)
    after = states(recording)
    assert key(final) in {key(state.content) for state in after}, "a call was missed"
    old = outcome(kind, recording.before, place)
    new = outcome(kind, final, place)
    visible = {key(without_leftovers(state.content)): state for state in reversed(after)}
    for state in visible.values():
        found = outcome(kind, state.content, place)
        assert is_whole(found, old, new), f"{state.moment}: {found}"


def ends_of_writing(calls: Sequence[Call]) -> list[int]:
    """Return the numbers of all calls but those in the middle of many that write to a file."""
    at_ends: list[int] = []
    for index, call in enumerate(calls):
        around = [(one.kind, one.path) for one in calls[max(0, index - 1) : index + 2]]
        if around != 3 * [(call.kind, call.path)]:
            at_ends.append(call.number)
    return sorted(set(at_ends))


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("error", "first"), [("full", False), ("broken", True)])
@pytest.mark.parametrize("name", KINDS)
def test_a_call_that_fails_is_told_in_one_line_and_loses_nothing(
    name, error, first, every, place, recorder
):
    kind = KINDS[name]
    if not first:
        kind.save(place, 1)
    before = read_folder(place)
    calls = recorder.record(place, "save", name, place, 1 if first else 2).calls
    numbers = range(1, calls[-1].number + 1) if every else ends_of_writing(calls)
    final = read_folder(place)
    old = outcome(kind, before, place)
    new = outcome(kind, final, place)
    for number in numbers:
        write_folder(before, place)
        done = recorder.fail(place, number, ERRORS[error], "save", name, place, 1 if first else 2)
        assert done.code == 0 or len(done.output.splitlines()) == 1, (number, done.output)
        assert done.code in (0, 9), (number, done.output)
        found = outcome(kind, read_folder(place), place)
        assert is_whole(found, old, new), (number, found)
        if done.code == 0:
            assert found == new, number
