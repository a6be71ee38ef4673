"""Jobs: what the server forks for; see `tests.crashes.server`."""

import os
import shutil
import tempfile
from pathlib import Path
from unittest import mock

import convlens.cli.compare
import convlens.cli.predict
import convlens.cli.search
import convlens.cli.train
import convlens.pipeline
import convlens.studies.compare
import convlens.studies.cross_validation
import convlens.studies.few
import convlens.studies.search  # noqa: F401 - imported before the first fork
from convlens.cli import main
from convlens.export import export as exporting
from convlens.export.target import Target
from convlens.training import fit
from tests.conftest import without_charts
from tests.crashes.kinds import KINDS


def prepare() -> None:
    """Do once what every process would do, before the first fork, without the engine."""
    with tempfile.TemporaryDirectory() as folder:
        for version in ("1", "2"):
            save("report", folder, version)


def save(kind: str, folder: str, version: str) -> None:
    """Save a version of a kind of file."""
    KINDS[kind].save(Path(folder), int(version))


def command(*words: str) -> None:
    """Run a command of convlens that saves its state after every step, and draws no charts."""
    fit.SAVE_SECONDS = 0.0
    fit.SAVE_SHARE = 1e9
    with without_charts():
        main(words)


def write_in_every_way(folder: str) -> None:
    """Make each of the calls that the recorder notes."""
    place = Path(folder)
    (place / "new").mkdir()
    with (place / "new" / "a").open("w+b", buffering=0) as file:
        file.write(b"0123456789")
        os.pwrite(file.fileno(), b"ab", 3)
        os.writev(file.fileno(), [b"cd", b"ef"])
        file.truncate(12)
        os.fsync(file.fileno())
    with (place / "old").open("ab") as file:
        file.write(b" and more")
    os.link(place / "new" / "a", place / "linked")
    (place / "new" / "a").rename(place / "b")
    with (place / "b").open("wb") as file:
        file.write(b"anew")
    (place / "linked").unlink()
    (place / "new").rmdir()


def export(path: str, out: str, network: str) -> None:
    """Export a classifier to ONNX, with a network that was converted before."""

    def convert(saved: Path, target: Target, into: Path) -> None:
        shutil.copyfile(network, into / "model.onnx")

    with mock.patch.object(exporting, "convert", convert):
        exporting.export_classifier(Path(path), Target("onnx"), Path(out))
