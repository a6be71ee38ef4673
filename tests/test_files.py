import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from convlens.errors import Interrupted, StorageError
from convlens.files import (
    and_more,
    explained_stops,
    storage_errors,
    with_present_names,
    write_atomically,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_text_is_written_as_utf_8_with_its_line_endings(tmp_path):
    write_atomically(tmp_path / "a.csv", "größe\n1\r\n")
    assert (tmp_path / "a.csv").read_bytes() == b"gr\xc3\xb6\xc3\x9fe\n1\r\n"
    assert names(tmp_path) == ["a.csv"]


def test_bytes_replace_the_previous_file_and_missing_folders_are_created(tmp_path):
    path = tmp_path / "one" / "two" / "a.bin"
    for content in (b"first", b"second, longer"):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert names(path.parent) == ["a.bin"]


def test_a_function_writes_a_file_in_the_same_folder_with_the_same_suffix(tmp_path):
    given = []

    def write(path: Path) -> None:
        given.append(path)
        path.write_text("by the function")

    write_atomically(str(tmp_path / "a.keras"), write)
    assert given[0].parent == tmp_path
    assert given[0].suffix == ".keras"
    assert given[0].name != "a.keras"
    assert (tmp_path / "a.keras").read_text() == "by the function"
    assert names(tmp_path) == ["a.keras"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), ValueError()])
def test_a_write_that_fails_half_way_leaves_the_previous_file(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("whole")

    def fail(temporary: Path) -> None:
        temporary.write_text("ha")
        raise error

    with pytest.raises(StorageError if isinstance(error, OSError) else ValueError):
        write_atomically(path, fail)
    assert path.read_text() == "whole"
    assert names(tmp_path) == ["a.txt"]


def test_a_disk_that_is_full_only_when_the_content_is_flushed_keeps_the_previous_file(
    tmp_path, monkeypatch
):
    path = tmp_path / "a.txt"
    path.write_text("whole")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        write_atomically(path, "new")
    assert path.read_text() == "whole"
    assert names(tmp_path) == ["a.txt"]


def test_ctrl_c_in_the_middle_leaves_the_previous_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("whole")

    def interrupted(temporary: Path) -> None:
        temporary.write_text("ha")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, interrupted)
    assert path.read_text() == "whole"
    assert names(tmp_path) == ["a.txt"]


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_process_killed_in_the_middle_leaves_the_previous_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("whole")
    program = """
        import os, sys
        from convlens.files import write_atomically
        def killed(temporary):
            temporary.write_text("ha")
            os.kill(os.getpid(), 9)
        write_atomically(sys.argv[1], killed)
    """
    assert run(program, str(path)).returncode == -signal.SIGKILL
    assert path.read_text() == "whole"


def test_a_folder_that_is_read_only_is_reported():
    """Root may write anywhere, so the process gives up its rights first."""
    program = """
        import os, pathlib, tempfile
        from convlens.errors import StorageError
        from convlens.files import write_atomically
        if os.geteuid() == 0:
            os.setuid(65534)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "a.txt").write_text("whole")
            folder.chmod(0o555)
            try:
                write_atomically(folder / "a.txt", "new", "the report")
            except StorageError as error:
                print(error, (folder / "a.txt").read_text())
            folder.chmod(0o755)
    """
    done = run(program)
    assert (
        "a.txt: the report cannot be written; Permission denied. Choose a folder that"
        in done.stdout
    )
    assert done.stdout.rstrip().endswith("whole"), done.stderr


def test_the_message_names_the_path_the_reason_and_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "a.txt"
    with pytest.raises(StorageError) as caught:
        write_atomically(path, "new", "the table", "Choose another --out.")
    reason = os.strerror(caught.value.__cause__.errno)
    assert (
        str(caught.value) == f"{path}: the table cannot be written; {reason}. Choose another --out."
    )


def test_a_folder_in_the_place_of_the_file_is_kept(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(StorageError, match="Is a directory"):
        write_atomically(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").is_dir()


def test_a_device_is_written_and_not_replaced():
    write_atomically(os.devnull, "new")
    assert not Path(os.devnull).is_file()


def test_an_error_without_a_system_message_is_reported_in_its_own_words():
    with (
        pytest.raises(StorageError, match="5 requested and 0 written"),
        storage_errors("a.npy"),
    ):
        raise OSError("5 requested and 0 written")  # NumPy raises such errors


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "Free some space on the disk, or choose a folder on another disk."),
        (errno.EDQUOT, "Free some space on the disk, or choose a folder on another disk."),
        (errno.EACCES, "Choose a folder that can be written to."),
        (errno.EROFS, "Choose a folder that can be written to."),
        (errno.EIO, "Choose another folder, if possible on another disk."),
        (errno.EFBIG, "Choose another folder, if possible on another disk."),
    ],
)
def test_what_helps_follows_from_the_reason(number, advice):
    reason = os.strerror(number)
    with pytest.raises(StorageError) as caught, storage_errors("a", "the table"):
        raise OSError(number, reason)
    assert str(caught.value) == f"a: the table cannot be written; {reason}. {advice}"


def test_only_errors_of_the_system_become_storage_errors():
    with pytest.raises(ValueError, match="mine"), storage_errors("a.txt"):
        raise ValueError("mine")


@pytest.mark.parametrize(
    ("number", "most", "expected"),
    [
        (0, 5, ""),
        (5, 5, "0, 1, 2, 3, 4"),
        (6, 5, "0, 1, 2, 3, 4 and 1 more"),
        (1500, 1, "0 and 1,499 more"),
    ],
)
def test_long_lists_are_cut_and_counted(number, most, expected):
    assert and_more(range(number), most) == expected
    assert and_more(range(min(number, most)), most, total=number) == expected


def test_names_of_earlier_releases_are_renamed_at_every_depth():
    assert with_present_names([{"pictures": [{"picture": "picture"}], "n": 1}]) == [
        {"images": [{"image": "picture"}], "n": 1}
    ]


def test_a_stop_is_explained_once():
    """A single training says itself how to go on, so that its message stays."""
    with (
        pytest.raises(Interrupted, match=r"^stopped before the end\. Type this\.$"),
        explained_stops(lambda: "Type this."),
    ):
        raise KeyboardInterrupt
    with (
        pytest.raises(Interrupted, match=r"^of the training$"),
        explained_stops(lambda: "Type this."),
    ):
        raise Interrupted("of the training")
    with (
        pytest.raises(Interrupted, match=r"^stopped in fold 2\. Type this\.$"),
        explained_stops(lambda: "Type this.", "stopped in fold 2.", several=True),
    ):
        raise Interrupted("of the training")


def test_a_full_disk_is_explained_after_its_own_message():
    with (
        pytest.raises(StorageError, match=r"^the disk is full\. Type this\.$"),
        explained_stops(lambda: "Type this."),
    ):
        raise StorageError("the disk is full.")
