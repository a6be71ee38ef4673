"""`convlens studio` as a user starts, stops and kills it."""

import importlib.util
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.cli.commands import run
from tests.studio.conftest import picture


class Process:
    """A studio in a process of its own."""

    def __init__(self, *words: object, cwd: Path | None = None, **environment: str) -> None:
        command = [sys.executable, "-m", "convlens", "studio", *map(str, words)]
        self.process = subprocess.Popen(
            [*command, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd,
            env=os.environ | environment,
        )
        self.said = ""
        authority = None
        if "--https" in words:
            authority = Path(str(words[0])) / ".studio" / "https" / "authority.pem"
        while "Ctrl-C" not in self.said:
            line = self.process.stdout.readline()
            assert line, self.said + self.process.stderr.read()
            self.said += line
        self.url, self.token = re.search(r"(https?://[\d.:]+)/#token=(\w+)", self.said).groups()
        self.client = httpx.Client(
            base_url=self.url,
            timeout=120,
            headers={"X-Convlens-Token": self.token},
            verify=True if authority is None else ssl.create_default_context(cafile=authority),
        )

    def stop(self, kind: int) -> tuple[int, str, str]:
        """Send a signal, and return the exit code and what is printed after it."""
        self.process.send_signal(kind)
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out, err


@contextmanager
def studio(*words: object, cwd: Path | None = None, **environment: str) -> Iterator[Process]:
    started = Process(*words, cwd=cwd, **environment)
    try:
        yield started
    finally:
        started.client.close()
        started.process.kill()
        started.process.communicate()


def test_it_listens_to_this_computer_and_ends_in_one_line(tmp_path):
    with studio(tmp_path / "pets", "--no-browser") as started:
        listening = [
            one.laddr.ip
            for one in psutil.Process(started.process.pid).net_connections()
            if one.status == psutil.CONN_LISTEN
        ]
        assert listening == ["127.0.0.1"]
        assert re.search(r"^images +0 in 0 classes$", started.said, re.M)
        assert started.client.get("/").status_code == 200
        state = started.client.get("/api/state").json()
        assert state["total"] == 0
        # A page that waits for a change does not hold it up.
        path = f"/api/changes?since={state['version']}&told={state['told']}"
        raw = socket.create_connection(("127.0.0.1", int(started.url.rpartition(":")[2])))
        head = f"GET {path} HTTP/1.1\r\nHost: {started.url[7:]}\r\n"
        raw.sendall(f"{head}X-Convlens-Token: {started.token}\r\n\r\n".encode())
        code, out, err = started.stop(signal.SIGINT)
        raw.close()
    assert code == 130
    assert out == ""
    assert err.count("\n") == 1
    assert f"stopped; everything is in {tmp_path / 'pets'}." in err
    assert not (tmp_path / "pets" / "open.html").exists()


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path):
    with studio(tmp_path / "pets", "--no-browser") as started:
        made = started.client.post("/api/classes", json={"name": "貓"}).json()["class"]["id"]
        for number in range(5):
            found = started.client.post(
                f"/api/classes/{made}/images?name={number}.png&group=a", content=picture(number)
            )
            assert found.status_code == 201
        assert started.stop(signal.SIGKILL)[0] == -signal.SIGKILL
        token = started.token
    for number in range(5):
        path = tmp_path / "pets" / "images" / "貓" / f"{number}.png"
        assert path.read_bytes() == picture(number)
    with studio(tmp_path / "pets", "--no-browser") as again:
        assert again.token == token  # a page that was left open goes on
        state = again.client.get("/api/state").json()
        assert state["total"] == 5
        second = run("studio", tmp_path / "pets", "--port", 0, "--no-browser")
        assert second == 5
        assert again.stop(signal.SIGTERM)[0] == 0


def test_a_workspace_that_is_open_is_one_line(tmp_path, capsys):
    with studio(tmp_path / "pets", "--no-browser") as started:
        assert run("studio", tmp_path / "pets", "--port", 0, "--no-browser") == 5
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert f"the studio has this workspace open already, at {started.url};" in err


def test_a_port_in_use_is_one_line(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run("studio", tmp_path / "pets", "--port", port, "--no-browser") == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"cannot listen at 127.0.0.1, port {port}" in err
    assert "Choose another one with --port" in err


def test_a_missing_extra_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert run("studio", tmp_path / "pets") == 8
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "the studio needs starlette, uvicorn, which is not installed" in err
    assert "pip install 'convlens[studio]'" in err
    assert not (tmp_path / "pets").exists()


def test_what_is_no_workspace_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_text("hello")
    for words, code in (
        ((folder,), 3),
        ((folder / "a.txt",), 3),
        (("nowhere/at/all",), 3),
        ((folder, "--port", 70000), 3),
    ):
        assert run("studio", *words, "--no-browser") == code
        err = capsys.readouterr().err
        assert err.count("\n") == 1, err
    (tmp_path / "studio").mkdir()
    (tmp_path / "studio" / "mine.txt").write_text("hello")
    assert run("studio", "--no-browser") == 2
    assert "this folder is no workspace of the studio" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"texts", "studio"}


