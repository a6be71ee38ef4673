"""The import of an engine, which the garbage collector neither disturbs nor looks at again."""

import contextlib
import gc
import importlib
import signal
import subprocess
import sys

import pytest

from convlens.quiet import uncollected, unswallowed

FROZEN = """
import gc
from convlens.quiet import freeze_imports, uncollected
if {of_one_command}:
    freeze_imports()
with uncollected():
    import html.parser
print(gc.get_freeze_count() > 0, gc.isenabled())
"""


@pytest.mark.parametrize("of_one_command", [True, False])
def test_only_a_process_of_one_command_leaves_its_imports_alone(of_one_command):
    program = FROZEN.format(of_one_command=of_one_command)
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert said.stdout.split() == [str(of_one_command), "True"], said.stderr


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_as_before_also_after_an_error(enabled):
    if not enabled:
        gc.disable()
    try:
        with pytest.raises(ModuleNotFoundError), uncollected():
            importlib.import_module("no_such_module")
        assert gc.isenabled() is enabled
    finally:
        gc.enable()


def swallow(reached):
    with unswallowed():
        with contextlib.suppress(BaseException):
            signal.raise_signal(signal.SIGINT)
        reached.append("the end")


def test_a_swallowed_interrupt_comes_at_the_end_of_the_import():
    reached = []
    with pytest.raises(KeyboardInterrupt):
        swallow(reached)
    assert reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with unswallowed():
        reached.append("nobody pressed anything")
