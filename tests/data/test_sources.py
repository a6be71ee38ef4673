"""Recognition by looking: folders, file names, single files, and the lines a user reads when nothing fits."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.data.sources import load_data
from convlens.errors import ConfigError, DataError


def image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 3)).save(path)
    return path


def class_folders(root: Path, classes=("cat", "dog"), number=2) -> Path:
    for name in classes:
        for i in range(number):
            image(root / name / f"{i}.png")
    return root


def test_folder_per_class_in_natural_order_with_any_name(tmp_path):
    dataset = load_data(class_folders(tmp_path, ("10", "9", "貓 咪", "狗")))
    assert dataset.class_names == ("9", "10", "狗", "貓 咪")
    assert dataset.splits is None
    assert dataset.notes == ()
    assert dataset.counts().tolist() == [2, 2, 2, 2]
    image(tmp_path / "9" / "10.png")
    image(tmp_path / "9" / "2.png")
    assert [path.name for path in load_data(tmp_path).images[:4]] == [
        "0.png",
        "1.png",
        "2.png",
        "10.png",
    ]
    for path, label in zip(dataset.images, dataset.labels, strict=True):
        assert path.parent.name == dataset.class_names[label]


def test_nested_folders_count_as_their_class_and_other_files_are_told(tmp_path):
    class_folders(tmp_path)
    image(tmp_path / "cat" / "deep" / "deeper" / "x.JPEG")
    (tmp_path / "cat" / "deep" / "loop").symlink_to(tmp_path / "cat")
    for name in (".DS_Store", "Thumbs.db", "notes.txt", "a.heic"):
        (tmp_path / "dog" / name).touch()
    image(tmp_path / "__MACOSX" / "cat" / "0.png")
    image(tmp_path / "loose.png")
    (tmp_path / "plans").mkdir()
    dataset = load_data(tmp_path)
    assert dataset.counts().tolist() == [3, 2]
    notes = "; ".join(dataset.notes)
    for part in (
        "1 image beside",
        "no images in plans",
        "inside cat count",
        "3 hidden",
        "1 .txt",
        "1 .heic",
    ):
        assert part in notes


@pytest.mark.parametrize(
    ("folders", "splits"),
    [
        (("train", "test"), {"train", "test"}),
        (("Training_Set", "validation", "TEST"), {"train", "val", "test"}),
        (("training", "valid"), {"train", "val"}),
        (("trainset", "dev", "testset"), {"train", "val", "test"}),
        (("train",), {"train"}),
    ],
)
def test_split_folders_under_the_names_people_use(tmp_path, folders, splits):
    for folder in folders:
        class_folders(tmp_path / folder)
    dataset = load_data(tmp_path)
    assert set(dataset.splits) == splits
    assert dataset.class_names == ("cat", "dog")
    assert len(dataset) == 4 * len(folders)
    for path, split in zip(dataset.images, dataset.splits, strict=True):
        assert path.parents[1].name.lower()[:2] == {"val": "de" if "dev" in folders else "va"}.get(
            split, split[:2]
        )


def test_a_class_missing_in_test_is_a_note_and_in_train_an_error(tmp_path):
    class_folders(tmp_path / "train", ("a", "b", "c"))
    class_folders(tmp_path / "test", ("a", "b"))
    assert "test has no images of c" in load_data(tmp_path).notes
    class_folders(tmp_path / "test", ("d",))
    with pytest.raises(DataError, match="none in train for 'd'"):
        load_data(tmp_path)


def test_two_folders_for_one_split_are_refused(tmp_path):
    class_folders(tmp_path / "train")
    class_folders(tmp_path / "training")
    with pytest.raises(DataError, match="both train and training mean train"):
        load_data(tmp_path)


def test_a_class_may_be_called_test(tmp_path):
    assert load_data(class_folders(tmp_path, ("exam", "test"))).class_names == ("exam", "test")


def test_only_a_test_folder_serves_for_evaluation(tmp_path):
    class_folders(tmp_path / "test", number=1)
    assert len(load_data(tmp_path, for_training=False)) == 2
    class_folders(tmp_path / "test", number=2)
    with pytest.raises(DataError, match="found only test"):
        load_data(tmp_path)


def test_wrapped_folder_is_unwrapped(tmp_path):
    class_folders(tmp_path / "archive" / "pets")
    dataset = load_data(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert "its folder archive/pets" in dataset.notes[0]


@pytest.mark.parametrize("style", ["{}.{}.png", "{}_{}.png", "{}-{}.png", "{} ({}).png"])
def test_label_in_the_file_name(tmp_path, style):
    for label in ("0", "dark cat", "狗"):
        for i in (46, 4001):
            image(tmp_path / style.format(label, i))
    dataset = load_data(tmp_path)
    assert dataset.class_names == ("0", "dark cat", "狗")
    for path, label in zip(dataset.images, dataset.labels, strict=True):
        assert path.name.startswith(dataset.class_names[label])


def test_file_names_inside_split_folders_and_some_without_a_label(tmp_path):
    for split in ("train", "test"):
        for name in ("cat.1", "cat.2", "dog.1", "dog.2", "readme"):
            image(tmp_path / split / f"{name}.jpg")
    dataset = load_data(tmp_path)
    assert dataset.counts("train").tolist() == [2, 2]
    assert dataset.kind == "labels in the file names, divided into train and test"
    assert "1 file name without a label passed over: readme.jpg" in dataset.notes


def test_pattern(tmp_path):
    for name in ("x0-cat", "x1-cat", "x2-dog", "x3-dog"):
        image(tmp_path / f"{name}.png")
    with pytest.raises(DataError, match=r"label\.number, such as 'x0-cat\.png'"):
        load_data(tmp_path)
    assert load_data(tmp_path, pattern=r"-(?P<label>\w+)\.").class_names == ("cat", "dog")
    with pytest.raises(ConfigError, match="regular expression"):
        load_data(tmp_path, pattern="(")
    with pytest.raises(ConfigError, match=r"\(\?P<label>"):
        load_data(tmp_path, pattern=r"-(\w+)")


def test_pattern_that_has_no_use_is_told(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 2, 2), np.uint8), y=[0, 0, 1, 1])
    assert "pattern was not used" in load_data(tmp_path / "a.npz", pattern="(?P<label>.)").notes[0]


def test_path_goes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    class_folders(tmp_path / "digits")
    dataset = load_data("digits")
    assert dataset.class_names == ("cat", "dog")
    assert "not the data set of this name" in dataset.notes[0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p.mkdir(), "this folder is empty"),
        (lambda p: class_folders(p, ("cat",)), "one class only, 'cat'"),
        (lambda p: (class_folders(p), image(p / "cow" / "1.png")), r"too few in 'cow' \(1\)"),
        (lambda p: (p.mkdir(), (p / "labels.csv").touch()), "to use labels.csv, name that file"),
        (lambda p: None, "no such file or folder"),
    ],
)
def test_unfit_folders(tmp_path, make, message):
    make(tmp_path / "data")
    with pytest.raises(DataError, match=message) as caught:
        load_data(tmp_path / "data")
    assert "\n" not in str(caught.value)


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