def test_the_browser_is_given_no_token_that_others_see(tmp_path):
    browser = tmp_path / "browser"
    words = tmp_path / "words"
    browser.write_text(f'#!/bin/sh\necho "$@" > {words}\ncat "${{1#file://}}" >> {words}\n')
    browser.chmod(0o755)
    with studio(tmp_path / "pets", BROWSER=f"{browser} %s") as started:
        file = tmp_path / "pets" / "open.html"
        end = time.monotonic() + 60  # the file is written after the address was said
        while time.monotonic() < end and not (words.exists() and "url=" in words.read_text()):
            time.sleep(0.05)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        first, _, page = words.read_text().partition("\n")
        assert started.token not in first
        assert first == file.as_uri()
        assert f"url={started.url}/#token={started.token}" in page
        started.stop(signal.SIGINT)
        assert not file.exists()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_help_names_what_it_makes(language, capsys):
    assert run("studio", "--help", "--language", language) == 0
    out = capsys.readouterr().out
    assert "--no-browser" in out


def test_https_with_a_certificate_of_its_own(tmp_path):
    pytest.importorskip("trustme")
    folder = tmp_path / "pets"
    with studio(folder, "--no-browser", "--https") as started:
        assert started.url.startswith("https://127.0.0.1:")
        assert re.search(
            r"^certificate +SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$", started.said, re.M
        )
        assert started.client.get("/api/state").status_code == 200
        port = started.url.rpartition(":")[2]
        for origin, status in (
            (started.url, 201),
            (started.url.replace("https", "http"), 403),
            (f"https://evil.example:{port}", 403),
        ):
            headers = {"Origin": origin}
            found = started.client.post("/api/classes", json={"name": "cat"}, headers=headers)
            assert found.status_code == status, origin
        assert started.client.get("/", headers={"Host": f"evil.example:{port}"}).status_code == 403
        camera = started.client.get("/api/ship").json()["camera"]
        assert (camera["is_https"], camera["is_local"]) == (True, True)
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(started.url)
        code, _out, err = started.stop(signal.SIGTERM)
    assert (code, err) == (0, "")
    place = folder / ".studio" / "https"
    assert stat.S_IMODE((place / "server.pem").stat().st_mode) == 0o600
    assert b"PRIVATE KEY" not in (place / "authority.pem").read_bytes()
    made = (place / "server.pem").read_bytes()
    with studio(folder, "--no-browser", "--https"):
        assert (place / "server.pem").read_bytes() == made  # so that a phone warns once


def test_https_needs_its_package(tmp_path, monkeypatch, capsys):
    from convlens.studio import https

    monkeypatch.setattr(https, "PACKAGE", "no_such_package")
    assert run("studio", tmp_path / "pets", "--https", "--no-browser") == 8
    assert "pip install 'convlens[https]'" in capsys.readouterr().err
    assert not (tmp_path / "pets").exists()


def test_a_workspace_in_a_zip_is_opened_beside_it(tmp_path, capsys):
    with studio(tmp_path / "pets", "--no-browser") as started:
        made = started.client.post("/api/classes", json={"name": "貓"}).json()["class"]["id"]
        path = f"/api/classes/{made}/images?name=1.png"
        assert started.client.post(path, content=picture(1)).status_code == 201
        url = started.client.post("/api/ship/workspace/zip").json()["url"]
        (tmp_path / "saved 1.zip").write_bytes(started.client.get(url).content)
    with studio(tmp_path / "saved 1.zip", "--no-browser") as started:
        folder = tmp_path / "saved 1"
        assert re.search(rf"^unpacked +{re.escape(str(folder))}$", started.said, re.M)
        assert started.client.get("/api/state").json()["total"] == 1
        assert (folder / "images" / "貓" / "1.png").read_bytes() == picture(1)
    # What was done since is in the folder alone.
    assert run("studio", tmp_path / "saved 1.zip", "--port", 0, "--no-browser") == 2
    assert f"convlens studio '{folder}'" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "saved 1-2").exists()
    assert run("studio", tmp_path / "no.zip", "--port", 0, "--no-browser") == 2
    assert "there is no such archive" in capsys.readouterr().err
    assert not (tmp_path / "no.zip").exists()


def test_a_download_that_breaks_off_is_told_at_the_terminal(tmp_path):
    """The size was told before, so that a browser says that the file is not whole."""
    with studio(tmp_path / "pets", "--no-browser") as started:
        (tmp_path / "pets" / "notes.txt").write_text("mine", encoding="utf-8")
        url = started.client.post("/api/ship/workspace/zip").json()["url"]
        (tmp_path / "pets" / "notes.txt").write_text("mine and more", encoding="utf-8")
        with pytest.raises(httpx.RemoteProtocolError):
            started.client.get(url)
        _code, _out, err = started.stop(signal.SIGTERM)
    assert "notes.txt has changed while the archive was made; download it again." in err
    assert "fault of convlens" not in err


def test_a_browser_that_is_waited_for_finds_the_page(tmp_path):
    """As Python waits for that of BROWSER until it is closed, and for those of the terminal."""
    browser = tmp_path / "browser"
    browser.write_text("#!/bin/sh\nexec sleep 300 > /dev/null 2>&1\n")
    browser.chmod(0o755)
    with studio(tmp_path / "pets", BROWSER=f"{browser} %s") as started:
        assert started.client.get("/").status_code == 200
        assert started.stop(signal.SIGINT)[0] == 130


def test_without_windows_no_browser_of_the_terminal_is_opened(tmp_path):
    for name in ("www-browser", "links", "elinks", "lynx", "w3m"):
        (tmp_path / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/opened\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    nothing = dict.fromkeys(("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"), "")
    with studio(tmp_path / "pets", PATH=path, TERM="xterm", **nothing) as started:
        assert "no browser could be opened" in started.process.stdout.readline()
    assert not (tmp_path / "opened").exists()
