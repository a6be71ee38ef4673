import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from convlens import hidden
from convlens.hidden import FORMER, give_name, hidden_folder, make_hidden_folder


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


def replace(out):
    """Put a new folder in the place of another."""
    with hidden_folder(out) as folder:
        (folder / "new").mkdir()
        give_name(folder / "new", out, folder / FORMER)


def filled(out):
    out.mkdir()
    (out / "state.npz").touch()
    return out


KILLED = """
import os, sys
from pathlib import Path
from tests.test_hidden import replace

rename = Path.rename
Path.rename = lambda path, new: os._exit(9) if path.name == "new" else rename(path, new)
replace(Path(sys.argv[1]))
"""


def test_a_folder_whose_replacement_was_killed_between_two_names_comes_back(tmp_path):
    out = filled(tmp_path / "out")
    assert subprocess.run([sys.executable, "-c", KILLED, str(out)], check=False).returncode == 9
    assert not out.exists()
    hidden.remove_leftovers(out)
    assert list(tmp_path.iterdir()) == [out]
    assert (out / "state.npz").exists()
    replace(out)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("last", ["out", "new"])
def test_ctrl_c_after_either_name_leaves_one_of_the_folders(last, tmp_path, monkeypatch):
    rename = Path.rename
    out = filled(tmp_path / "out")

    def interrupted(path, new):
        rename(path, new)
        if path.name == last:
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace(out)
    assert list(tmp_path.iterdir()) == [out]
    assert (out / "state.npz").exists() == (last == "out")


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
