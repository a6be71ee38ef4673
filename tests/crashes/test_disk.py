"""The disk after a crash, rebuilt from recorded calls."""

from tests.crashes.disk import Call, Recording, key, read_folder, states, without_leftovers


def recording(*calls: tuple, before: dict[str, bytes] | None = None) -> Recording:
    """Return a recording of (kind, path, inode, place, data), of which the end may be left out."""
    rest = (0, 0, b"")
    made = [Call(n, *one, *rest[len(one) - 2 :]) for n, one in enumerate(calls, 1)]
    inodes = dict(enumerate(before or {}, 100))
    return Recording(before or {}, inodes, made)


REPLACED = (
    ("create", ".new", 7),
    ("write", ".new", 7, 0, b"four"),
    ("fsync", ".new", 7),
    ("rename", ".new", 0, 0, b"a"),
    ("fsync", ""),
)


def contents(record: Recording) -> list[dict[str, bytes | None]]:
    return [dict(state.content) for state in states(record)]


def test_a_file_that_is_replaced_is_the_old_or_the_new_one():
    found = contents(recording(*REPLACED, before={"a": b"old"}))
    assert found == [
        {"a": b"old"},
        {"a": b"old", ".new": b""},
        {"a": b"old", ".new": b"fo"},
        {"a": b"old", ".new": b"four"},
        {"a": b"four"},
    ]


def test_bytes_that_are_not_brought_to_the_disk_before_the_rename_may_be_lost():
    calls = [call for call in REPLACED if call[0] != "fsync"]
    found = contents(recording(*calls, before={"a": b"old"}))
    assert {"a": b""} in found


def test_a_name_whose_folder_is_not_brought_to_the_disk_may_be_lost_while_a_later_one_is_not():
    calls = (*REPLACED[:-1], ("create", "b", 8), ("fsync", "b", 8))
    found = contents(recording(*calls, before={"a": b"old"}))
    lost = {"a": b"old", ".new": b"four", "b": b""}
    assert lost in found
    assert lost not in contents(recording(*REPLACED, *calls[-2:], before={"a": b"old"}))


def test_an_appended_row_may_be_torn():
    calls = [("open", "log", 100), ("write", "log", 100, 4, b"row\n")]
    found = contents(recording(*calls, before={"log": b"one\n"}))
    assert found == [{"log": b"one\n"}, {"log": b"one\nro"}, {"log": b"one\nrow\n"}]


def test_a_folder_is_renamed_with_what_is_in_it():
    calls = [("mkdir", ".out"), ("create", ".out/a", 7), ("rename", ".out", 0, 0, b"out")]
    found = contents(recording(*calls))
    assert {"out": None, "out/a": b""} in found
    assert without_leftovers({".out": None, ".out/a": b"", "b": b""}) == {"b": b""}


def test_the_recorded_calls_give_what_is_on_the_disk(recorder, tmp_path):
    (tmp_path / "old").write_bytes(b"old")
    made = recorder.record(tmp_path, "write_in_every_way", tmp_path)
    assert read_folder(tmp_path) == {"b": b"anew", "old": b"old and more"}
    assert key(read_folder(tmp_path)) in {key(state.content) for state in states(made)}
    assert b"012ab56789cd" in [state.content.get("new/a") for state in states(made)]
    assert len({key(state.content) for state in states(made)}) == len(states(made))
    kinds = [call.kind for call in made.calls]
    assert kinds.count("write") == 6
    assert {"create", "mkdir", "fsync", "truncate", "link", "rename", "unlink", "rmdir"} <= {*kinds}


def test_the_chosen_call_fails(recorder, tmp_path):
    done = recorder.fail(tmp_path, 3, 5, "write_in_every_way", tmp_path)
    assert done.code == 1
    assert "OSError: [Errno 5] Input/output error" in done.output
    assert read_folder(tmp_path) == {"new": None, "new/a": b""}
