"""Sources: what a path or a name is recognised as, and the messages if nothing fits."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.data.sources import load_data
from convlens.errors import DataError


def image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 3)).save(path)
    return path


def class_folders(root: Path, classes=("cat", "dog"), number=2) -> Path:
    for name in classes:
        for i in range(number):
            image(root / name / f"{i}.png")
    return root


def test_a_class_missing_in_test_is_a_note_and_in_train_an_error(tmp_path):
    class_folders(tmp_path / "train", ("a", "b", "c"))
    class_folders(tmp_path / "test", ("a", "b"))
    assert "test has no images of c" in load_data(tmp_path).notes
    class_folders(tmp_path / "test", ("d",))
    with pytest.raises(DataError, match="none in train for 'd'"):
        load_data(tmp_path)


def test_only_a_test_folder_serves_for_evaluation(tmp_path):
    class_folders(tmp_path / "test", number=1)
    assert len(load_data(tmp_path, for_training=False)) == 2
    class_folders(tmp_path / "test", number=2)
    with pytest.raises(DataError, match="found only test"):
        load_data(tmp_path)


def test_pattern_that_has_no_use_is_told(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 2, 2), np.uint8), y=[0, 0, 1, 1])
    assert "pattern was not used" in load_data(tmp_path / "a.npz", pattern="(?P<label>.)").notes[0]
    assert "layout was not used" in load_data(tmp_path / "a.npz", layout="classes").notes[0]


def test_path_goes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    class_folders(tmp_path / "digits")
    dataset = load_data("digits")
    assert dataset.class_names == ("cat", "dog")
    assert "not the data set of this name" in dataset.notes[0]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cat.png", "single image"),
        ("a.zip", "unpack it"),
        ("a.pkl", "not recognised.*a folder per class.*mnist5k"),
        ("train-images-idx3-ubyte.gz", "name their folder"),
    ],
)
def test_unfit_files(tmp_path, name, message):
    (tmp_path / name).touch()
    with pytest.raises(DataError, match=message):
        load_data(tmp_path / name)


def test_near_names(tmp_path):
    with pytest.raises(DataError, match="Did you mean mnist5k"):
        load_data("mnits5k")
    class_folders(tmp_path / "animals")
    with pytest.raises(DataError, match=r"Did you mean .*animals"):
        load_data(tmp_path / "animal")


def test_a_folder_that_cannot_be_listed_gives_no_near_names(tmp_path, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DataError, match=r"animals: there is no such file or folder"):
        load_data(tmp_path / "animals")
