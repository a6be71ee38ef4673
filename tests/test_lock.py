"""The lock of a folder: one holder, and a process that was killed blocks nobody."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from convlens import lock
from convlens.errors import RunError, StorageError
from convlens.lock import LOCK, is_locked, locked, owner, was_killed

HOLD = """
import sys
from pathlib import Path
from convlens.lock import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Return a process that holds the lock of the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "locked\n"
    yield process
    process.kill()
    process.communicate()


@pytest.fixture(autouse=True)
def _no_long_wait(monkeypatch):
    monkeypatch.setattr(lock, "WAIT", 0.1)


def test_another_process_is_refused_and_named_until_it_ends(tmp_path, holder):
    assert is_locked(tmp_path)
    with (
        pytest.raises(RunError, match="one process at a time works on a run") as caught,
        locked(tmp_path),
    ):
        pass
    assert f"process {holder.pid} (" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert owner(tmp_path)["pid"] == holder.pid
    holder.communicate("")
    assert not was_killed(tmp_path)
    with locked(tmp_path):
        assert owner(tmp_path)["pid"] == os.getpid()
    assert owner(tmp_path) == {}


def test_a_killed_process_blocks_nobody_and_is_known(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert not is_locked(tmp_path)
    assert was_killed(tmp_path)
    assert owner(tmp_path)["pid"] == holder.pid
    with locked(tmp_path):
        assert not was_killed(tmp_path)
    assert not was_killed(tmp_path)


def test_the_same_thread_may_lock_again_and_another_may_not(tmp_path):
    refused = []

    def try_it() -> None:
        try:
            with locked(tmp_path):
                pass
        except RunError as error:
            refused.append(str(error))

    with locked(tmp_path):
        with locked(tmp_path / "." / "x" / ".."):
            pass
        assert is_locked(tmp_path)
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
    assert not is_locked(tmp_path)
    assert len(refused) == 1
    assert f"process {os.getpid()} " in refused[0]


OWNER = {"pid": 1, "host": "here", "command": "train", "since": "2026-01-02T03:04:05+08:00"}
DAMAGED = {
    "cut": '{"pid": ',
    "no date": json.dumps(OWNER | {"since": "yesterday"}),
    "a number": json.dumps(OWNER | {"since": 5}),
    "no process": json.dumps({"since": OWNER["since"]}),
    "no table": "[1]",
    "too deep": "[" * 100_000,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_lock_whose_content_is_damaged_is_still_a_lock(content, tmp_path, holder):
    (tmp_path / LOCK).write_text(content)
    with pytest.raises(RunError, match="another process does so now"), locked(tmp_path):
        pass


def test_what_a_later_version_writes_besides_does_no_harm(tmp_path, holder):
    (tmp_path / LOCK).write_text(json.dumps(OWNER | {"folder": "x", "since": OWNER["since"]}))
    with pytest.raises(RunError, match=r"process 1 \(train\)"), locked(tmp_path):
        pass


def test_a_process_of_another_computer_is_named_with_it(tmp_path, holder, monkeypatch):
    monkeypatch.setattr(lock.platform, "node", lambda: "elsewhere")
    with pytest.raises(RunError, match="of the computer"), locked(tmp_path):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not limit the size of files")
def test_a_disk_that_takes_no_name_of_the_holder_is_said(tmp_path):
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    said = "the run folder cannot be written"
    try:
        with pytest.raises(StorageError, match=said), locked(tmp_path):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_folder_that_nobody_has_locked_is_free(tmp_path):
    assert not is_locked(tmp_path)
    assert not was_killed(tmp_path)
    assert not is_locked(tmp_path / "nowhere")
