import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from convlens.cluster import connection
from convlens.cluster.connection import connect
from convlens.errors import BackendError, ClusterError, ConfigError, DataError
from tests.cluster import jobs
from tests.cluster.conftest import CPUS, PATIENCE, STORE, begun, wait_for

CONNECT = """
import sys
from convlens.cluster.connection import connect
with connect(sys.argv[1]) as cluster:
    print(cluster.cpus)
"""
ROOT = Path(__file__).parents[2]
ASK = """
import sys
from convlens.cluster.connection import connect
from tests.cluster import jobs
with connect(sys.argv[1]) as cluster:
    list(cluster.run(jobs.sleep, [sys.argv[2]]))
"""


def test_tasks_run_on_all_nodes_and_their_errors_come_out_as_they_are(two_nodes, tmp_path, capfd):
    before = signal.getsignal(signal.SIGTERM)
    with connect(two_nodes.address) as cluster:
        assert (len(cluster.nodes), cluster.cpus) == (2, 2 * CPUS)
        numbers = iter(range(9))  # an iterator, which is read when there is room
        assert sorted(cluster.run(jobs.square, numbers)) == [(n, n * n) for n in range(9)]
        assert list(cluster.run(jobs.die_once, [str(tmp_path / "mark")])) == [(0, "done")]
        with pytest.raises(DataError, match=r"^photos: there is nothing in it\.$"):
            list(cluster.run(jobs.refuse, ["photos"] * 4))
        with connect(two_nodes.address) as again:  # which keeps the connection
            assert again.nodes == cluster.nodes
        assert list(cluster.run(jobs.square, [3])) == [(0, 9)]
    assert signal.getsignal(signal.SIGTERM) == before
    assert capfd.readouterr() == ("", "")  # what Ray says of the process that died, and of errors


def test_only_what_is_under_way_is_cancelled(two_nodes, monkeypatch):
    """Ray may abort a process that cancels a task whose result has just come in."""
    import ray

    cancelled = []
    cancel = ray.cancel

    def cancel_and_tell(reference, *, force):
        cancelled.append(reference)
        cancel(reference, force=force)

    monkeypatch.setattr(ray, "cancel", cancel_and_tell)
    with connect(two_nodes.address) as cluster:
        with pytest.raises(DataError):
            list(cluster.run(jobs.refuse, ["photos"]))
        assert not cancelled
        running = cluster.run(jobs.wait_a_minute, ["", "later"], ahead=2)
        assert next(running) == (0, "")
        running.close()
    assert len(cancelled) == 1


def test_a_node_that_would_compute_other_answers_is_refused(two_nodes):
    node = two_nodes.add_node(
        num_cpus=1, object_store_memory=80 * 2**20, env_vars={"ONEDNN_MAX_CPU_ISA": "AVX2"}
    )
    try:
        rule = r"^node \S+ \(.*\) would compute other answers .*: ONEDNN_MAX_CPU_ISA is AVX2 there"
        with pytest.raises(ClusterError, match=rule), connect(two_nodes.address):
            pass
    finally:
        two_nodes.remove_node(node)


def test_ctrl_c_ends_the_tasks(two_nodes, tmp_path):
    mark = tmp_path / "begun"
    words = [sys.executable, "-c", ASK, two_nodes.address, str(mark)]
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    wait_for(mark.exists)
    assert begun("sleep")
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=PATIENCE)[1]
    wait_for(lambda: not begun("sleep"))


@pytest.mark.parametrize("address", ["here", "ray://host:1", "host:port", "host:99999"])
def test_the_address_must_be_one(address):
    with pytest.raises(ConfigError, match="HOST:PORT, auto or local; found"), connect(address):
        pass


def test_nothing_listens_there(unused):
    rule = f"there is no cluster at 127.0.0.1:{unused} "
    with pytest.raises(ClusterError, match=rule), connect(f"127.0.0.1:{unused}"):
        pass


@pytest.fixture
def unused() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_ray_must_be_installed(monkeypatch):
    monkeypatch.setattr(connection.importlib.util, "find_spec", lambda name: None)
    rule = r"needs Ray, .*: pip install 'convlens\[cluster\]'"
    with pytest.raises(BackendError, match=rule), connect("local"):
        pass


def test_a_local_cluster_that_does_not_start_in_time(monkeypatch):
    import ray

    said = "The current node timed out during startup."  # as Ray does

    def fail(*_args, **_options):
        raise Exception(said)

    monkeypatch.setattr(ray, "init", fail)
    rule = r"^a cluster on this computer must start within the 30 seconds .* Try again when fewer"
    with pytest.raises(ClusterError, match=rule), connect("local"):
        pass
    said = "something else"
    with pytest.raises(Exception, match=r"^something else$"), connect("local"):
        pass


def test_a_local_cluster_sends_nothing_and_shows_nothing(two_nodes, capfd):
    import ray

    with connect("local", cpus=1) as cluster:
        assert cluster.cpus == 1
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    assert capfd.readouterr() == ("", "")
    # It demands a token, which the next cluster does not know.
    with connect(two_nodes.address):
        actor = ray.remote(num_cpus=0)(jobs.Adder).remote()
        assert ray.get(actor.add.remote(1, 2)) == 3


@pytest.mark.slow
def test_a_token_is_shown_to_a_cluster_that_demands_one(unused, tmp_path):
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("0123456789abcdef" * 4)
    there = os.environ | {"HOME": str(tmp_path), "RAY_AUTH_MODE": "token"}
    words = ["ray.scripts.scripts", "start", "--head", f"--port={unused}", "--block"]
    words += ["--include-dashboard=false", f"--temp-dir={tempfile.mkdtemp(prefix='ray-')}"]
    command = [sys.executable, "-m", *words, f"--object-store-memory={STORE}", "--num-cpus=1"]
    head = subprocess.Popen(command, env=there, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: listens(unused), head)
        here = os.environ | {"HOME": str(tmp_path)}
        command = [sys.executable, "-c", CONNECT, f"127.0.0.1:{unused}"]
        said = subprocess.run(command, cwd=ROOT, env=here, capture_output=True, text=True).stdout
        assert said == "1\n"
    finally:
        head.terminate()
        head.wait()


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
