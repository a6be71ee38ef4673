"""Layout: folders that may be splits or classes, and folders around and beside them."""

import pytest

from convlens.data.sources import load_data
from convlens.errors import DataError
from tests.data.test_sources import class_folders, image


def flat(root, names, labels=("IMG",)):
    """Write folders of images whose file names begin with each of the labels."""
    for name in names:
        for label in labels:
            for i in range(2):
                image(root / name / f"{label}_{i}.png")
    return root


@pytest.mark.parametrize(
    "names",
    [
        ("bus", "car", "train"),
        ("bus", "car", "Train"),
        ("resting", "running", "training"),
        ("dev", "ops", "qa"),
        ("exam", "test"),
        ("exam", "test", "train"),
        ("running", "train", "training"),
        ("exam", "validation"),
    ],
)
def test_a_class_may_have_the_name_of_a_split(tmp_path, names):
    dataset = load_data(flat(tmp_path, names))
    assert dataset.class_names == tuple(sorted(names, key=str.casefold))
    assert dataset.splits is None
    assert len(dataset) == 2 * len(names)
    assert "not as" in dataset.notes[0]
    assert "--layout splits" in dataset.notes[0]


def test_labels_in_the_file_names_of_a_class_called_train_do_not_hide_the_others(tmp_path):
    flat(tmp_path, ("bus", "car"))
    flat(tmp_path, ("train",), ("steam", "diesel"))
    assert load_data(tmp_path).class_names == ("bus", "car", "train")
    dataset = load_data(tmp_path, layout="splits")
    assert dataset.class_names == ("diesel", "steam")
    assert set(dataset.splits) == {"train"}
    assert "bus, car: left out" in dataset.notes[0]


