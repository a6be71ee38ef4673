"""The import of an engine, which the garbage collector neither disturbs nor looks at again."""

import gc
import importlib
import subprocess
import sys

import pytest

from convlens.quiet import uncollected

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
