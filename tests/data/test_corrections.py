"""Corrections change what a data set says of its images, and never the images themselves."""

import hashlib
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from convlens.data.correction_lists import Correction, write_list
from convlens.data.corrections import obey
from convlens.data.sources import load_data
from convlens.errors import DataError
from tests.conftest import draw_shape


@pytest.fixture
def folder(tmp_path):
    """Return a folder with five images of bars and five of discs."""
    rng = np.random.default_rng(0)
    for kind in ("bar", "disc"):
        (tmp_path / "set" / kind).mkdir(parents=True)
        for number in range(5):
            draw_shape(kind, rng).save(tmp_path / "set" / kind / f"{number}.png")
    return tmp_path / "set"


def written(path, *rows):
    write_list(path, [Correction(*row) for row in rows])
    return path


def labels_of(dataset):
    return {
        dataset.file_name(i): dataset.class_names[label] for i, label in enumerate(dataset.labels)
    }


def test_lists_add_up_and_leave_the_files_as_they_are(folder, tmp_path):
    before = {path: path.read_bytes() for path in folder.rglob("*.png")}
    first = written(tmp_path / "1.csv", ("bar/0.png", "exclude"), ("bar/1.png", "look"))
    second = written(
        tmp_path / "2.csv",
        ("bar/2.png", "relabel", "disc", "", "", "pets-1"),
        ("bar/3.png", "group", "room"),
        ("disc/4.png", "group", "room"),
        ("bar/0.png", "exclude"),
    )
    dataset = load_data(folder, using=[first, second])
    labels = labels_of(dataset)
    assert len(labels) == 9
    assert "bar/0.png" not in labels
    assert labels["bar/2.png"] == "disc"
    groups = dict(zip(labels, dataset.groups.tolist(), strict=True))
    assert groups["bar/3.png"] == groups["disc/4.png"] == "room"
    assert len(set(groups.values())) == 8
    assert dataset.notes[-2:] == (
        f"{first}: images that are left out: 1; that have another label: 0; that are kept "
        "together: 0",
        f"{second}: images that are left out: 1; that have another label: 1; that are kept "
        "together: 2",
    )
    recorded = dataset.lists[1].to_dict()
    assert recorded == {
        "from": str(second),
        "sha256": hashlib.sha256(second.read_bytes()).hexdigest(),
        "relabel": 1,
        "group": 2,
        "exclude": 1,
        "unmatched": 0,
        "runs": ["pets-1"],
    }
    assert {path: path.read_bytes() for path in folder.rglob("*.png")} == before


