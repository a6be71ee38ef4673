"""A run on digits of which some labels are wrong, which several tests audit."""

from dataclasses import replace

import pytest

from convlens.data.sources import load_data
from convlens.pipeline import train
from tests.audit.flips import flipped
from tests.trainings import CONFIG, QUIET


@pytest.fixture(scope="session")
def trained_on_flips(tmp_path_factory):
    """Return a run on digits with some flipped labels, its images, and the true labels."""
    clean = load_data("digits")
    dataset = replace(clean, labels=flipped(clean.labels, 0.1))
    config = CONFIG.replace(limit=500, epochs=2, augment="none")
    run = train(dataset, config, run=tmp_path_factory.mktemp("runs") / "run", screen=QUIET)
    return run, dataset, clean.labels
