"""Fixtures that several tests of this package use."""

from collections.abc import Callable
from pathlib import Path

import pytest

from convlens.report import finish as finish_module
from convlens.transfer.feature_cache import FeatureCache
from tests.transfer.backbones import saved


@pytest.fixture
def own_cache(monkeypatch, tmp_path) -> Path:
    """Give a test a cache of features of its own."""
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def no_report(monkeypatch) -> Callable[..., None]:
    """Leave the report out, which takes longer than a training of a small head; return it."""
    real = finish_module.report_run
    monkeypatch.setattr(finish_module, "report_run", lambda *_, **__: None)
    return real


@pytest.fixture
def file(tmp_path) -> Path:
    """Return the file of a classifier of four classes."""
    return saved(tmp_path / "trained.keras")


@pytest.fixture
def computed(monkeypatch):
    """Return a list that gets the number of features computed by each call."""
    real, counts = FeatureCache.compute, []

    def compute(*args):
        counts.append(real(*args))
        return counts[-1]

    monkeypatch.setattr(FeatureCache, "compute", compute)
    return counts
