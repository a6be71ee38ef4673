"""The process of a command: it ends at once, with its code, when everything is written."""

import subprocess
import sys

import pytest

# A module that cannot be taken down, as an engine that takes long.
PROGRAM = """
import atexit, sys
class Slow:
    def __del__(self):
        print("taken down")
sys.modules["slow"] = Slow()
from convlens import cli
def command(words):
    atexit.register(print, "registered by the command")
    print("written")
    {ending}
cli._obey = command
sys.argv = ["convlens"]
cli.run_process()
"""


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("return 0", 0),
        ("return 11", 11),
        ("raise KeyboardInterrupt", 130),
        ("raise SystemExit(2)", 2),
        ("raise ValueError('odd')", 1),
    ],
)
def test_a_process_ends_with_its_code_after_the_last_function(ending, code):
    program = PROGRAM.format(ending=ending)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == code, done.stderr
    assert done.stdout == "written\nregistered by the command\n"


def test_a_fault_that_is_shown_ends_as_python_ends_it():
    program = PROGRAM.format(ending="raise ValueError('odd')")
    program = program.replace('["convlens"]', '["convlens", "--debug"]')
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 1
    assert "ValueError: odd" in done.stderr
