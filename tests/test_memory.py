"""How much memory there is, and the evidence that its lack ended a run."""

import json
import os
from pathlib import Path

import pytest

from convlens import memory
from convlens.lock import LOCK
from convlens.memory import SAMPLE, free_memory, is_lack_of_memory, take_sample, why_killed

SECOND = {"memory.max": "1000000", "memory.current": "700000", "memory.events": "oom 3\noom_kill 2"}
FIRST = {
    "memory.limit_in_bytes": "1000000",
    "memory.usage_in_bytes": "700000",
    "memory.oom_control": "oom_kill_disable 0\noom_kill 2",
}


@pytest.fixture(params=["second", "first", "in a container"])
def group(request, tmp_path, monkeypatch):
    """Return the folder of a control group with a limit, of either version."""
    root = tmp_path / "cgroup"
    member = "0::/jobs/one\n"
    folder = root / "jobs" / "one"
    files = SECOND
    if request.param == "first":
        member = "9:cpu:/jobs\n4:memory:/jobs/one\n0::/\n"
        folder = root / "memory" / "jobs" / "one"
        files = FIRST
    elif request.param == "in a container":
        folder = root  # the path is that of the host
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(content)
    (folder / "memory.stat").write_text("file 9\ninactive_file 50000\ntotal_inactive_file 50000\n")
    (tmp_path / "member").write_text(member)
    monkeypatch.setattr(memory, "GROUPS", root)
    monkeypatch.setattr(memory, "MEMBER", tmp_path / "member")
    return folder


@pytest.fixture
def killed(tmp_path):
    """Return the folder of a run whose process was killed, with its last sample."""
    folder = tmp_path / "run"
    (folder / "state").mkdir(parents=True)
    take_sample(folder, 4)
    (folder / LOCK).write_text(json.dumps({"pid": 1}))
    return folder


def test_what_a_group_leaves_is_free(group):
    assert free_memory() == 350_000  # what it can drop counts as free


def test_a_group_without_a_limit_leaves_all(group):
    for name in ("memory.max", "memory.limit_in_bytes"):
        if (group / name).exists():
            (group / name).write_text("max" if name == "memory.max" else str(2**63 - 4096))
    assert free_memory() > 1_000_000


def kill_one(group) -> None:
    for name in ("memory.events", "memory.oom_control"):
        if (group / name).exists():
            content = (group / name).read_text()
            (group / name).write_text(content.replace("oom_kill 2", "oom_kill 3"))


def test_a_kill_for_memory_is_told_with_its_evidence(group, killed):
    assert why_killed(killed) == ""  # the count has not changed: something else has killed it
    kill_one(group)
    said = why_killed(killed)
    assert said.startswith(f"the system has ended {killed} for want of memory: in epoch 4 it had ")
    assert "--micro-batch" in said


def test_a_part_of_a_study_is_found(group, killed):
    kill_one(group)
    assert "has ended" in why_killed(killed.parent)


def test_a_run_that_was_not_killed_needs_no_reason(group, killed):
    kill_one(group)
    (killed / LOCK).write_text("")
    assert why_killed(killed) == ""
    (killed / LOCK).write_text(json.dumps({"pid": 1}))
    (killed / SAMPLE).write_text("{")
    assert why_killed(killed) == ""


@pytest.mark.parametrize(("free", "said"), [(10**8, "has probably ended"), (10**10, "")])
def test_without_a_count_the_last_sample_decides(free, said, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "MEMBER", tmp_path / "nothing")
    folder = tmp_path / "run"
    (folder / "state").mkdir(parents=True)
    sample = {"used": 2 * 10**9, "free": free, "kills": None, "group": "", "epoch": 2}
    (folder / SAMPLE).write_text(json.dumps(sample))
    (folder / LOCK).write_text(json.dumps({"pid": 1}))
    assert said in why_killed(folder)
    assert bool(why_killed(folder)) == bool(said)


def test_a_sample_holds_the_memory_of_this_process(tmp_path):
    take_sample(tmp_path, 2)
    sample = json.loads((tmp_path / SAMPLE).read_text())
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    assert sample["used"] == pytest.approx(pages * os.sysconf("SC_PAGE_SIZE"), rel=0.2)
    assert sample["epoch"] == 2


def test_a_disk_that_is_full_does_not_end_a_training_for_a_sample(tmp_path):
    (tmp_path / "state").write_text("a file in the place of the folder")
    take_sample(tmp_path, 1)


def test_errors_of_all_engines_are_known():
    engine = type("ResourceExhaustedError", (Exception,), {})
    assert is_lack_of_memory(MemoryError())
    assert is_lack_of_memory(engine("OOM when allocating tensor"))
    assert is_lack_of_memory(RuntimeError("RESOURCE_EXHAUSTED: Out of memory"))
    assert not is_lack_of_memory(RuntimeError("other"))
