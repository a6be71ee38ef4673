"""Uploads are limited in bytes, pixels and number."""

import io
import json

from PIL import Image

from convlens.studio import content, imports, joining, unzip, workspace
from tests.studio.conftest import picture
from tests.studio.test_imports import archive


def test_an_image_has_a_limit_of_bytes(own, monkeypatch):
    monkeypatch.setattr("convlens.studio.api.MOST_BYTES", 1000)
    path = f"/api/classes/{own.classes()['cat']}/images?name=a.png"
    before = own.state()["total"]
    assert own.post(path, bytes(1001)).status_code == 413

    def without_length():
        for _part in range(3):
            yield bytes(500)

    found = own.client.post(path, content=without_length(), headers=own.headers)
    assert found.status_code == 413
    assert own.state()["total"] == before


def test_requests_of_other_kinds_have_a_limit_of_bytes(own, monkeypatch):
    monkeypatch.setattr("convlens.studio.studio.MOST_JSON", 100)
    assert own.post("/api/classes", {"name": "x" * 200}).status_code == 413


def test_an_image_has_a_limit_of_pixels(own):
    # 20,000 x 20,000 pixels in a file of 50 kB.
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    found = own.post(f"/api/classes/{own.classes()['cat']}/images?name=large.png", file.getvalue())
    assert found.status_code == 422
    assert "100 million pixels at most" in found.json()["message"]


def test_a_workspace_has_a_limit_of_images(own, monkeypatch):
    monkeypatch.setattr(workspace, "MOST_IMAGES", 5)
    found = own.post(f"/api/classes/{own.classes()['cat']}/images?name=6.png", picture(6))
    assert found.status_code == 413
    monkeypatch.setattr(joining, "MOST_IMAGES", 5)
    name = own.post("/api/imports").json()["id"]
    own.post(f"/api/imports/{name}/files?path=a/1.png", picture(7))
    found = own.post(f"/api/imports/{name}/finish", {"class_name": "bird"})
    assert found.status_code == 413
    assert own.state()["total"] == 5


def test_an_import_has_limits(own, monkeypatch):
    monkeypatch.setattr(imports, "MOST_IMAGES", 1)
    name = own.post("/api/imports").json()["id"]
    assert own.post(f"/api/imports/{name}/files?path=a/1.png", picture(7)).status_code == 201
    assert own.post(f"/api/imports/{name}/files?path=a/2.png", picture(8)).status_code == 413
    monkeypatch.setattr(imports, "MOST", 1)
    assert own.post("/api/imports").status_code == 409


def test_an_import_has_a_limit_of_bytes_however_they_come(own, monkeypatch):
    one, two = picture(7), picture(8)
    monkeypatch.setattr(imports, "MOST_UNPACKED", len(one) + len(two) - 1)
    name = own.post("/api/imports").json()["id"]
    assert own.post(f"/api/imports/{name}/files?path=a/1.png", one).status_code == 201
    assert own.post(f"/api/imports/{name}/files?path=a/2.png", two).status_code == 413
    assert own.post(f"/api/imports/{name}/zip", archive({"a/2.png": two})).status_code == 413
    (waiting,) = own.state()["imports"]
    assert (waiting["files"], waiting["bytes"]) == (1, len(one))


def test_limits_are_told(own):
    limits = own.state()["limits"]
    assert limits == {**content.LIMITS, "zip_bytes": unzip.MOST_ZIP}


def test_half_an_emoji_and_numbers_without_end_are_refused(own):
    body = b'{"name": "half an emoji \\ud83d"}'
    found = own.post("/api/classes", body)
    assert found.status_code == 400
    assert "the request must be valid Unicode" in found.json()["message"]
    (image,) = [row["id"] for name, row in own.rows().items() if name == "cat/1.png"]
    body = json.dumps({"images": [image], "note": "\ud83d"}).encode()
    assert own.post("/api/exclude", body).status_code == 400
    assert own.state()["undo"]["text"] == "2 images added"
    found = own.post("/api/microscope/network", b'{"rate": 1' + b"0" * 400 + b"}")
    assert found.status_code == 422
    assert "rate must be a number" in found.json()["message"]
