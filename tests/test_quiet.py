"""The import of an engine, which the garbage collector neither disturbs nor looks at again."""

import gc
import sys
from types import ModuleType

import pytest

from convlens.quiet import uncollected


@pytest.fixture
def _unfrozen():
    frozen = gc.get_freeze_count()
    yield
    if not frozen:
        gc.unfreeze()


@pytest.mark.usefixtures("_unfrozen")
def test_what_was_imported_is_not_looked_at_again(monkeypatch):
    with uncollected():
        assert not gc.isenabled()
        monkeypatch.setitem(sys.modules, "imported", ModuleType("imported"))
    assert gc.isenabled()
    before = gc.get_freeze_count()
    assert before > 0
    kept = [[] for _ in range(1000)]
    with uncollected():
        kept.append([])
    assert gc.get_freeze_count() <= before  # nothing was imported
    assert gc.isenabled()


def test_a_collector_that_is_switched_off_stays_off():
    gc.disable()
    try:
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
