"""CSV files: columns, encodings, delimiters, and errors that name rows."""

import pytest
from PIL import Image

from convlens.data.formats.table import load_csv
from convlens.errors import DataError
from convlens.text import printable


@pytest.fixture
def table(tmp_path):
    for i in range(6):
        Image.new("L", (2, 2)).save(tmp_path / f"圖 {i}.png")

    def write(text, encoding="utf-8"):
        path = tmp_path / "t.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


ROWS = "".join(
    f"圖 {i}.png,{'狗' if i % 2 else '貓'},{'train' if i < 4 else 'Test'},p{i}\n" for i in range(6)
)


@pytest.mark.parametrize(
    ("encoding", "notes"),
    [("utf-8", 0), ("utf-8-sig", 0), ("utf-16", 0), ("cp950", 1)],
    ids=lambda v: str(v),
)
def test_encodings(table, encoding, notes):
    dataset = load_csv(table("Path,LABEL,split,group\n" + ROWS, encoding))
    assert dataset.class_names == ("狗", "貓")
    assert dataset.labels.tolist() == [1, 0] * 3
    assert dataset.splits.tolist() == ["train"] * 4 + ["test"] * 2
    assert dataset.groups.tolist() == [f"p{i}" for i in range(6)]
    assert all(path.is_file() for path in dataset.images)
    assert len(dataset.notes) == notes
    if notes:
        assert "Big5" in dataset.notes[0]


def test_a_name_that_is_not_utf_8_is_found_as_predict_writes_it(table, tmp_path):
    name = "gr\udcf6.png"
    Image.new("L", (2, 2)).save(tmp_path / name)
    dataset = load_csv(table(f"image,label\n{printable(name)},a\n圖 1.png,b\n"))
    assert dataset.images[0] == tmp_path / name


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
