"""Folders: classes as folders or in file names, splits as folders, and what is ignored."""

import pytest

from convlens.data.sources import load_data
from convlens.errors import ConfigError, DataError
from tests.data.test_sources import class_folders, image


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
        "images beside the class folders were ignored (1)",
        "no images in plans",
        "inside cat count",
        "3 hidden",
        "1 .txt",
        "1 .heic",
    ):
        assert part in notes


def test_a_class_whose_images_cannot_be_read_is_told_first(tmp_path):
    class_folders(tmp_path)
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "a.HEIC").touch()
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "a.txt").touch()
    first, *others = load_data(tmp_path).notes
    assert first.startswith("Classes are missing")
    assert "phone (1 .heic). Convert" in first
    assert any("no images in plans" in note for note in others)
    image(tmp_path / "phone" / "b.png")
    image(tmp_path / "phone" / "c.png")
    (tmp_path / "LICENSE").touch()
    dataset = load_data(tmp_path)
    assert "left out: 1 .heic. Convert" in dataset.notes[0]
    assert any("1 without a suffix" in note for note in dataset.notes[1:])
    for folder in ("cat", "dog"):
        for path in (tmp_path / folder).iterdir():
            path.rename(path.with_suffix(".heic"))
    for path in (tmp_path / "phone").glob("*.png"):
        path.unlink()
    with pytest.raises(DataError, match=r"no image .*Convert images of other kinds to JPEG"):
        load_data(tmp_path)


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


def test_two_folders_for_one_split_are_refused(tmp_path):
    class_folders(tmp_path / "train")
    class_folders(tmp_path / "training")
    with pytest.raises(DataError, match="both train and training mean train"):
        load_data(tmp_path)


def test_a_class_may_be_called_test(tmp_path):
    assert load_data(class_folders(tmp_path, ("exam", "test"))).class_names == ("exam", "test")


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
    assert dataset.kind == "labels in the file names, split into train and test"
    assert "file names without a label were ignored (1): readme.jpg" in dataset.notes


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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p.mkdir(), "this folder is empty"),
        (lambda p: class_folders(p, ("cat",)), "one class only, 'cat'"),
        (lambda p: (class_folders(p), image(p / "cow" / "1.png")), r"too few in 'cow' \(1\)"),
        (lambda p: (p.mkdir(), (p / "labels.csv").touch()), "To use labels.csv, name that file"),
        (lambda p: None, "no such file or folder"),
    ],
)
def test_unfit_folders(tmp_path, make, message):
    make(tmp_path / "data")
    with pytest.raises(DataError, match=message) as caught:
        load_data(tmp_path / "data")
    assert "\n" not in str(caught.value)


def test_what_a_folder_without_images_holds_is_counted(tmp_path):
    (tmp_path / "a.txt").touch()
    with pytest.raises(DataError, match=r"found 1 entry, which is no image: a\.txt\."):
        load_data(tmp_path)
    (tmp_path / "b.txt").touch()
    with pytest.raises(DataError, match=r"found 2 entries and no image \(a\.txt, b\.txt\)\."):
        load_data(tmp_path)


@pytest.mark.parametrize("file", ["run.toml", "compare.json", "state"])
def test_a_run_is_no_source_of_images_and_beside_classes_it_is_left_out(
    file, tmp_path, monkeypatch
):
    run = tmp_path / "runs" / "pets"
    class_folders(run, ("plots",))
    if file == "state":  # of a run that was killed before it had anything else
        (run / file).mkdir()
    else:
        class_folders(run, ("thumbnails",))
        (run / file).touch()
    monkeypatch.chdir(tmp_path)
    for source in ("runs/pets", "pets"):  # its folder, and its name
        with pytest.raises(DataError, match=r"this folder is a run\..*run show runs/pets$"):
            load_data(source)
    (tmp_path / "runs" / ".DS_Store").touch()
    with pytest.raises(DataError, match="this folder holds runs, and no images besides"):
        load_data("runs")
    (tmp_path / "runs" / "cat.heic").touch()
    with pytest.raises(DataError, match=r"cat\.heic, pets.*Convert images of other kinds"):
        load_data("runs")
    (tmp_path / "runs" / "cat.heic").unlink()
    class_folders(tmp_path)
    dataset = load_data(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert "ignored: 1 hidden or of the system, 1 made by a training" in dataset.notes
    assert any("no images in runs" in note for note in dataset.notes)