def test_a_list_serves_after_its_folder_was_moved(folder, tmp_path, monkeypatch):
    path = written(tmp_path / "list.csv", ("bar/0.png", "exclude"))
    shutil.move(folder, tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert len(load_data("elsewhere", using=[path])) == 9


@pytest.mark.parametrize(
    "name", ["bar\\0.png", "./bar/0.png", "bar/../bar/0.png", " bar/0.png ", "{folder}/bar/0.png"]
)
def test_a_file_is_found_as_people_and_systems_write_it(folder, tmp_path, name):
    path = written(tmp_path / "list.csv", (name.format(folder=folder), "exclude"))
    assert "bar/0.png" not in labels_of(load_data(folder, using=[path]))


def test_composed_letters_and_bytes_that_are_not_utf_8_are_found(folder, tmp_path):
    (folder / "bar" / "0.png").rename(folder / "bar" / "e\u0301.png")
    odd = os.fsdecode(b"\xf6.png")
    (folder / "bar" / "1.png").rename(folder / "bar" / odd)
    path = written(
        tmp_path / "list.csv",
        ("bar/\u00e9.png", "exclude"),
        (f"bar/{odd}", "exclude"),
    )
    assert len(load_data(folder, using=[path])) == 8


def test_rows_that_match_no_image_are_named_but_do_not_stop(folder, tmp_path):
    path = written(tmp_path / "list.csv", ("bar/0.png", "exclude"), ("bar/9.png", "exclude"))
    dataset = load_data(folder, using=[path])
    assert len(dataset) == 9
    assert f"{path}: rows that match no image are passed over (1): row 3 'bar/9.png'" in (
        dataset.notes
    )


def test_a_list_of_other_images_is_refused(folder, tmp_path):
    path = written(tmp_path / "list.csv", ("cats/0.png", "exclude"))
    with pytest.raises(DataError, match=r"must name images of .*; none does: row 2 'cats/0.png'"):
        load_data(folder, using=[path])


@pytest.mark.parametrize(
    "rows",
    [
        (("bar/0.png", "exclude"), ("bar/0.png", "relabel", "disc")),
        (("bar/0.png", "relabel", "bar"), ("bar/0.png", "relabel", "disc")),
    ],
)
def test_rows_that_contradict_each_other_are_named_with_their_files(folder, tmp_path, rows):
    first = written(tmp_path / "1.csv", ("bar/1.png", "look"), rows[0])
    second = written(tmp_path / "2.csv", rows[1])
    message = rf"{second}: row 2 contradicts row 3 of {first} on 'bar/0.png'"
    with pytest.raises(DataError, match=message):
        load_data(folder, using=[first, second])


def test_an_unknown_class_is_refused_and_an_emptied_one_is_dropped(folder, tmp_path):
    path = written(tmp_path / "list.csv", ("bar/0.png", "relabel", "dics"))
    with pytest.raises(DataError, match=r"row 2: a new label must be one of .*bar, disc; found"):
        load_data(folder, using=[path])
    shutil.copytree(folder / "bar", folder / "extra")
    rows = [(f"extra/{number}.png", "relabel", "bar") for number in range(5)]
    dataset = load_data(folder, using=[written(tmp_path / "list.csv", *rows)])
    assert dataset.class_names == ("bar", "disc")
    assert dataset.counts().tolist() == [10, 5]
    assert dataset.notes[-1].endswith("without an image are dropped: extra")


def test_groups_of_lists_join_those_of_the_source(folder, tmp_path):
    dataset = load_data(folder)
    own = np.array(["x", "x", *(f"g{i}" for i in range(8))])
    path = written(
        tmp_path / "list.csv",
        ("bar/1.png", "group", "room"),
        ("bar/2.png", "group", "room"),
        ("bar/2.png", "group", "hall"),
        ("disc/0.png", "group", "hall"),
    )
    groups = obey(replace(dataset, groups=own), [path]).groups
    joined = [0, 1, 2, 5]
    assert len(set(groups[joined])) == 1
    assert len(set(groups.tolist())) == 7


def test_images_of_an_array_keep_their_numbers(digits, tmp_path):
    path = written(tmp_path / "list.csv", ("0", "exclude"), ("2", "relabel", "7"))
    dataset = obey(digits, [path])
    assert len(dataset) == len(digits) - 1
    assert dataset.file_name(0) == "1"
    assert dataset.image_name(1) == "image 2"
    assert dataset.class_names[dataset.labels[1]] == "7"
    assert np.array_equal(dataset.images, digits.images[1:])
    again = obey(dataset, [written(tmp_path / "more.csv", ("1", "exclude"))])
    assert again.file_name(0) == "2"
    assert len(again.lists) == 2


def test_lists_that_leave_nothing_are_refused(folder, tmp_path):
    names = [f"{kind}/{number}.png" for kind in ("bar", "disc") for number in range(5)]
    path = written(tmp_path / "list.csv", *((name, "exclude") for name in names))
    with pytest.raises(DataError, match="leave out every image"):
        load_data(folder, using=[path])


def test_a_class_with_blanks_at_its_ends_can_be_given_to_an_image(folder, tmp_path):
    (folder / "disc").rename(folder / "disc ")
    path = written(tmp_path / "list.csv", ("bar/0.png", "relabel", "disc "))
    assert labels_of(load_data(folder, using=[path]))["bar/0.png"] == "disc "
    shutil.copytree(folder / "bar", folder / "disc")
    assert labels_of(load_data(folder, using=[path]))["bar/0.png"] == "disc"
