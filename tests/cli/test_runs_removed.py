"""`convlens run remove` as a user types it: what is removed, and what is refused."""

# ruff: noqa: F811 - fixtures that are imported
import json
import shutil
from pathlib import Path

from tests.cli.commands import run
from tests.cli.listed_runs import busy, runs, said  # noqa: F401 - fixtures


def test_a_run_is_removed_when_asked_for(runs, monkeypatch, capsys):
    assert run("run", "remove", "done") == 2
    assert "give --yes" in said(capsys)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "")
    assert run("run", "remove", "done") == 0
    assert "nothing was removed" in said(capsys)
    assert (runs / "done" / "classifier.keras").exists()
    monkeypatch.setattr("builtins.input", lambda question: "y")
    assert run("run", "remove", "done") == 0
    assert not (runs / "done").exists()
    (runs / ".0a1b2c3d.mine").mkdir()
    (runs / ".0a1b2c3d.mine" / "notes.txt").touch()
    assert run("run", "remove", "half", "--yes") == 0
    assert [path.name for path in runs.iterdir()] == [".0a1b2c3d.mine"]  # not of a run


def test_what_a_killed_removal_has_left_is_removed_again_or_no_run_any_more(
    runs, monkeypatch, capsys
):
    """It is killed before each of its calls in turn, and the last one removes what is left."""
    left = iter(())

    def counted(real):
        def call(*arguments, **options):
            if next(left, None) == 0:
                raise KeyboardInterrupt
            return real(*arguments, **options)

        return call

    for module, name in ((shutil, "rmtree"), (Path, "unlink"), (Path, "rename")):
        monkeypatch.setattr(module, name, counted(getattr(module, name)))
    for calls in range(100):
        shutil.copytree(runs / "done", runs / "gone")
        left = iter(range(calls, -1, -1))
        code = run("run", "remove", "gone", "--yes")
        left = iter(())
        if code == 0:
            break
        assert not (runs / "gone").exists() or run("run", "remove", "gone", "--yes") == 0
    assert calls > 5
    assert not (runs / "gone").exists()
    assert {path.name for path in runs.iterdir()} == {"done", "half"}


def test_several_runs_are_removed_at_once_or_none(runs, capsys):
    assert run("run", "remove", "done", "nosuch", "--yes") == 5
    assert (runs / "done").exists()
    shutil.copytree(runs / "done", runs / "third")
    said(capsys)
    assert run("run", "remove", "done", "half", "runs/done", "--yes") == 0
    printed = said(capsys)
    assert printed.count("removed runs/") == 2
    assert "in 2 runs" in printed
    assert [path.name for path in runs.iterdir()] == ["third"]


def test_a_study_is_removed_with_a_part_that_is_named_too(runs, capsys):
    shutil.copytree(runs / "half", runs / "done" / "fold-1")
    (runs / "done" / "SHA256SUMS").unlink()
    data = json.loads((runs / "done" / "data.json").read_text()) | {"folds": 2}
    (runs / "done" / "data.json").write_text(json.dumps(data))
    assert run("run", "remove", "done", "runs/done/fold-1", "--yes") == 0
    assert [path.name for path in runs.iterdir()] == ["half"]


def test_what_is_no_run_or_in_training_is_not_removed(runs, busy, capsys):
    (runs / "photos").mkdir()
    (runs / "photos" / "a.png").write_bytes(b"")
    (runs / "settings").mkdir()
    (runs / "settings" / "run.toml").write_text("")
    assert run("run", "remove", "settings", "--yes") == 5
    assert "convlens may not have made it" in said(capsys)
    assert run("run", "remove", "photos", "--yes") == 5
    assert run("run", "remove", "half", "--yes") == 5
    printed = said(capsys)
    assert "a run is a folder that `convlens train` made" in printed
    assert f"process {busy.pid} (" in printed
    (runs / "link").symlink_to(runs / "done")
    assert run("run", "remove", "link", "--yes") == 5
    assert "this is a link to a run" in said(capsys)
    assert (runs / "photos" / "a.png").exists()
    assert (runs / "half" / "run.toml").exists()
    assert (runs / "done" / "run.toml").exists()


def test_that_nothing_was_removed_is_said_where_one_of_several_is_no_run(runs, capsys):
    assert run("run", "remove", "done", "nosuch", "--yes") == 5
    assert "Nothing was removed." in said(capsys)
    assert (runs / "done" / "classifier.keras").exists()


def test_nobody_who_answers_nothing_removes_a_run(runs, monkeypatch, capsys):
    """As Ctrl-D does, and a standard input that is closed."""

    def end(question):
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", end)
    assert run("run", "remove", "done") == 0
    assert "nothing was removed" in said(capsys)
    assert (runs / "done" / "classifier.keras").exists()
    monkeypatch.setattr("sys.stdin", None)
    assert run("run", "remove", "done") == 2
    assert "give --yes" in said(capsys)
