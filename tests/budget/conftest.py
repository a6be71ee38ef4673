"""What the tests of time budgets share: a small network, and a clock that stands still."""

from types import SimpleNamespace

import pytest

from convlens.budget import deadline, measure, timed_run
from convlens.config import Config
from convlens.report import finish
from convlens.screen import Screen

QUIET = Screen(quiet=True)
SMALL = Config().replace(
    model="custom_cnn",
    filters=(6, 8),
    dense=(),
    limit=240,
    optimizer="momentum",
    precision="float32",
)


@pytest.fixture
def quick(monkeypatch, tmp_path):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(finish, "report_run", lambda *_, **__: None)
    monkeypatch.setattr(measure, "write_evaluation", lambda *_: None)
    monkeypatch.setattr(measure, "SPENT", 0.05)
    monkeypatch.setattr(timed_run, "MOST_TIMED", 0.2)
    # The clock of the deadline stands still, so that what fits does not depend on the machine.
    still = SimpleNamespace(monotonic=lambda: 50.0, time=lambda: 50.0)
    monkeypatch.setattr(deadline, "time", still)
