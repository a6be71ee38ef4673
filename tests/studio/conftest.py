"""Fixtures of the studio: a workspace with a few images, its pages' client, and odd archives."""

import io
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from convlens.studio.app import create_app
from convlens.studio.guard import Access
from convlens.studio.opening import open_places, token_of
from convlens.studio.studio import Studio
from tests.studio.shipping import wait

HOST = "127.0.0.1:8765"


def picture(seed: int, kind: str = "PNG", size: tuple[int, int] = (24, 20)) -> bytes:
    """Return the file of an image of its own."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (size[1], size[0], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


class Page:
    """A page of a studio, as its scripts ask."""

    def __init__(self, client: TestClient, studio: Studio, token: str) -> None:
        self.client = client
        self.studio = studio
        self.token = token
        self.headers = {"X-Convlens-Token": token, "Accept-Language": "en"}
        self.key = Access.of(token, ["127.0.0.1"], 8765).image_key

    def get(self, path: str, **headers: str):
        return self.client.get(path, headers=self.headers | headers)

    def post(self, path: str, content=None, **headers: str):
        named = self.headers | headers
        if isinstance(content, bytes):
            return self.client.post(path, content=content, headers=named)
        return self.client.post(path, json=content or {}, headers=named)

    def state(self) -> dict:
        return self.get("/api/state").json()

    def classes(self) -> dict[str, str]:
        return {one["name"]: one["id"] for one in self.state()["classes"]}

    def make(self, name: str) -> str:
        found = self.post("/api/classes", {"name": name})
        assert found.status_code == 201, found.text
        return found.json()["class"]["id"]

    def rename(self, name: str, new: str):
        path = f"/api/classes/{self.classes()[name]}"
        return self.client.patch(path, json={"name": new}, headers=self.headers)

    def add(self, class_id: str, name: str, content: bytes, group: str = "") -> dict:
        path = f"/api/classes/{class_id}/images?group={group}"
        found = self.client.post(
            path, content=content, headers=self.headers, params={"name": name, "group": group}
        )
        assert found.status_code in (200, 201), found.text
        return found.json()

    def rows(self, query: str = "") -> dict[str, dict]:
        """Return the images by name."""
        found = self.get(f"/api/images?{query}").json()
        rows = [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]
        return {row["name"]: row for row in rows}

    def image(self, path: str):
        return self.client.get(f"{path}{'&' if '?' in path else '?'}key={self.key}")


@contextmanager
def opened(folder: Path | str | None) -> Iterator[Page]:
    """Open a workspace, and give its page."""
    places = open_places(None if folder is None else str(folder))
    studio = Studio(places)
    token = token_of(places)
    access = Access.of(token, ["127.0.0.1", "localhost", "[::1]"], 8765)
    with TestClient(
        create_app(studio, access), base_url=f"http://{HOST}", raise_server_exceptions=False
    ) as client:
        yield Page(client, studio, token)


@pytest.fixture
def own(tmp_path) -> Iterator[Page]:
    """Return the page of a workspace with the classes cat (3 images) and dog (2)."""
    with opened(tmp_path / "pets") as page:
        for name, seeds in (("cat", (1, 2, 3)), ("dog", (4, 5))):
            identifier = page.make(name)
            for seed in seeds:
                page.add(identifier, f"{seed}.png", picture(seed), group=name)
        yield page


@pytest.fixture
def photos(tmp_path) -> Path:
    """Return a folder of images that are split, which somebody else has made."""
    folder = tmp_path / "photos"
    for split, seeds in (("train", range(8)), ("test", range(10, 14))):
        for seed in seeds:
            path = folder / split / ("cat" if seed % 2 else "dog") / f"{seed}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture(seed))
    return folder


@pytest.fixture
def snapshot() -> Callable[[Path], dict]:
    """Return a function that gives the names, contents and times of all files of a folder."""

    def take(folder: Path) -> dict:
        return {
            path: (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
            for path in [folder, *folder.rglob("*")]
        }

    return take


@pytest.fixture(scope="session")
def shipped(finished_run, tmp_path_factory):
    """Return a workspace with a finished run and its export, made by the process of the page."""
    root = tmp_path_factory.mktemp("studio") / "my digits"
    shutil.copytree(finished_run.folder, root / "runs" / "digits")
    (root / "runs" / "begun" / "state").mkdir(parents=True)
    shutil.copyfile(finished_run.folder / "run.toml", root / "runs" / "begun" / "run.toml")
    with_facts(root)
    with opened(root) as page:
        found = page.post("/api/ship/exports", {"run": "digits", "to": "openvino"})
        assert found.status_code == 202, found.text
        assert found.json()["state"] == "running"
        second = page.post("/api/ship/exports", {"run": "digits", "to": "onnx"})
        assert second.status_code == 409
        assert "is under way" in second.json()["message"]
        ended = wait(page, "exporting", ("running",))
        assert ended["state"] == "done", ended
    return root


def with_facts(root):
    """Let a folder be a workspace."""
    (root / ".studio").mkdir(exist_ok=True)
    facts = {"format": 1, "source": None}
    (root / ".studio" / "studio.json").write_text(json.dumps(facts), encoding="utf-8")


@pytest.fixture
def shipped_page(shipped, monkeypatch) -> Iterator[Page]:
    """Return the page of this workspace."""
    with opened(shipped) as found:
        monkeypatch.setattr(found.studio.runs, "_looked", -1e9)
        yield found
    for path in (shipped / "exports").iterdir():  # the next test begins with the one that was made
        if path.name != "digits-openvino":
            shutil.rmtree(path)
