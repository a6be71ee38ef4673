"""Serving: `convlens serve` for an export of the workspace, as a process of its own.

It ends with the studio. If the studio is killed, the server goes on, and the next studio of the
workspace finds it again by what is written down here.
"""

import contextlib
import json
import os
import re
import secrets
import shlex
import subprocess
import threading
import urllib.request
from pathlib import Path
from typing import Any

from convlens.errors import ConvlensError
from convlens.files import storage_errors, write_atomically
from convlens.folders import make_folder
from convlens.language import N_, _
from convlens.language_choice import VARIABLE, language
from convlens.processes import end, own_command
from convlens.studio.opening import Places, write_privately
from convlens.studio.problem import GONE, Problem
from convlens.studio.shipping.found import end_found, facts_of, find, is_alive
from convlens.studio.telling import Telling
from convlens.text import printable

# The line of the address; names of classes stand in other lines, or behind blanks.
ADDRESS = re.compile(r"^\S+ +(http://127\.0\.0\.1:\d+)\s*$", re.M)
COUNTED = re.compile(r'^convlens_requests_total\{route="([^"]*)",status="(\d+)"\} (\S+)', re.M)
LAST = 12  # lines of the log that are shown
MOST_LOG = 20_000  # bytes of its end that are read
MOST_HEAD = 1_000_000  # bytes of its begin, in which the address is looked for
ASK = 2.0  # seconds in which the server says how many requests it has answered
ENDED = N_("the server has ended; its last lines say why.")
NO_TOKEN = N_("the file with the token of the server is gone; stop it, and start it again.")


class Serving(Telling):
    """The server of a workspace.

    Attributes:
        told: A number that rises whenever it is started, has begun to answer, or has ended.
    """

    def __init__(self, places: Places) -> None:
        super().__init__()
        self._folder = places.hidden.resolve() / "serve"
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._facts = _read(self._folder / "server.json")
        words = ("serve", str(self._token_file))  # a copied workspace has another path
        self._found = find(self._facts, *words)
        if self._found is None:
            self._facts = {}

    @property
    def _log(self) -> Path:
        return self._folder / "log.txt"

    def start(self, folder: Path) -> None:
        """Begin to serve an exported folder.

        Raises:
            Problem: If one is served already.
            StorageError: If nothing can be written.
        """
        with self._lock:
            if self._is_running():
                raise Problem(_("a server runs already; stop it first."), GONE)
            token = secrets.token_hex(16)
            self._write_token(token)
            # A port of the system's choice, which the server prints.
            words = ["serve", str(folder), "--port", "0", "--token-file", str(self._token_file)]
            with storage_errors(self._log, _("the log")), self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    own_command("convlens", *words),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=os.environ | {VARIABLE: language(), "PYTHONUNBUFFERED": "1"},
                    start_new_session=True,  # Ctrl-C is for the studio
                )
            self._found = None
            self._facts = facts_of(self._process.pid) | {
                "name": folder.name,
                "folder": str(folder),
                "address": "",
            }
            self._write_facts()
            self._tell()
            threading.Thread(target=self._follow, args=(self._process,), daemon=True).start()

    def _write_facts(self) -> None:
        content = json.dumps(self._facts)
        write_atomically(self._folder / "server.json", content, _("the server"))

    @property
    def _token_file(self) -> Path:
        return self._folder / "token"

    @property
    def _header_file(self) -> Path:
        """The header with the token, for curl: whoever lists the processes does not see it."""
        return self._folder / "header"

    def _write_token(self, token: str) -> None:
        with storage_errors(self._folder, _("the server")):
            make_folder(self._folder)
            self._folder.chmod(0o700)

        header = f"Authorization: Bearer {token}"  # not translated: HTTP
        for path, content in ((self._token_file, token), (self._header_file, header)):
            write_privately(path, content, _("the token"))

    def _follow(self, process: "subprocess.Popen[bytes]") -> None:
        """Tell when the server has begun to answer, and when it has ended."""
        while process.poll() is None:
            with self._lock:
                has_address = process is self._process and self._address() != ""
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1.0 if has_address else 0.1)
        self._tell()

    def _address(self) -> str:
        """Return the address of the server, which is written down; nothing if it has none yet."""
        if not self._facts.get("address"):
            found = ADDRESS.search(self._part(0, MOST_HEAD))
            if found is None:
                return ""
            self._facts["address"] = found[1]
            self._tell()
            with contextlib.suppress(ConvlensError):  # a full disk; the server runs all the same
                self._write_facts()
        return str(self._facts["address"])

    def stop(self) -> None:
        """End the server, if one runs."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                end(self._process)
            if self._found is not None:
                end_found(self._found)
            if not self._facts:
                return
            self._process = self._found = None
            self._facts = {}
            (self._folder / "server.json").unlink(missing_ok=True)
            self._token_file.unlink(missing_ok=True)
            self._header_file.unlink(missing_ok=True)
            self._tell()

    def _is_running(self) -> bool:
        process, found = self._process, self._found  # which another thread may end meanwhile
        if process is not None:
            return process.poll() is None
        return found is not None and is_alive(found)

    def serves(self, name: str) -> bool:
        """Return whether an export is served now."""
        return self._is_running() and self._facts.get("name") == name

    def status(self) -> dict[str, Any]:
        """Return what is served, and where, for a page."""
        with self._lock:
            if not self._facts:
                return {"state": "none"}
            lines = self._tail().splitlines()
            said = {"name": self._facts["name"], "log": [printable(one) for one in lines[-LAST:]]}
            if not self._is_running():
                return said | {"state": "failed", "message": _(ENDED)}
            address = self._address()
            if not address:
                return said | {"state": "starting"}
            token = self._token()
            if not token:
                return said | {"state": "failed", "message": _(NO_TOKEN)}
            return said | {
                "state": "running",
                "address": address,
                "token": token,
                "curl": self._curl(address),
                "is_found_again": self._found is not None,
                **_counted(address, token),
            }

    def _token(self) -> str:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return self._token_file.read_text(encoding="ascii")
        return ""

    def _curl(self, address: str) -> str:
        """Return a command that classifies an example of the folder when it is pasted."""
        examples = Path(self._facts["folder"]) / "examples"
        with contextlib.suppress(OSError):
            images = sorted(path.name for path in examples.iterdir())
            image = shlex.quote(f"image=@{examples / images[0]}")
            header = shlex.quote(f"@{self._header_file}")
            return f"curl -H {header} -F {image} {address}/predict"  # not translated: a command
        return ""

    def _tail(self) -> str:
        """Return the end of what the server has printed."""
        with contextlib.suppress(OSError):
            return self._part(max(0, self._log.stat().st_size - MOST_LOG), MOST_LOG)
        return ""

    def _part(self, start: int, most: int) -> str:
        with contextlib.suppress(OSError), self._log.open("rb") as file:
            file.seek(start)
            return file.read(most).decode(errors="replace")
        return ""


def _read(file: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def _counted(address: str, token: str) -> dict[str, int | None]:
    """Return how many requests were answered and refused; None if the server does not say."""
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{address}/metrics", headers=headers)
    try:
        # Whatever proxy the user has, this goes to this computer.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=ASK) as answer:
            text = answer.read().decode()
    except OSError:
        return {"answered": None, "refused": None}
    rows = COUNTED.findall(text)
    counted = [(int(status), float(n)) for route, status, n in rows if route != "/metrics"]
    answered = sum(number for status, number in counted if status < 400)
    refused = sum(number for status, number in counted if status >= 400)
    return {"answered": int(answered), "refused": int(refused)}
