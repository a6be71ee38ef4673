"""`convlens audit` as a user types it."""

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from convlens.audit import features
from convlens.audit.audit import Audit
from convlens.audit.checks import unlike
from convlens.audit.finding import found
from convlens.cli.audit import run_of, show
from convlens.data import prepared
from convlens.data.correction_lists import read_list
from convlens.screen import Screen
from convlens.text import printable
from tests.audit.photographs import make_set
from tests.cli.commands import QUICK, run


@pytest.fixture
def folder(here):
    return make_set(here / "set", 24)


def test_a_clean_set_passes_every_limit(folder, capsys):
    assert run("audit", "set", "--fail-on", "warning") == 0
    said = capsys.readouterr().out
    assert "errors: 0; warnings: 0; notes: 0" in said


def test_findings_are_printed_with_advice_and_fail_with_a_code_of_their_own(folder, capsys):
    for number in range(5):
        shutil.copy(folder / "cat" / f"{number}.jpg", folder / "cat" / f"again{number}.jpg")
    assert run("audit", "set", "--fail-on", "error") == 0
    said = capsys.readouterr().out
    assert "warning: exact copies: 5 findings, 10 images" in said
    assert "Keep one of them." in said
    assert "cat/0.jpg = cat/again0.jpg" in said
    assert "and 2 more" in said
    assert run("audit", "set", "--fail-on", "warning") == 11
    assert "found 5." in capsys.readouterr().err


def test_json_is_all_that_is_printed(folder, capsys):
    (folder / "cat" / "empty.jpg").touch()
    assert run("audit", "set", "--format", "json", "--fix", "list.csv") == 0
    content = json.loads(capsys.readouterr().out)
    assert content["codes"] == {"empty_file": 1}
    assert content["findings"][0]["files"] == ["cat/empty.jpg"]
    assert [row.file for row in read_list("list.csv").corrections] == ["cat/empty.jpg"]


def test_names_of_all_kinds_are_named_and_found_again(folder, capsys):
    names = ["two\nlines.jpg", "emoji 😀.jpg", "\udcf6dd.jpg", 'comma, "quoted".jpg']
    for name in names:
        (folder / "dog" / name).touch()
    (folder / "dog" / "loop").symlink_to(folder)
    assert run("audit", "set", "--fix", "list.csv") == 0
    assert "empty files: 4" in capsys.readouterr().out
    assert run("audit", "set", "--using", "list.csv", "--fail-on", "error") == 0
    assert "images that are left out: 4" in capsys.readouterr().out


def test_the_list_and_the_copy_have_what_is_proposed(folder, capsys):
    shutil.copy(folder / "cat" / "0.jpg", folder / "cat" / "again.jpg")
    before = {path: path.read_bytes() for path in folder.rglob("*.jpg")}
    assert run("audit", "set", "--fix", "list.csv", "--export", "clean") == 0
    said = capsys.readouterr().out
    assert "list.csv (1 row)" in said
    assert "clean (images: 48; left out: 1; with another label: 0)" in said
    (row,) = read_list("list.csv").corrections
    assert (row.file, row.action, row.code) == ("cat/again.jpg", "exclude", "exact_copy")
    assert len(list(Path("clean").rglob("*.jpg"))) == 48
    assert {path: path.read_bytes() for path in folder.rglob("*.jpg")} == before


def test_images_unlike_their_class_are_found_by_features_which_a_page_needs(
    folder, capsys, monkeypatch
):
    assert run("audit", "set") == 0
    assert "not checked: images unlike their class" in capsys.readouterr().out
    far = np.random.default_rng(0).normal(1, 0.01, (48, 8)).astype(np.float32)
    far[5] = -1
    monkeypatch.setattr(features, "features_of_all", lambda prepared, progress: far)
    monkeypatch.setattr(unlike, "SMALLEST", 10)
    assert run("audit", "set", "--out", "page.html") == 0
    said = capsys.readouterr().out
    assert "images unlike the rest of their class: 1" in said
    assert "not checked" not in said


