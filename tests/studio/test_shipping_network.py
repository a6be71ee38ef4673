"""What an export is shown with: the server, the page for phones, an invitation, and to whom."""

import json
import shutil
import ssl
import subprocess
import urllib.request

import psutil
import pytest

from convlens.studio import https as https_module
from convlens.studio.opening import open_places
from convlens.studio.shipping import shipping as shipping_module
from convlens.studio.shipping.shipping import Reach
from convlens.studio.studio import Studio
from tests.studio.shipping import ship, wait


@pytest.fixture
def page(shipped_page):
    return shipped_page


def test_a_server_answers_the_command_that_is_shown(page, shipped):
    path = "/api/ship/exports/digits-openvino/serve"
    assert page.post(path).json()["state"] in ("starting", "running")
    assert page.post(path).status_code == 409
    serving = wait(page, "serving", ("starting",))
    assert serving["state"] == "running", serving
    assert serving["address"].startswith("http://127.0.0.1:")
    assert serving["answered"] == 0
    if shutil.which("curl"):
        done = subprocess.run(
            serving["curl"], shell=True, capture_output=True, text=True, timeout=120, check=True
        )
        (found,) = json.loads(done.stdout)
        assert found["label"] in [str(digit) for digit in range(10)]
    else:
        request = urllib.request.Request(
            serving["address"], headers={"Authorization": f"Bearer {serving['token']}"}
        )
        urllib.request.urlopen(request, timeout=120).close()
    with pytest.raises(urllib.error.HTTPError):  # nobody else may ask
        urllib.request.urlopen(serving["address"], timeout=120)
    counted = page.get("/api/ship/serving").json()
    assert (counted["answered"], counted["refused"]) == (1, 1)
    assert any(serving["address"] in line for line in counted["log"])
    used = page.client.delete("/api/ship/exports/digits-openvino", headers=page.headers)
    assert used.status_code == 409
    assert "is in use" in used.json()["message"]
    _found_again(page, shipped, serving)


def _found_again(page, shipped, serving):
    """A studio that was killed leaves the server; the next one finds and ends it."""
    number = page.studio.shipping.serving._process.pid
    another = Studio(open_places(str(shipped)))
    found = another.shipping.serving.status()
    assert (found["state"], found["is_found_again"]) == ("running", True)
    assert found["curl"] == serving["curl"]
    another.close()
    page.studio.shipping.serving._process.wait(120)
    assert not psutil.pid_exists(number)
    assert another.shipping.serving.status() == {"state": "none"}


def test_a_server_that_cannot_start_says_why(page, shipped):
    copy = shutil.copytree(shipped / "exports" / "digits-openvino", shipped / "exports" / "broken")
    (copy / "model.bin").write_bytes(b"x")
    page.post("/api/ship/exports/broken/serve")
    serving = wait(page, "serving", ("starting",))
    assert serving["state"] == "failed"
    assert any("missing or changed: model.bin" in line for line in serving["log"])
    stopped = page.client.delete("/api/ship/serving", headers=page.headers).json()
    assert stopped == {"state": "none"}
    assert page.client.delete("/api/ship/exports/broken", headers=page.headers).status_code == 200


@pytest.mark.parametrize("https", [False, True])
def test_a_page_is_shown_to_the_network_until_it_is_stopped(page, shipped, https, tmp_path):
    folder = shipped / "exports" / "web"
    shutil.copytree(shipped / "exports" / "digits-openvino", folder, dirs_exist_ok=True)
    (folder / "index.html").write_text("<!doctype html>the page", encoding="utf-8")
    (folder / "page.mjs").write_text("export {};", encoding="utf-8")
    (tmp_path / "private.txt").write_text("private", encoding="utf-8")
    if not (folder / "link.txt").is_symlink():
        (folder / "link.txt").symlink_to(tmp_path / "private.txt")
    refused = page.post("/api/ship/exports/digits-openvino/phone", {"https": https})
    assert refused.status_code == 409
    assert "export the format web first" in refused.json()["message"]
    if https:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(https_module, "PACKAGE", "no_such_package")
            missing = page.post("/api/ship/exports/web/phone", {"https": True})
        assert missing.status_code == 422
        assert "pip install 'convlens[https]'" in missing.json()["message"]
    shown = page.post("/api/ship/exports/web/phone", {"https": https}).json()
    assert shown["state"] == "running"
    assert shown["qr"].startswith("data:image/svg+xml")
    assert shown["address"].startswith("https:" if https else "http:")
    address = (
        f"{shown['address'].partition(':')[0]}://127.0.0.1:{shown['address'].rpartition(':')[2]}"
    )
    context = ssl.create_default_context(cafile=_authority(shipped)) if https else None

    def get(path):
        with urllib.request.urlopen(f"{address}{path}", timeout=120, context=context) as answer:
            return answer.headers["content-type"], answer.read()

    assert get("/") == ("text/html; charset=utf-8", b"<!doctype html>the page")
    assert get("/page.mjs")[0].startswith("text/javascript")
    for path in (
        "/link.txt",
        "/../runs/digits/run.toml",
        "/%2e%2e/%2e%2e/.studio/token",
        "/api/ship",
    ):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(path)
    assert ship(page)["phone"]["opened"] == 1
    (folder / "page.mjs").unlink()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get("/page.mjs")
    page.client.delete("/api/ship/phone", headers=page.headers)
    assert ship(page)["phone"] == {"state": "none"}
    with pytest.raises(urllib.error.URLError):
        get("/")


def _authority(shipped):
    return shipped / ".studio" / "https" / "authority.pem"


def test_an_invitation_is_only_for_those_who_can_come(page, monkeypatch):
    assert page.post("/api/ship/invitation").status_code == 409
    monkeypatch.setattr(page.studio.shipping, "reach", Reach("https://10.0.0.7:1", False, "AB"))
    found = page.post("/api/ship/invitation").json()
    assert found["address"] == f"https://10.0.0.7:1/#token={page.token}"
    assert found["qr"].startswith("data:image/svg+xml")
    camera = ship(page)["camera"]
    assert (camera["is_local"], camera["is_https"]) == (False, True)
    assert camera["command"].endswith("--host 0.0.0.0 --https")
    assert page.token not in page.get("/api/ship").text
    monkeypatch.setattr(shipping_module, "drawn", lambda _address: "")
    assert page.post("/api/ship/invitation").json()["qr"] == ""


PATHS = [
    ("GET", "/api/ship"),
    ("GET", "/api/ship/serving"),
    ("POST", "/api/ship/command"),
    ("POST", "/api/ship/exports"),
    ("DELETE", "/api/ship/exports"),
    ("DELETE", "/api/ship/exports/digits-openvino"),
    ("POST", "/api/ship/exports/digits-openvino/zip"),
    ("POST", "/api/ship/exports/digits-openvino/serve"),
    ("POST", "/api/ship/exports/digits-openvino/phone"),
    ("DELETE", "/api/ship/serving"),
    ("DELETE", "/api/ship/phone"),
    ("POST", "/api/ship/invitation"),
    ("GET", "/api/ship/workspace"),
    ("POST", "/api/ship/workspace/zip"),
    ("POST", "/api/ship/open"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_nothing_ships_without_the_token_or_for_another_site(page, method, path, shipped):
    for headers in ({}, {"X-Convlens-Token": page.key}):
        assert page.client.request(method, path, headers=headers).status_code == 401
    for header in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        found = page.client.request(method, path, headers=page.headers | header)
        assert found.status_code == 403
    assert (shipped / "exports" / "digits-openvino" / "proof.json").is_file()
