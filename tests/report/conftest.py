"""Two finished runs that the tests of this package share."""

import shutil
from pathlib import Path

import pytest

from convlens.config import Config
from convlens.pipeline import train
from convlens.run import Run
from tests.conftest import without_charts
from tests.trainings import QUIET

CONFIG = Config().replace(
    model="custom_cnn",
    filters=(8,),
    dense=(32,),
    dropout=0.0,
    epochs=25,
    limit=600,
    learning_rate=0.02,
    augment="none",
)


@pytest.fixture(scope="session")
def runs(digits, tmp_path_factory) -> list[Run]:
    """Return a calibrated run and one that is not, which are else alike."""
    folder = tmp_path_factory.mktemp("runs")
    with without_charts():
        return [
            train(digits, CONFIG.replace(calibration=wanted), run=folder / name, screen=QUIET)
            for name, wanted in (("calibrated", True), ("plain", False))
        ]


def copied(run: Run, folder: Path) -> Run:
    """Return a copy of a run in this folder, which a test may change."""
    return Run(Path(shutil.copytree(run.folder, folder / run.folder.name)))
