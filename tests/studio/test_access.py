"""Who may ask the studio: token, key, Host and Origin, and what answers forbid."""

import base64
import hashlib
import re
import stat

import pytest

from tests.studio.conftest import HOST

CHANGES = [
    ("POST", "/api/classes", b'{"name": "bird"}'),
    ("POST", "/api/undo", b""),
    ("POST", "/api/audit", b""),
    ("POST", "/api/imports", b""),
    ("POST", "/api/trash/empty", b""),
    ("POST", "/api/trainings", b'{"way": "small"}'),
    ("POST", "/api/trainings/plan", b'{"way": "small", "begin": true}'),
    ("POST", "/api/trainings/continue", b'{"run": "small"}'),
    ("POST", "/api/trainings/1/stop", b""),
    ("DELETE", "/api/trainings/1", b""),
    ("POST", "/api/try/open", b'{"run": "first"}'),
    ("POST", "/api/try?run=first", b""),
    ("POST", "/api/try/why?run=first", b""),
    ("POST", "/api/try/neighbours?run=first", b""),
]


@pytest.mark.parametrize(
    "path",
    [
        "/api/state",
        "/api/images",
        "/api/findings",
        "/api/changes",
        "/api/trainings",
        "/api/try/status",
    ],
)
@pytest.mark.parametrize("token", [None, "", "x" * 48, "é"])
def test_nothing_is_told_without_the_token(own, path, token):
    headers = {} if token is None else {"X-Convlens-Token": token.encode()}
    found = own.client.get(path, headers=headers)
    assert found.status_code == 401
    assert found.json()["message"].startswith("this needs the token of the studio")


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_nothing_is_changed_without_the_token(own, method, path, body):
    before = own.state()
    # Neither where images have their key, nor with the key of the images.
    for headers in ({}, {"X-Convlens-Token": own.key}, {"Cookie": f"token={own.token}"}):
        found = own.client.request(
            method, f"{path}?token={own.token}&key={own.token}", content=body, headers=headers
        )
        assert found.status_code == 401
    after = own.state()
    assert {name: after[name] for name in ("version", "classes", "undo")} == {
        name: before[name] for name in ("version", "classes", "undo")
    }


def test_images_need_their_key_which_opens_nothing_else(own):
    row = own.rows()["cat/1.png"]
    path = f"/images/{row['id']}/thumb"
    assert own.client.get(path).status_code == 401
    assert own.client.get(f"{path}?key=x").status_code == 401
    assert own.client.get(f"{path}?key={own.token}").status_code == 401
    assert own.client.get(f"{path}?key={own.key}").status_code == 200
    assert own.get("/api/state", **{"X-Convlens-Token": own.key}).status_code == 401


def test_what_is_open_to_all_does_not_hold_the_token(own):
    for path in ("/", "/page/main.js", "/texts.json", "/vendor/preact.mjs"):
        found = own.client.get(path)
        assert found.status_code == 200
        assert own.token not in found.text
        assert own.key not in found.text
        assert "set-cookie" not in found.headers


def test_the_token_is_the_users_alone(own):
    path = own.studio.workspace.places.hidden / "token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(own.token) == 48
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


# Host and Origin are checked (DNS rebinding, cross-site posts).


@pytest.mark.parametrize(
    "host",
    ["evil.example:8765", "127.0.0.1.evil.example:8765", "127.0.0.1", "127.0.0.1:80", "", "[::1]"],
)
@pytest.mark.parametrize("path", ["/", "/api/state", "/texts.json"])
def test_a_name_that_somebody_lets_point_here_opens_nothing(own, host, path):
    found = own.get(path, Host=host)
    assert found.status_code == 403
    assert "own address" in found.json()["message"]


@pytest.mark.parametrize("host", [HOST, "localhost:8765", "LOCALHOST:8765", "[::1]:8765"])
def test_the_names_of_this_computer_are_answered(own, host):
    assert own.get("/api/state", Host=host).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8765"]
)
@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_another_site_changes_nothing_even_with_the_token(own, origin, method, path, body):
    version = own.state()["version"]
    headers = own.headers | {"Origin": origin}
    found = own.client.request(method, path, content=body, headers=headers)
    assert found.status_code == 403
    assert "another site" in found.json()["message"]
    assert own.state()["version"] == version


def test_the_page_itself_may_send_its_origin(own):
    assert own.post("/api/classes", {"name": "x"}, Origin=f"http://{HOST}").status_code == 201


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_embeds_nothing(own, site):
    row = own.rows()["cat/1.png"]
    for path in ("/api/state", f"/images/{row['id']}/thumb?key={own.key}", "/page/main.js"):
        assert own.get(path, **{"Sec-Fetch-Site": site}).status_code == 403
    framed = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert own.get("/", **framed).status_code == 403
    clicked = framed | {"Sec-Fetch-Dest": "document"}
    assert own.get("/", **clicked).status_code == 200


def test_no_site_may_read_answers(own):
    found = own.client.options("/api/state", headers={"Origin": f"http://{HOST}"})
    assert "access-control-allow-origin" not in found.headers
    assert found.headers["cross-origin-resource-policy"] == "same-origin"


# Answers forbid foreign scripts.


def test_every_answer_forbids_foreign_scripts(own):
    row = own.rows()["cat/1.png"]
    for path in ("/", "/page/main.js", "/api/state", "/nowhere", f"/images/{row['id']}/thumb"):
        found = own.get(path)
        policy = found.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "frame-ancestors 'none'" in policy
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["referrer-policy"] == "no-referrer"


def test_the_policy_allows_the_one_script_that_is_inside_the_page(own):
    found = own.client.get("/")
    inside = re.findall(r"<script(?![^>]*src=)[^>]*>(.*?)</script>", found.text, re.DOTALL)
    assert len(inside) == 1
    digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in found.headers["content-security-policy"]
