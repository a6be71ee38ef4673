"""Classifier files that were cut or changed, or that another convlens made, are refused."""

import json
import shutil
import subprocess
import zipfile

import keras
import numpy as np
import pytest
from keras import layers

from convlens.classifier.archive import ADDITIONS, ENTRY, _without_additions
from convlens.classifier.classifier import Classifier
from convlens.errors import ClassifierError, StorageError
from tests.classifier.test_classifier import IMAGES, make


@pytest.fixture
def saved(tmp_path):
    make().save(tmp_path / "classifier.keras")
    return tmp_path / "classifier.keras"


def test_cut_files_are_refused(saved):
    content = saved.read_bytes()
    for size in (0, 100, len(content) // 2, len(content) - 30):
        saved.write_bytes(content[:size])
        with pytest.raises(ClassifierError, match="damaged"):
            Classifier.load(saved)


def flips(content, count):
    """Yield the place of a changed bit and the content with it.

    Half of the bits lie anywhere, the other half in the directory at the end of the archive.
    """
    random = np.random.default_rng(0)
    directory = content.index(b"PK\1\2")
    starts = np.where(np.arange(count) % 2, directory, 0)
    for place, bit in zip(
        random.integers(starts, len(content)), random.integers(8, size=count), strict=True
    ):
        changed = bytearray(content)
        changed[place] ^= 1 << bit
        yield int(place), bytes(changed)


def test_a_flipped_bit_changes_nothing_or_is_a_classifier_error(saved):
    content, expected, refused = saved.read_bytes(), make().probabilities(IMAGES), []
    for place, changed in flips(content, 60):
        saved.write_bytes(changed)
        try:
            assert np.array_equal(Classifier.load(saved).probabilities(IMAGES), expected), place
        except ClassifierError as error:
            refused.append(str(error))
    assert not any("\n" in message for message in refused)
    assert len(refused) > 30


@pytest.mark.parametrize("bit", range(16))
def test_every_compression_method_that_a_flipped_bit_names_is_refused(saved, bit):
    content = bytearray(saved.read_bytes())
    content[content.index(b"PK\1\2") + 10 + bit // 8] ^= 1 << bit % 8
    saved.write_bytes(content)
    with pytest.raises(ClassifierError, match=r"damaged|cannot be read|changed"):
        Classifier.load(saved)


def test_a_file_of_a_newer_convlens_is_named(saved):
    rewrite(
        saved,
        lambda name, content: (
            content.replace(b'"format": 3', b'"format": 4') if name == ENTRY else content
        ),
    )
    with pytest.raises(ClassifierError, match=r"made by a newer convlens \(its format is 4"):
        Classifier.load(saved)


def rewrite(path, change):
    """Write the archive again with `change(name, content)`: it is valid, but not what was saved."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(path.with_suffix(".new"), "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    path.with_suffix(".new").replace(path)


@pytest.mark.parametrize(
    ("entry", "old", "new"), [("convlens.json", b"dog", b"cow"), ("config.json", b"0.3", b"0.4")]
)
def test_changed_files_are_refused(saved, entry, old, new):
    rewrite(saved, lambda name, content: content.replace(old, new) if name == entry else content)
    with pytest.raises(ClassifierError, match="was changed after it was saved"):
        Classifier.load(saved)


def test_other_files_are_named(tmp_path):
    with pytest.raises(ClassifierError, match="no classifier file here"):
        Classifier.load(tmp_path / "none.keras")
    keras.Sequential([layers.Input((2,)), layers.Dense(1)]).save(tmp_path / "plain.keras")
    with pytest.raises(ClassifierError, match="plain Keras model"):
        Classifier.load(tmp_path / "plain.keras")


@pytest.mark.parametrize(
    ("name", "start", "kind"),
    [
        ("a.h5", b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        ("renamed.keras", b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        ("a.onnx", b"\x08\x0a", "a network in ONNX"),
        ("a.tflite", b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
        ("a.safetensors", b"", "safetensors"),
    ],
)
def test_networks_of_other_kinds_are_named(tmp_path, name, start, kind):
    (tmp_path / name).write_bytes(start)
    with pytest.raises(ClassifierError, match=rf"{name}: .*this is .*{kind}"):
        Classifier.load(tmp_path / name)


def test_a_file_of_pytorch_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("a/data.pkl", b"")
    with pytest.raises(ClassifierError, match="a file of PyTorch"):
        Classifier.load(tmp_path / "a.pt")


def test_the_network_mentions_no_setting_that_an_older_keras_refuses(saved):
    with zipfile.ZipFile(saved) as archive:
        config = archive.read("config.json").decode()
        assert archive.testzip() is None
    assert "kernel_initializer" in config
    assert not [name for name in ADDITIONS if f'"{name}"' in config]
    renorm = {"config": {"renorm": True, "renorm_momentum": 0.9, "axis": None, "salt": None}}
    used = {"config": {"renorm": True, "renorm_momentum": 0.9, "axis": None}}
    assert _without_additions([renorm]) == [used]


def test_a_network_that_this_keras_cannot_build_names_both_versions(saved, monkeypatch):
    monkeypatch.setattr("convlens.classifier.archive.checksum", lambda *_: "same")

    def newer(name, content):
        content = content.replace(b'"GlobalAveragePooling2D"', b'"LayerOfTheFuture"')
        if name == ENTRY:
            return json.dumps(json.loads(content) | {"checksum": "same"})
        return b'{"keras_version": "4.0.1"}' if name == "metadata.json" else content

    rewrite(saved, newer)
    message = rf"Keras {keras.__version__} cannot build .* Keras 4\.0\.1 wrote.*keras==4\.0\.1"
    with pytest.raises(ClassifierError, match=message):
        Classifier.load(saved)


def test_a_file_without_a_threshold_opens(saved, monkeypatch):
    """Such files were written before there were thresholds."""
    monkeypatch.setattr("convlens.classifier.archive.checksum", lambda *_: "same")

    def older(name, content):
        if name != ENTRY:
            return content
        facts = json.loads(content)
        del facts["threshold"]
        return json.dumps(facts | {"checksum": "same"})

    rewrite(saved, older)
    assert Classifier.load(saved).threshold is None


def test_a_full_disk_keeps_the_previous_file(saved, monkeypatch):
    before = saved.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(StorageError, match="No space left"):
        make().save(saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["classifier.keras"]


def test_a_real_full_disk_keeps_the_previous_file(tmp_path):
    """On a tiny file system, where the machine lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting needs root; the same is tested with a simulated error")
    try:
        classifier = make()
        classifier.save(disk / "classifier.keras")
        before = (disk / "classifier.keras").read_bytes()
        (disk / "ballast").write_bytes(b"0" * (126_000 - len(before)))
        with pytest.raises(StorageError, match="No space left"):
            classifier.save(disk / "classifier.keras")
        assert (disk / "classifier.keras").read_bytes() == before
    finally:
        subprocess.run(["umount", str(disk)], check=True)
