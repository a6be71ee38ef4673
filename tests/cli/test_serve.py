"""`convlens serve` as a user starts and stops it."""

import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
from PIL import Image

from convlens.export.folder import open_network
from convlens.serve import exporting
from tests.cli.commands import run
from tests.export.conftest import (  # noqa: F401 - fixtures
    classifier_file,
    exported,
    images,
    samples,
)


class Process:
    """A server in a process of its own."""

    def __init__(self, *words: object) -> None:
        command = [sys.executable, "-m", "convlens", "serve", *map(str, words), "--port", "0"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.said = ""
        while "Ctrl-C" not in self.said:
            line = self.process.stdout.readline()
            assert line, self.said + self.process.stderr.read()
            self.said += line
        self.url = re.search(r"http://[\d.:]+", self.said)[0]
        self.client = httpx.Client(base_url=self.url, timeout=120)

    def stop(self, kind: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Send a signal, and return the exit code and what is printed after it."""
        self.process.send_signal(kind)
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out, err


@contextmanager
def serving(*words: object) -> Iterator[Process]:
    started = Process(*words)
    try:
        yield started
    finally:
        started.client.close()
        started.process.kill()
        started.process.communicate()


@pytest.fixture(scope="module")
def server(exported) -> Iterator[Process]:  # noqa: F811
    """Return a server that runs as long as these tests."""
    with serving(exported("openvino"), "--threads", 2, "--max-megabytes", 1) as started:
        yield started
        code, out, err = started.stop()
    assert code == 0
    assert out == "stopped; what was accepted has been answered.\n"
    assert err == ""


@pytest.fixture(scope="module")
def photos() -> list[bytes]:
    """Return images of several sizes as their files hold them."""
    rng = np.random.default_rng(3)
    made = []
    for number in range(16):
        pixels = rng.integers(0, 256, (20 + 9 * number, 90, 3)) * rng.random(3)
        path = Path(tempfile.gettempdir()) / f"{os.getpid()}.{'jpg' if number % 2 else 'png'}"
        Image.fromarray(pixels.astype(np.uint8)).save(path)
        made.append(path.read_bytes())
        path.unlink()
    return made


def ask(client: httpx.Client, content: bytes) -> httpx.Response:
    return client.post("/predict", content=content, headers={"Content-Type": "image/any"})


def test_it_says_what_is_served_and_how_to_try_it(server):
    assert re.search(
        r"^serving +a \"run\": 3, which knows 3 classes: 貓, dog with hat, c$", server.said, re.M
    )
    assert f"curl -F image=@photo.jpg {server.url}/predict" in server.said
    assert re.search(r"^engine +openvino [\d.]+; 2 threads decode and compute$", server.said, re.M)
    assert re.search(r"^limits +1 MB for a request; 128 images wait", server.said, re.M)


def test_eight_clients_get_the_answers_of_predict(server, exported, photos):  # noqa: F811
    expected = [open_network(exported("openvino")).predict(photo)[0] for photo in photos]
    assert len({one.label for one in expected}) > 1

    def many(start: int) -> None:
        with httpx.Client(base_url=server.url, timeout=120) as client:
            for number in range(40):
                which = (start * 5 + number) % len(photos)
                found = ask(client, photos[which]).json()
                assert found["label"] == expected[which].label
                assert list(found["probabilities"].values()) == pytest.approx(
                    expected[which].probabilities, abs=1e-6
                )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(many, range(8)))


def test_the_memory_is_flat_and_nothing_is_written(server, photos):
    process = psutil.Process(server.process.pid)
    before = set(Path(tempfile.gettempdir()).iterdir())
    sizes = []
    for number in range(300):
        ask(server.client, photos[number % len(photos)])
        ask(server.client, photos[number % len(photos)][: 30 * number % 400])
        ask(server.client, bytes(990_000))
        server.client.post("/predict", files={"a": photos[0], "b": b"x" * 400_000})
        assert ask(server.client, bytes(1_100_000)).status_code == 413
        if number % 100 == 99:
            sizes.append(process.memory_info().rss)
    assert max(sizes) - sizes[0] < 20e6
    writable = [one.path for one in process.open_files() if getattr(one, "mode", "r") != "r"]
    assert writable == []
    written = set(Path(tempfile.gettempdir()).iterdir()) - before
    assert not [path for path in written if path.name.startswith("convlens")]


def test_it_does_not_load_the_large_libraries(server):
    loaded = {one.path for one in psutil.Process(server.process.pid).memory_maps()}
    assert any("openvino" in path for path in loaded)
    assert not [path for path in loaded if re.search("packages.(tensorflow|keras|jax)", path)]


def test_a_port_in_use_is_one_line(server, exported, capsys):  # noqa: F811
    port = server.url.rpartition(":")[2]
    assert run("serve", exported("openvino"), "--port", port) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert f"cannot listen at 127.0.0.1, port {port}; Address already in use" in err


def images_waiting(server: Process) -> float:
    """Return how many images a server has accepted and not yet answered."""
    said = server.client.get("/metrics").text
    return float(re.search(r"^convlens_waiting_images (\S+)$", said, re.M)[1])


def is_listening(server: Process) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", int(server.url.rpartition(":")[2]))) == 0


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_signals_end_it_in_order(exported):  # noqa: F811
    """What was accepted is answered; further connections are refused."""
    file = io.BytesIO()
    Image.new("RGB", (1200, 1200), "red").save(file, "PNG")  # whose decoding takes a while
    with serving(exported("openvino"), "--threads", 1) as started:
        with ThreadPoolExecutor() as pool:
            large = [("a", (str(number), file.getvalue())) for number in range(100)]
            waiting = pool.submit(started.client.post, "/predict", files=large)
            # Where this process is slow, all may have been answered before the first look.
            wait_until(lambda: images_waiting(started) or waiting.done())
            started.process.send_signal(signal.SIGINT)
            answer = waiting.result()
            assert answer.status_code == 200
            assert len(answer.json()) == 100
        out, err = started.process.communicate(timeout=120)
    assert started.process.returncode == 130
    assert (out, err) == ("", "stopped; what was accepted has been answered.\n")
    with pytest.raises(httpx.ConnectError):
        httpx.get(started.url, timeout=120)


def test_a_second_signal_ends_it_at_once(exported):  # noqa: F811
    begun = threading.Event()
    with serving(exported("openvino"), "--threads", 1) as started:

        def slow() -> Iterator[bytes]:
            for _second in range(60):
                yield b"x" * 50_000
                begun.set()
                time.sleep(1)

        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(
                started.client.post, "/predict", content=slow(), headers={"Content-Type": "image/a"}
            )
            assert begun.wait(60)
            started.client.get("/")  # which comes after the request that is being sent
            started.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not is_listening(started))
            assert started.process.poll() is None
            begin = time.monotonic()
            code, out, err = started.stop()
            assert time.monotonic() - begin < 20  # of the minute that the request takes
            with pytest.raises(httpx.HTTPError):
                waiting.result()
    assert (code, out, err) == (0, "stopped at once.\n", "")


def test_a_run_is_exported_first(exported, here, capsys, monkeypatch):  # noqa: F811
    """The folder is temporary, and that of this test is made in no time."""
    places = []
    made = exported("openvino")
    (here / "runs" / "my-run").mkdir(parents=True)
    (here / "runs" / "my-run" / "run.toml").touch()

    def export_apart(name: str, folder: Path) -> None:
        assert name == "my-run"
        places.append(folder)
        shutil.copytree(made, folder)

    monkeypatch.setattr(exporting, "export_apart", export_apart)
    monkeypatch.setattr("convlens.serve.server.run", lambda server, _bound: None)
    assert run("serve", "my-run", "--port", 0) == 0
    out = capsys.readouterr().out
    assert "exporting my-run first; this takes some ten seconds" in out
    assert re.search(r"^exported +in \d s; convlens export writes a folder", out, re.M)
    assert not places[0].parent.exists()


def test_a_wrong_name_is_told_before_anything_is_exported(here, capsys):
    assert run("serve", "nowhere", "--port", 0) == 5
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error  nowhere: a run is a folder that `convlens train` made")


def test_an_export_that_fails_ends_with_its_message_and_code(here, capsys, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(here))  # nobody else writes there
    (here / "no.keras").write_bytes(b"no archive")
    assert run("serve", "no.keras", "--port", 0) == 6
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith("error  no.keras: the file is damaged or is not a classifier")
    assert [file.name for file in here.iterdir()] == ["no.keras"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--host", "0.0.0.0"], "at 0.0.0.0 other computers can reach the server"),
        (["--token-file", "missing"], "missing: the token file cannot be read"),
        (["--threads", "0"], "--threads must be a number greater than 0; found 0."),
        (["--max-queue", "-3"], "--max-queue must be a number greater than 0; found -3."),
        (["--max-megabytes", "0"], "--max-megabytes must be a number greater than 0; found 0."),
        (["--max-megabytes", "nan"], "--max-megabytes must be a number greater than 0; found nan."),
        (["--max-megabytes", "inf"], "--max-megabytes must be a number greater than 0; found inf."),
    ],
)
def test_mistakes_are_one_line(exported, capsys, words, message):  # noqa: F811
    assert run("serve", exported("openvino"), "--port", 0, *words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert message in err


def test_listening_for_anyone_is_said(exported, capsys, monkeypatch, tmp_path):  # noqa: F811
    monkeypatch.setattr("convlens.serve.server.run", lambda server, _bound: None)
    words = ("serve", exported("openvino"), "--port", 0, "--host", "0.0.0.0")
    assert run(*words, "--allow-anyone") == 0
    assert "anyone who reaches this address can use the server." in capsys.readouterr().out
    token = tmp_path / "token"
    token.write_text("abc")
    token.chmod(0o600)
    assert run(*words, "--token-file", token) == 0
    out = capsys.readouterr().out
    assert "anyone who" not in out
    assert 'curl -H "Authorization: Bearer TOKEN" -F' in out
    assert "abc" not in out


def test_missing_packages_are_named(exported, capsys, monkeypatch):  # noqa: F811
    find = exporting.importlib.util.find_spec
    monkeypatch.setattr(
        exporting.importlib.util,
        "find_spec",
        lambda name: None if name == "fastapi" else find(name),
    )
    assert run("serve", exported("openvino")) == 8
    assert "serving needs fastapi, which is not installed: pip install" in capsys.readouterr().err
