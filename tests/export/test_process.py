"""Programs in processes of their own: what they give, and what is said if they fail."""

import errno
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from convlens.errors import ExportError
from convlens.export.process import check_room, last_line, reason_of, run_program

DOUBLE = "import sys; import numpy as np; np.savez(sys.argv[2], twice=2 * float(sys.argv[1]))"


def test_the_arrays_of_a_program_are_returned():
    assert run_program(DOUBLE, "1.5") == {"twice": np.array(3.0)}


def test_a_program_that_fails_is_told_with_its_last_line():
    with pytest.raises(ExportError, match=r"cannot be run: ValueError: could not .*: 'x'\. Noth"):
        run_program(DOUBLE, "x")
    with pytest.raises(ExportError, match=r"stopped by signal 9, .* Close other programs\."):
        run_program("import os; os.kill(os.getpid(), 9)")


def test_the_last_line_has_no_full_stop():
    assert last_line("Traceback\n  ValueError: no Foo.\n\n") == "ValueError: no Foo"
    assert last_line(" \n") == ""


def test_a_full_disk_is_told_as_such(tmp_path, monkeypatch):
    network = tmp_path / "network"
    network.write_bytes(b"network")
    check_room(tmp_path, network)
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=6))
    with pytest.raises(OSError, match="No space left") as raised:
        check_room(tmp_path, network)
    assert raised.value.errno == errno.ENOSPC


@pytest.mark.parametrize("signal", [9, 6])
def test_a_program_that_a_signal_stopped_is_not_told_by_its_warnings(signal):
    program = (
        "import os, sys; print('a warning', file=sys.stderr, flush=True); os.kill(os.getpid(), {})"
    )
    command = [sys.executable, "-c", program.format(signal)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    stopped = f"the program was stopped by signal {signal}, which mostly means that the memory did"
    assert reason_of(done) == f"{stopped} not suffice. Close other programs"
    assert reason_of(done, "Custom ops: Foo", "--to openvino") == (
        f"{stopped} not suffice. Close other programs, or choose --to openvino, which takes less"
    )


def test_a_program_that_ended_by_itself_is_told_by_what_it_wrote():
    done = subprocess.CompletedProcess([], 1, stderr="Custom ops: Foo\nbye.\n")
    assert reason_of(done) == "bye"
    assert reason_of(done, "Custom ops: Foo") == "Custom ops: Foo"
    assert reason_of(subprocess.CompletedProcess([], 0, stderr="")) == "the program was stopped"
