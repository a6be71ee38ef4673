"""The server of a workspace: it belongs to this workspace alone, and nobody else gets its token."""

import json
import os
import shutil
import subprocess

import pytest

from convlens.processes import PYTHON, end
from convlens.studio.opening import open_places
from convlens.studio.shipping import serving as serving_module
from convlens.studio.shipping.found import facts_of
from convlens.studio.shipping.serving import Serving

HEAD = "serving    digits, which knows 2 classes: a, http://127.0.0.1:1\n"
ADDRESS = "http://127.0.0.1:8123"
# What stands in the place of the server: it says an address, as `convlens serve` does.
PROGRAM = "import time; print({text!r}, flush=True); time.sleep(600)"


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Return a function that starts a server which prints a text."""
    started = []
    monkeypatch.setattr(serving_module, "_counted", lambda *_given: {})

    def start_one(text):
        monkeypatch.setattr(
            serving_module,
            "own_command",
            lambda _module, *words: [*PYTHON, "-c", PROGRAM.format(text=text), *map(str, words)],
        )
        found = Serving(open_places(str(tmp_path / "pets")))
        folder = tmp_path / "pets" / "exports" / "digits"
        (folder / "examples").mkdir(parents=True)
        (folder / "examples" / "1.png").write_bytes(b"x")
        found.start(folder)
        started.append(found._process)
        return found

    yield start_one
    for process in started:
        end(process)


def running(serving):
    """Return the status of a server when it is no longer starting, or after a minute."""
    for _try in range(1200):
        found = serving.status()
        if found["state"] != "starting":
            break
        with pytest.raises(subprocess.TimeoutExpired):
            serving._process.wait(0.05)
    return found


def test_the_token_goes_to_the_address_of_the_server_whatever_else_it_prints(start):
    """Names of classes stand before the address in the log; thousands of lines may follow it."""
    indented = "           address    http://127.0.0.1:1\n"
    faults = "this is a fault of convlens\n" * 3000
    serving = start(f"{HEAD}{indented}address    {ADDRESS}\n{faults}")
    assert running(serving)["address"] == ADDRESS


def test_the_command_has_no_token_but_the_file_of_its_header(start, tmp_path):
    found = running(start(f"address    {ADDRESS}\n"))
    header = tmp_path / "pets" / ".studio" / "serve" / "header"
    assert found["token"] not in found["curl"]
    assert f"-H @{header} " in found["curl"]
    assert header.read_text() == f"Authorization: Bearer {found['token']}"
    if os.name == "posix":
        assert header.stat().st_mode & 0o777 == 0o600


def test_a_token_that_was_removed_is_one_line(start, tmp_path):
    serving = start(f"address    {ADDRESS}\n")
    assert running(serving)["state"] == "running"
    (tmp_path / "pets" / ".studio" / "serve" / "token").unlink()
    found = serving.status()
    assert found["state"] == "failed"
    assert "the token of the server is gone" in found["message"]
    serving.stop()
    assert serving.status() == {"state": "none"}


def test_a_copied_workspace_leaves_the_server_of_the_original_alone(start, tmp_path):
    serving = start(f"address    {ADDRESS}\n")
    assert running(serving)["state"] == "running"
    shutil.copytree(tmp_path / "pets", tmp_path / "copy")
    copy = Serving(open_places(str(tmp_path / "copy")))
    assert copy.status() == {"state": "none"}
    copy.stop()
    assert serving._process.poll() is None
    again = Serving(open_places(str(tmp_path / "pets")))
    assert again.status()["is_found_again"] is True
    again.stop()
    assert serving._process.wait(60) is not None


def test_a_process_that_has_got_the_number_meanwhile_is_left_alone(tmp_path):
    places = open_places(str(tmp_path / "pets"))
    (places.hidden / "serve").mkdir()
    facts = facts_of(os.getpid()) | {"name": "digits", "folder": "digits"}
    (places.hidden / "serve" / "server.json").write_text(json.dumps(facts), encoding="utf-8")
    assert Serving(places).status() == {"state": "none"}
