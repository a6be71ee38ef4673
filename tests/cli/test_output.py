"""Output of `show` and `open`: suffixes are checked, and files are written as a whole or not."""

import json

import pytest

from convlens.charts.style import Chart
from convlens.cli.output import check_suffix, print_json, write_figure, write_file
from convlens.errors import ConfigError, StorageError
from tests.cli.commands import run


def test_a_suffix_of_another_kind_is_refused(tmp_path):
    check_suffix("--html", tmp_path / "a.HTM")
    check_suffix("--png", None)
    with pytest.raises(ConfigError, match=r"--html writes a file that ends in \.html or \.htm"):
        check_suffix("--html", tmp_path / "a.png")


def test_json_takes_one_line_and_keeps_chinese(capsys):
    print_json({"label": "貓", "values": [1.5]})
    out = capsys.readouterr().out
    assert out == '{"label": "貓", "values": [1.5]}\n'
    assert json.loads(out)["values"] == [1.5]


@pytest.mark.parametrize("quiet", [False, True])
def test_a_written_file_is_named_on_the_right_stream(quiet, tmp_path, capsys):
    path = tmp_path / "new" / "a.html"
    write_file(path, "貓", "the page", quiet=quiet)
    assert path.read_text(encoding="utf-8") == "貓"
    streams = capsys.readouterr()
    named, empty = (streams.err, streams.out) if quiet else (streams.out, streams.err)
    assert named == f"\nwritten  {path}\n"
    assert empty == ""


def test_a_figure_is_written_at_its_resolution(tmp_path, capsys):
    write_figure(tmp_path / "a.png", Chart(figsize=(2, 1)), dpi=50)
    data = (tmp_path / "a.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert [int.from_bytes(data[at : at + 4]) for at in (16, 20)] == [100, 50]


def test_a_failed_file_is_not_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="the page cannot be written"):
        write_file(tmp_path / "file" / "a.html", "text", "the page")
    assert capsys.readouterr().out == ""


def test_a_path_behind_an_equals_sign_may_begin_at_home(here, shapes, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert run("data", shapes, "--sheet=~/one.png") == 0
    assert run("data", shapes, "--sheet", "~/two.png") == 0
    assert {path.name for path in (tmp_path / "home").iterdir()} == {"one.png", "two.png"}
    assert not (here / "~").exists()


def test_a_folder_is_refused_where_a_file_is_to_be_written(here, shapes, capsys):
    for words in (
        ("data", shapes, "--sheet", "."),
        ("lesson", "001", "--run", "--quick", "--table", here),
    ):
        assert run(*words) == 2
        said = capsys.readouterr().err
        assert f"this is a folder; give {words[-2]} a file, as " in said
    assert list(here.iterdir()) == []
