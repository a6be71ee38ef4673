import subprocess
import sys

import psutil
import pytest

from convlens import hidden
from convlens.hidden import hidden_folder, make_hidden_folder


def test_the_folder_is_new_and_can_be_read_by_others(tmp_path):
    out = tmp_path / "deep" / "out"
    folder = make_hidden_folder(out)
    assert folder.parent == out.parent
    assert folder.name.startswith(".out.")
    assert folder.stat().st_mode & 0o777 == 0o755
    assert make_hidden_folder(out) != folder
    assert folder.is_dir()  # of this process, which lives


def fail_beside(out, *others):
    """Begin to write a folder, and some files, and fail."""
    with hidden_folder(out) as folder:
        (folder / "model.onnx").touch()
        for other in others:
            other.touch()
        raise ZeroDivisionError


def test_what_fails_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError):
        fail_beside(tmp_path / "deep" / "deeper" / "out")
    assert list(tmp_path.iterdir()) == []


def test_what_succeeds_and_what_others_wrote_stays(tmp_path):
    out = tmp_path / "deep" / "out"
    with hidden_folder(out) as folder:
        folder.rename(out)
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    other = tmp_path / "new" / "other"
    with pytest.raises(ZeroDivisionError):
        fail_beside(other.with_name("out"), other)
    assert list(other.parent.iterdir()) == [other]


def test_the_number_of_a_dead_process_that_another_one_has_got_is_no_sign_of_life(tmp_path):
    out = tmp_path / "out"
    folder = make_hidden_folder(out)
    began = f"{psutil.Process().create_time():.0f}"
    assert began in folder.name
    earlier = folder.rename(folder.with_name(folder.name.replace(began, str(int(began) - 1000))))
    make_hidden_folder(out)
    assert not earlier.exists()


def test_a_process_that_has_ended_but_is_not_waited_for_is_dead(tmp_path):
    code = "import sys; from pathlib import Path; from convlens import hidden;"
    code += "hidden.make_hidden_folder(Path(sys.argv[1]))"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "out")])
    child = psutil.Process(process.pid)
    while child.status() != psutil.STATUS_ZOMBIE:
        assert process.pid
    assert len(list(tmp_path.iterdir())) == 1
    folder = make_hidden_folder(tmp_path / "out")
    assert list(tmp_path.iterdir()) == [folder]
    process.wait()


def test_folders_of_other_computers_are_left_alone(tmp_path, monkeypatch):
    out = tmp_path / "out"
    monkeypatch.setattr(hidden.platform, "node", lambda: "another")
    monkeypatch.setattr(hidden.psutil.Process, "create_time", lambda _self: 5.0)
    folder = make_hidden_folder(out)
    monkeypatch.undo()
    make_hidden_folder(out)
    assert folder.is_dir()
    monkeypatch.setattr(hidden.platform, "node", lambda: "another")
    make_hidden_folder(out)
    assert not folder.exists()