def test_a_stop_says_that_what_was_decoded_is_kept(folder, capsys, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(prepared, "prepare_data", stopped)
    assert run("audit", "set") == 130
    assert "What was decoded so far is kept; the same command" in capsys.readouterr().err


def test_a_set_that_cannot_be_split_is_checked_all_the_same(here, capsys):
    make_set(here / "one", 3, ("cat",))
    assert run("audit", "one") == 0
    said = capsys.readouterr().out
    assert "classes with few images: 1 finding, 3 images" in said
    assert "- cat (3)" in said


def test_a_run_has_its_own_images(folder, here, capsys):
    (here / "runs" / "mine").mkdir(parents=True)
    (here / "runs" / "mine" / "run.toml").touch()
    assert run("audit", "mine", "--using", "list.csv") == 2
    assert "A run has its own images." in capsys.readouterr().err
    assert run("audit", "set", "--thorough") == 2
    assert "Labels are judged after a training." in capsys.readouterr().err
    assert run("audit", "mine", "--thorough", "--true", "cat") == 2
    assert "These judge no labels." in capsys.readouterr().err


def test_a_run_whose_name_is_not_utf_8_is_found_by_the_name_that_is_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path("runs", "gr\udcf6n")
    folder.mkdir(parents=True)
    (folder / "run.toml").touch()
    assert run_of(printable(folder.name)) == folder


def test_a_folder_that_cannot_be_read_is_survived_by_audits_and_refused_by_trainings(
    folder, capsys, monkeypatch
):
    make_set(folder / "more", 2, ("bird",), first=5000)
    (folder / "more").rename(folder / "cat" / "closed")
    scan = os.scandir

    def scandir(path):
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert run("audit", "set") == 0
    said = capsys.readouterr().out
    assert (
        "set/cat/closed: this folder cannot be read (Permission denied) and was left out." in said
    )
    assert "errors: 0" in said
    assert run("train", "set") == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert "set/cat/closed: this cannot be read (Permission denied)" in line


def test_a_name_of_two_lines_is_printed_in_one(folder, capsys):
    shutil.copy(folder / "cat" / "1.jpg", folder / "cat" / "two\nlines.jpg")
    (folder / "cat" / "no\nimage.jpg").write_bytes(b"")
    assert run("audit", "set") == 0
    said = capsys.readouterr().out
    assert "two\\nlines.jpg" in said
    assert "no\\nimage.jpg" in said
    assert run("audit", "no\nsuch") != 0
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_list_that_may_have_been_edited_is_never_replaced(folder, capsys):
    (folder / "cat" / "empty.jpg").touch()
    Path("list.csv").write_text("mine")
    assert run("audit", "set", "--fix", "list.csv") == 2
    assert "this list exists, and may have been edited" in capsys.readouterr().err
    assert Path("list.csv").read_text() == "mine"
    assert run("audit", "set", "--out", "set") == 2
    assert "this is a folder; give --out a file" in capsys.readouterr().err
    assert run("audit", "set", "--export", "set") == 2
    assert "this folder exists" in capsys.readouterr().err


@pytest.mark.slow  # it trains twice
def test_a_cell_of_the_confusion_matrix_leads_to_a_list_and_to_the_next_run(shapes, here, capsys):
    # Some images lie in the folder of another class, for which the network does not take them.
    shutil.copytree(shapes, here / "set")
    one, other = sorted(path.name for path in (here / "set").iterdir())[:2]
    for path in sorted((here / "set" / one).iterdir())[::3]:
        path.rename(here / "set" / other / f"moved-{path.name}")
    options = (*QUICK, "--size", "32", "--augment", "none")
    assert run("train", "set", *options, "--epochs", "12", "--run", "first") == 0
    capsys.readouterr()
    cell = ("audit", "first", "--true", other, "--predicted", one)
    assert run(*cell, "--fix", "list.csv") == 0
    said = capsys.readouterr().out
    rows = read_list("list.csv").corrections
    assert {(row.action, row.value, row.run) for row in rows} == {("look", one, "first")}
    assert any("moved-" in row.file for row in rows)
    assert all(row.file.startswith(f"{other}/") for row in rows)
    assert all(f"{row.file}: {row.note}" in said for row in rows)
    doubts = [float(row.note.rsplit(" of ", 1)[1].removesuffix(" %)")) for row in rows]
    assert doubts == sorted(doubts)

    text = Path("list.csv").read_text(encoding="utf-8").replace(",look,", ",relabel,")
    Path("list.csv").write_text(text, encoding="utf-8")
    assert (
        run("train", "set", *options, "--epochs", "1", "--using", "list.csv", "--run", "next") == 0
    )
    (used,) = json.loads(Path("runs/next/data.json").read_text(encoding="utf-8"))["lists"]
    assert used["runs"] == ["first"]
    assert used["relabel"] == len(rows)
    assert (
        read_list(Path("runs/next") / used["file"]).corrections == read_list("list.csv").corrections
    )


def test_a_cell_needs_a_run_and_its_classes(folder, trained, capsys):
    assert run("audit", "set", "--true", "cat") == 2
    assert "--true needs the audit of a run" in capsys.readouterr().err
    assert run("audit", trained, "--predicted", "cat") == 2
    assert "the classifier knows no class 'cat'; it knows" in capsys.readouterr().err


def test_images_of_a_run_that_lie_elsewhere_now_are_given_with_data(shapes, trained, here, capsys):
    shutil.copytree(trained, here / "moved")
    facts = here / "moved" / "data.json"
    facts.write_text(json.dumps(json.loads(facts.read_text()) | {"path": str(here / "gone")}))
    (here / "moved" / "SHA256SUMS").unlink()  # as in a run that began with this path
    cell = ("audit", "moved", "--true", sorted(path.name for path in shapes.iterdir())[0])
    assert run(*cell) == 3
    said = capsys.readouterr().err
    assert "The images of moved lay there; if they lie elsewhere now, give --data." in said
    assert run("evaluate", "moved") == 3
    assert "images of another place, also those that it has learned from" in capsys.readouterr().err
    assert run("evaluate", "moved", "--data", str(shapes), "--leak-free") == 3
    assert "--leak-free looks for copies of them. Move them back" in capsys.readouterr().err
    assert run(*cell, "--data", str(shapes)) == 0
    assert run("audit", str(shapes), "--data", str(shapes)) == 2
    assert "--data needs the audit of a run" in capsys.readouterr().err


def test_findings_of_one_code_are_counted_by_their_level(digits, capsys):
    evidence = {"kind": "near", "splits": ["train", "test"]}
    findings = (
        found("leaked_near_duplicate", digits, [0, 1], evidence),
        found("leaked_near_duplicate", digits, [2, 3], evidence, level="warning"),
        found("placeholder", digits, [4], level="error"),
    )
    show(Audit(digits, findings), Screen())
    said = capsys.readouterr().out
    assert "error: near-duplicates across splits: 1 finding, 2 images" in said
    assert "warning: near-duplicates across splits: 1 finding, 2 images" in said
    assert said.index("error: placeholders") < said.index("warning: near-duplicates")


def test_a_copy_among_the_images_is_refused_before_anything_is_checked(folder, capsys):
    assert run("audit", "set", "--export", "set/clean") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "must not lie in set" in said.err
    assert not (folder / "clean").exists()
