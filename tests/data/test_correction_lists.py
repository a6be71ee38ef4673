"""Lists of corrections are read as any spreadsheet saves them, and mistakes are named by row."""

import pytest

from convlens.data.correction_lists import Correction, read_list, write_list
from convlens.errors import DataError

ROWS = [
    Correction("a/貓, 1.png", "exclude", code="blank", note='it says "no image"', row=2),
    Correction("a/two\nlines.png", "relabel", "dog", "two_labels", "", "pets-1", row=3),
    Correction("b/😀.png", "group", "room 1", row=5),
]


def test_a_list_is_read_as_it_was_written(tmp_path):
    write_list(tmp_path / "list.csv", ROWS)
    read = read_list(tmp_path / "list.csv")
    assert list(read.corrections) == ROWS
    assert read.content == (tmp_path / "list.csv").read_bytes()
    assert read.content.startswith(b"\xef\xbb\xbffile,action,value,code,note,run\r\n")
    assert len(read.sha256) == 64


def test_names_that_a_spreadsheet_would_compute_come_back_unchanged(tmp_path):
    rows = [
        Correction("=cmd|x/1.png", "relabel", "@home", note="-5 degrees", row=2),
        Correction("'=cmd/1.png", "group", "-5", row=3),
        Correction("'plain/1.png", "relabel", "+", row=4),
    ]
    write_list(tmp_path / "list.csv", rows)
    written = (tmp_path / "list.csv").read_text(encoding="utf-8-sig").splitlines()
    assert written[1] == "'=cmd|x/1.png,relabel,'@home,,'-5 degrees,"
    assert written[2:] == ["''=cmd/1.png,group,-5,,,", "'plain/1.png,relabel,+,,,"]
    assert list(read_list(tmp_path / "list.csv").corrections) == rows


def test_bytes_that_are_not_utf_8_are_escaped_in_the_list(tmp_path):
    write_list(tmp_path / "list.csv", [Correction("gr\udcf6n.png", "exclude")])
    assert read_list(tmp_path / "list.csv").corrections[0].file == "gr\\udcf6n.png"


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfFile;Action;Value\r\na.png;Relabel;dog\r\n",
        b"sep=;\r\nfile;action;value\r\na.png;relabel;dog\r\n",
        b'"value"\t"action"\t"file"\ndog\trelabel\ta.png\n\n',
        "file,action,value,note\na.png,relabel,dog,看\n".encode("utf-16"),
        b"note,file,action,value\n,a.png, relabel , dog ,,,\n",
    ],
)
def test_a_spreadsheet_may_have_saved_the_list(tmp_path, content):
    (tmp_path / "list.csv").write_bytes(content)
    (one,) = read_list(tmp_path / "list.csv").corrections
    assert (one.file, one.action, one.value) == ("a.png", "relabel", "dog")


def test_a_list_in_big5_is_read(tmp_path):
    text = "file,action,value,note\r\n貓/一.png,relabel,狗,標籤看起來是錯的，請檢查\r\n"
    (tmp_path / "list.csv").write_bytes(text.encode("cp950"))
    read = read_list(tmp_path / "list.csv")
    assert (read.corrections[0].file, read.corrections[0].value) == ("貓/一.png", "狗")
    assert read.encoding == "cp950"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"the first row of a list must name its columns, file, action"),
        ("image,label\na,b\n", r"must name its columns, .*; found image, label"),
        ("file,action\na.png,delete\n", r"row 2: the action must be one of .*; found 'delete'"),
        ("file,action,value\n\na.png,relabel,\n", r"row 3: relabel needs the name of the class"),
        ("action,value,file\nlook\n", r"row 2: the column file must name an image; it is empty"),
        ("file,action\n ,look\n", r"row 2: the column file must name an image; it is empty"),
        ('file,action\na.png,look\n"b.png,look\n', r"quotes must be closed .*; row 3"),
    ],
)
def test_a_row_that_cannot_be_obeyed_is_named(tmp_path, text, message):
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_list(path)
    assert str(path) in str(caught.value)


def test_a_list_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(DataError, match="the list cannot be read; No such file"):
        read_list(tmp_path / "none.csv")
