"""The results of lessons as Markdown."""

import pytest

from convlens.errors import StorageError
from convlens.evaluation.metrics import wilson
from convlens.lessons.table import Result, write_table


def test_a_row_for_each_result_and_a_line_for_other_images(tmp_path):
    results = [
        Result("001", "a program", 0.9912, wilson(99, 100), 12.4),
        Result("002", "another", None, wilson(50, 100), None),
        Result("004", "a third", 0.8, wilson(9, 10), 1.0, stand_in="digits"),
    ]
    path = tmp_path / "new" / "table.md"
    write_table(path, results)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[2] == "| deck | program | the deck | here | 95 % interval | images | seconds |"
    assert lines[3] == "|---|---|---:|---:|---:|---:|---:|"
    assert lines[4] == "| 001 | a program | 99.12 % | 99.00 % | [94.55, 99.82] | 100 | 12 |"
    assert lines[5].split(" | ")[2] == ""
    assert lines[6].split(" | ")[2] == "other images"
    assert "Other images than the deck's: digits. Nothing is compared there." in lines
    assert lines[-1].startswith("of training, on ")


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="the table cannot be written"):
        write_table(tmp_path / "file" / "table.md", [])
