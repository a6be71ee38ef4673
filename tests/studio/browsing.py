"""Browsing: a studio in a process of its own, and its page in Chromium with a camera."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

PATIENCE = 240.0  # seconds; other work may keep the processors busy
WIDE = {"width": 1280, "height": 860}
PHONE = {"width": 360, "height": 640}
COLOURS = ((200, 60, 40), (40, 110, 200), (60, 160, 70), (150, 150, 40))


class Served:
    """A studio that runs in a process of its own, always at the same port."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self.words = words  # of the command, besides those that every studio here has
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        scheme = "https" if "--https" in words else "http"
        self.origin = f"{scheme}://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self._said = folder.parent / "said.txt"
        self._left: list[psutil.Process] = []  # what studios that were killed had started

    @property
    def address(self) -> str:
        """The address that the terminal shows."""
        token = (self.folder / ".studio" / "token").read_text(encoding="utf-8").strip()
        return f"{self.origin}/#token={token}"

    @property
    def files(self) -> list[str]:
        """The images of the workspace, as CLASS/NAME, without those that are being written."""
        images = self.folder / "images"
        found = images.rglob("[!.]*.*") if images.is_dir() else []
        return sorted(path.relative_to(images).as_posix() for path in found)

    def start(self, source: Path | None = None) -> None:
        """Start the process, and wait until the page is there."""
        command = [sys.executable, "-X", "faulthandler", "-m", "convlens", "studio"]
        command.append(str(source or self.folder))
        with self._said.open("wb") as file:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), "--no-browser", *self.words],
                cwd=self.folder.parent,
                env=os.environ | {"CONVLENS_LANG": "en"},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + PATIENCE
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                pytest.fail(self._said.read_text(encoding="utf-8"))
            time.sleep(0.1)

    def _answers(self) -> bool:
        trusting = ssl._create_unverified_context()
        try:
            with urllib.request.urlopen(self.origin, timeout=5, context=trusting):
                return True
        except (OSError, urllib.error.URLError):
            return False

    def stop(self) -> str:
        """Press Ctrl-C, wait until the process has ended, and return what it has said."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # it says where its threads are
            self.process.wait()
            pytest.fail(self._said.read_text(encoding="utf-8"))
        return self._said.read_text(encoding="utf-8")

    def kill(self) -> None:
        """End the process at once, as a crash does."""
        if self.process is not None and self.process.poll() is None:
            self._left += psutil.Process(self.process.pid).children(recursive=True)
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """End the studio, and what it and those before it have started and left."""
        self.kill()
        for process in self._left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(self._left, timeout=PATIENCE)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """An empty studio."""
    running = Served(tmp_path / "workspace")
    running.start()
    yield running
    running.close()


class Window:
    """Tabs that share what a browser keeps; they fail if they ask another host, or at an error."""

    def __init__(self, context: Any) -> None:
        self.context = context
        self.requested: list[str] = []
        self.problems: list[str] = []
        context.on("request", lambda request: self.requested.append(request.url))
        context.on("weberror", lambda error: self.problems.append(str(error.error)))
        context.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        # An answer that refuses, and a server that is gone, are said on the page.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(message.text)

    def tab(self, address: str) -> Any:
        """Return a page that shows an address, ready to be used."""
        page = self.context.new_page()
        page.set_default_timeout(1000 * PATIENCE / 2)
        page.goto(address)
        page.wait_for_selector(".room")
        return page

    def check(self, origin: str) -> None:
        """Assert that nothing else was asked, and that no script failed."""
        own = (origin, "blob:" + origin, "data:")
        assert [url for url in self.requested if not url.startswith(own)] == []
        assert not self.problems, self.problems


@pytest.fixture
def window(browser: Any) -> Iterator[Callable[..., Window]]:
    """Return a function that opens a window of its own."""
    contexts = []

    def open_window(language: str = "en", size: dict[str, int] = WIDE, **more: Any) -> Window:
        locale = {"en": "en-GB", "zh": "zh-TW"}[language]
        context = browser.new_context(locale=locale, viewport=size, **more)
        contexts.append(context)
        return Window(context)

    yield open_window
    for context in contexts:
        context.close()


def write_image(path: Path, number: int, colour: int = 0) -> Path:
    """Write an image of noise around a colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(number).normal(0, 45, (48, 64, 1))
    pixels = np.clip(np.array(COLOURS[colour % len(COLOURS)]) + noise, 0, 255)
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


def write_folder(root: Path, **classes: int) -> Path:
    """Write a folder with images for each class."""
    number = 0
    for colour, (name, images) in enumerate(classes.items()):
        for _image in range(images):
            write_image(root / name / f"{number:05}.png", number, colour)
            number += 1
    return root


def names(page: Any) -> list[str]:
    """Return the classes of the page with their numbers of images, such as "cat 3".

    They are read in one moment, since the page may be drawn anew in the next one.
    """
    return page.evaluate(
        """() => [...document.querySelectorAll(".class-name")].map((card) => {
          const said = (part) => card.querySelector(part)?.innerText.trim() ?? "";
          return `${said(".name")} ${said(".number").split(/\\s/)[0]}`;
        })"""
    )


def wait_for(page: Any, what: Callable[[], Any], wanted: Any) -> None:
    """Wait until something has a value."""
    end = time.monotonic() + PATIENCE / 2
    while (found := what()) != wanted:
        assert time.monotonic() < end, f"{found!r} is not {wanted!r}"
        page.wait_for_timeout(50)
