"""The encoding of a table, told by its bytes, its words and the names on the disk."""

import pytest
from PIL import Image

from convlens.data.formats.table import load_csv
from convlens.errors import DataError

ROWS = "".join(
    f"圖 {i}.png,{'狗' if i % 2 else '貓'},{'train' if i < 4 else 'Test'},p{i}\n" for i in range(6)
)


@pytest.mark.parametrize(
    ("encoding", "notes"),
    [("utf-8", 0), ("utf-8-sig", 0), ("utf-16", 0), ("utf-16-le", 0), ("cp950", 1)],
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


@pytest.mark.parametrize(
    ("encoding", "labels", "name"),
    [
        ("cp1252", ("Müller", "naïve"), "Windows-1252"),
        ("cp1252", ("größe", "pâté"), "Windows-1252"),
        ("cp1252", ("Äpfel", "Bäume"), "Windows-1252"),
        ("cp1252", ("à la carte", "l’été"), "Windows-1252"),
        ("cp950", ("貓", "狗"), "Big5"),
        ("cp950", ("龍", "功夫貓"), "Big5"),
        ("gb18030", ("鸟类", "小狗"), "GB18030"),
    ],
)
def test_an_encoding_is_told_by_what_it_makes_of_the_labels(
    table, tmp_path, encoding, labels, name
):
    for i in range(2):
        (tmp_path / f"圖 {i}.png").rename(tmp_path / f"{i}.png")
    text = f"path,label\n0.png,{labels[0]}\n1.png,{labels[1]}\n"
    dataset = load_csv(table(text, encoding))
    assert set(dataset.class_names) == set(labels)
    assert name in dataset.notes[0]


@pytest.mark.parametrize("encoding", ["cp1251", "cp932", "cp949", "cp950", "gb18030", "cp1252"])
def test_names_on_the_disk_tell_the_encoding(table, tmp_path, encoding):
    label = {
        "cp1251": "кошка",
        "cp932": "ねこ",
        "cp949": "고양이",
        "cp1252": "Äh",  # one Chinese character in Big5
    }.get(encoding, "狗")
    label = "貓" if encoding == "cp950" else label
    Image.new("L", (2, 2)).save(tmp_path / f"{label}.png")
    dataset = load_csv(table(f"path,label\n{label}.png,{label}\n", encoding))
    assert dataset.class_names == (label,)
    assert dataset.images == [tmp_path / f"{label}.png"]


def test_an_encoding_that_cannot_be_told_is_refused(table):
    with pytest.raises(DataError, match="Save it as UTF-8"):
        load_csv(table("path,label\n0.png,кошка\n", "cp1251"))


def test_a_table_joined_from_two_encodings_is_refused(table, tmp_path):
    path = table("path,label\n0.png,größe\n1.png,Müller\n")
    path.write_bytes(path.read_bytes() + "2.png,naïve\n".encode("cp1252"))
    with pytest.raises(DataError, match="Save it as UTF-8"):
        load_csv(path)