@pytest.mark.parametrize("beside", ["unlabeled", "extra", "test1", "notes and more"])
def test_splits_with_the_same_classes_are_splits_whatever_lies_beside_them(tmp_path, beside):
    class_folders(tmp_path / "train")
    class_folders(tmp_path / "test")
    flat(tmp_path, (beside,))
    dataset = load_data(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert set(dataset.splits) == {"train", "test"}
    assert f"{beside}: left out" in dataset.notes[0]
    everything = load_data(tmp_path, layout="classes")
    assert everything.class_names == tuple(sorted((beside, "test", "train")))


def test_the_names_of_files_show_splits_too(tmp_path):
    flat(tmp_path, ("train", "test"), ("cat", "dog"))
    flat(tmp_path, ("more",))
    assert set(load_data(tmp_path).splits) == {"train", "test"}


def test_unlabelled_images_beside_labelled_file_names(tmp_path):
    flat(tmp_path, ("train",), ("cat", "dog"))
    image(tmp_path / "test1" / "1.png")
    dataset = load_data(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert "test1: left out" in dataset.notes[0]


@pytest.mark.parametrize(
    ("split", "beside"), [("train", ("bus", "car")), ("test", ("cat", "dog")), ("train", ("cat",))]
)
def test_what_can_be_both_must_be_said(tmp_path, split, beside):
    class_folders(tmp_path / split)
    flat(tmp_path, beside)
    with pytest.raises(DataError, match=f"{split} can be a split with the classes cat, dog.*lay"):
        load_data(tmp_path)
    assert split in load_data(tmp_path, layout="classes").class_names
    assert load_data(tmp_path, layout="splits", for_training=False).class_names == ("cat", "dog")


def test_a_class_with_folders_inside_may_have_the_name_of_a_split(tmp_path):
    flat(tmp_path, ("exam", "quiz", "test/easy", "test/hard"))
    assert load_data(tmp_path).class_names == ("exam", "quiz", "test")


def test_only_splits_for_evaluation_and_layouts_that_do_not_apply(tmp_path):
    class_folders(tmp_path / "a" / "test")
    class_folders(tmp_path / "a" / "val")
    found = load_data(tmp_path / "a", for_training=False)
    assert set(found.splits) == {"val", "test"}
    class_folders(tmp_path / "b")
    assert load_data(tmp_path / "b", layout="splits").class_names == ("cat", "dog")
    class_folders(tmp_path / "c" / "train", ("bus", "train"))
    assert load_data(tmp_path / "c").class_names == ("bus", "train")
    assert load_data(tmp_path / "c", layout="classes").class_names == ("bus", "train")


def test_unlabelled_splits_are_told_how_to_be_classes(tmp_path):
    image(tmp_path / "train" / "0.png")
    image(tmp_path / "test" / "0.png")
    (tmp_path / "train.csv").touch()
    with pytest.raises(DataError, match=r"To use train\.csv, name that file.*--layout classes"):
        load_data(tmp_path)


def test_pattern_reads_every_folder_where_train_is_a_class(tmp_path):
    flat(tmp_path, ("bus", "car", "train"), ("cat", "dog"))
    dataset = load_data(tmp_path, pattern="(?P<label>cat|dog)")
    assert dataset.counts().tolist() == [6, 6]


@pytest.mark.parametrize(
    "names",
    [
        ("train_images", "test_images"),
        ("images_train", "images_val"),
        ("train/train", "test/test"),
        ("train/images", "val/images"),
        ("Training Data", "Dev-Set"),
    ],
)
def test_names_of_splits_as_downloads_have_them(tmp_path, names):
    for name in names:
        class_folders(tmp_path / name)
    dataset = load_data(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert len(set(dataset.splits)) == 2


def test_folders_of_the_same_names_inside_are_told(tmp_path):
    class_folders(tmp_path / "seg_train")
    class_folders(tmp_path / "seg_pred")
    assert "hold folders of the same names (cat, dog)" in load_data(tmp_path).notes[0]


@pytest.mark.parametrize(
    "test_images",
    ["test/0.png", "test/image_0.png", "test/unknown/0.png", "test/test/0.png", "val/0.png"],
)
def test_an_unlabelled_split_is_left_out(tmp_path, test_images):
    class_folders(tmp_path / "train")
    image(tmp_path / test_images)
    dataset = load_data(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert set(dataset.splits) == {"train"}
    folder = tmp_path / test_images.split("/")[0]
    assert f"`convlens predict RUN {folder}" in dataset.notes[0]


def test_the_command_for_a_split_that_is_left_out_can_be_typed(tmp_path):
    class_folders(tmp_path / "my images" / "train")
    image(tmp_path / "my images" / "test" / "0.png")
    notes = load_data(tmp_path / "my images").notes
    assert f"`convlens predict RUN '{tmp_path}/my images/test'`" in notes[0]


def test_a_split_labelled_in_another_way_is_kept_and_other_classes_are_refused(tmp_path):
    class_folders(tmp_path / "train")
    flat(tmp_path, ("test",), ("cat", "dog"))
    assert load_data(tmp_path).counts("test").tolist() == [2, 2]
    class_folders(tmp_path / "val", ("Cat", "Dog"))
    with pytest.raises(DataError, match="none in train for 'Cat', 'Dog'"):
        load_data(tmp_path)


def test_annotations_beside_the_images_and_a_class_that_cannot_be_read(tmp_path):
    class_folders(tmp_path / "images")
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "a.json").touch()
    dataset = load_data(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert "in its folder images" in dataset.notes[0]
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "a.HEIC").touch()
    with pytest.raises(DataError, match="one class only, 'images'"):
        load_data(tmp_path)


def test_classes_that_cannot_be_read_count_beside_a_class_called_train(tmp_path):
    flat(tmp_path, ("train",), ("steam", "diesel"))
    (tmp_path / "bus").mkdir()
    (tmp_path / "bus" / "a.heic").touch()
    with pytest.raises(DataError, match=r"one class only, 'train'.* Classes are missing.*bus"):
        load_data(tmp_path)
    first, *_ = load_data(tmp_path, for_training=False).notes
    assert "Classes are missing" in first
    assert "bus (1 .heic)" in first
    (tmp_path / "elsewhere").mkdir()
    class_folders(tmp_path / "elsewhere" / "train")
    (tmp_path / "elsewhere" / "docs").mkdir()
    (tmp_path / "elsewhere" / "docs" / "LICENCE").touch()
    (tmp_path / "elsewhere" / "docs" / "logo.svg").touch()
    assert set(load_data(tmp_path / "elsewhere").splits) == {"train"}
