"""Fixtures that several tests of this package use."""

import pytest

import convlens
from convlens.studies import journal
from tests.conftest import without_charts
from tests.studies.searches import begin


@pytest.fixture
def soon(monkeypatch):
    """Prune from the third trial on, where a search would from the sixth: fewer are trained."""
    monkeypatch.setattr(journal, "STARTUP", 2)


@pytest.fixture(scope="session")
def dataset():
    return convlens.load_data("digits")


@pytest.fixture(scope="session")
def finished(dataset, tmp_path_factory):
    """Return a search that has ended, with trials that were pruned `soon`."""
    with without_charts(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "STARTUP", 2)
        return begin(dataset, tmp_path_factory.mktemp("search") / "whole")


@pytest.fixture
def late(soon, monkeypatch):
    """Prune from the sixth trial on."""
    monkeypatch.setattr(journal, "STARTUP", 5)
