"""CSV files: columns, delimiters, and errors that name rows."""

import os
import unicodedata

import pytest
from PIL import Image

from convlens.data.formats.table import load_csv
from convlens.errors import DataError
from convlens.text import printable


def test_a_name_that_is_not_utf_8_is_found_as_predict_writes_it(table, tmp_path):
    name = "gr\udcf6.png"
    Image.new("L", (2, 2)).save(tmp_path / name)
    dataset = load_csv(table(f"image,label\n{printable(name)},a\n圖 1.png,b\n"))
    assert dataset.images[0] == tmp_path / name


def test_names_are_found_in_either_composition_and_in_the_bytes_of_the_table(table, tmp_path):
    (tmp_path / "圖 0.png").rename(tmp_path / unicodedata.normalize("NFD", "école.png"))
    as_bytes = os.fsdecode("größe.png".encode("cp1252"))
    (tmp_path / "圖 1.png").rename(tmp_path / as_bytes)
    assert len(load_csv(table("path,label\nécole.png,a\n"))) == 1
    assert len(load_csv(table("path,label\ngröße.png,a\n", "cp1252"))) == 1
    with pytest.raises(DataError, match="each image must exist"):
        load_csv(table("path,label\n" + "é" * 300 + ".png,a\n"))


@pytest.mark.parametrize("before", ["\n\n", "sep=;\r\n", "\n \nSEP=,\n"])
def test_lines_before_the_header(table, before):
    assert len(load_csv(table(before + "path,label\n圖 0.png,a\n圖 1.png,b\n"))) == 2
    with pytest.raises(DataError, match=f"row {before.count(chr(10)) + 2} 'none.png'"):
        load_csv(table(before + "path,label\nnone.png,a\n"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_synonyms_quotes_and_line_ends(table, delimiter):
    rows = [
        ["class", "id", "filename"],
        ['"a, b; c"', "1", "圖 0.png"],
        ["10", "2", '"圖 1.png"'],
        [],
    ]
    dataset = load_csv(table("\r\n".join(delimiter.join(row) for row in rows)))
    assert dataset.class_names == ("10", "a, b; c")
    assert dataset.splits is None
    assert dataset.groups is None


def test_a_row_said_twice_counts_once(table):
    dataset = load_csv(table("path,label\n圖 0.png,a\n圖 0.png,a\n圖 1.png,b\n"))
    assert len(dataset) == 2
    assert "1 that repeat" in dataset.notes[0]


def test_a_row_said_twice_in_another_spelling_counts_once(table, tmp_path):
    (tmp_path / "in").mkdir()
    dataset = load_csv(
        table("path,label\n圖 0.png,a\n./圖 0.png,a\nin/../圖 0.png,a\n圖 1.png,b\n")
    )
    assert len(dataset) == 2
    assert "2 that repeat" in dataset.notes[0]
    with pytest.raises(DataError, match=r"rows 2 and 3 must agree.*\['a'\] and \['b'\]"):
        load_csv(table("path,label\n圖 0.png,a\n./圖 0.png,b\n"))


def test_a_split_without_any_label_is_left_out(table):
    rows = "圖 0.png,a,train\n圖 1.png,b,train\n圖 2.png,,test\n圖 3.png,,test\n"
    dataset = load_csv(table("path,label,split\n" + rows))
    assert dataset.splits.tolist() == ["train", "train"]
    assert "ignored rows: 2 of a split without any label" in dataset.notes
    with pytest.raises(DataError, match="label; it is empty in row 4"):
        load_csv(table("path,label,split\n" + rows.replace("3.png,,", "3.png,a,")))


def test_empty_groups_are_groups_of_their_own(table):
    groups = load_csv(
        table("group,label,path\nrow 3,a,圖 0.png\n,a,圖 1.png\n ,b,圖 2.png\nrow 3,b,圖 3.png\n")
    ).groups
    assert groups[0] == groups[3] == "row 3"
    assert len(set(groups.tolist())) == 3


def test_paths_written_on_windows(table, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "圖 0.png").rename(tmp_path / "in" / "0.png")
    assert load_csv(table("path,label\nin\\0.png,a\n")).images == [tmp_path / "in" / "0.png"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "row 1 must name the columns"),
        ("圖 0.png,a\n", "row 1 must name the columns"),
        ("path,colour\n圖 0.png,a\n", "found 'path,colour'"),
        ("path,label\n", "a header and no rows"),
        ("path,label\n圖 0.png,a\n圖 1.png,\n圖 2.png\n", "label; it is empty in row 3, row 4"),
        ("path,label\n,a\n", "name an image; it is empty in row 2"),
        ("path,label,split\n圖 0.png,a,tain\n圖 1.png,a,\n", "found row 2 'tain', row 3 ''"),
        (
            "path,label\n" + "".join(f"no{i}.png,a\n" for i in range(5)),
            "row 2 'no0.png', row 3 .* and 2 more",
        ),
        ("path,label\n圖 0.png,a\n圖 0.png,b\n", "rows 2 and 3 must agree on '圖 0.png'"),
        ('path,label\n圖 0.png,a\n"圖 1.png,b\n圖 2.png,c\n', "quotes must be closed.*row 3"),
        ("path,label\n圖 0.png,a, b\n", "row 2 must have 2 values; found 3"),
    ],
)
def test_errors_name_the_row(table, text, message):
    path = table(text)
    with pytest.raises(DataError, match=message) as caught:
        load_csv(path)
    assert str(path) in str(caught.value)
