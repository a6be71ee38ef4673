"""The page of the interface needs no other server."""

import re

import pytest

from convlens import vendor

FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Put files of our own in the place of the JavaScript package."""
    folder = tmp_path / "swagger-ui-dist"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_bytes(name.encode())
    (folder / "package.json").write_text("{}")
    monkeypatch.setattr(vendor, "FOLDER", tmp_path)
    return folder


def test_the_page_names_files_of_this_server_only(client, files):
    page = client.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r"""(?:src|href)="([^"]+)"|url: '([^']+)'""", page.text)
    named = {first or second for first, second in addresses}
    assert named == {f"docs/{name}" for name in FILES} | {"openapi.json"}
    assert "://" not in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for name, kind in FILES.items():
        file = client.get(f"/docs/{name}")
        assert file.content == name.encode()
        assert file.headers["content-type"].startswith(kind)


def test_the_name_of_a_run_is_text_on_the_page(client, files):
    client.app.title = "</title><script>alert(1)</script>"
    page = client.get("/docs").text
    assert "<script>alert" not in page
    assert "&lt;/title&gt;&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("path", ["package.json", "..%2f..%2fsecret", "../package.json", "x"])
def test_no_other_file_is_served(client, files, path):
    assert client.get(f"/docs/{path}").status_code == 404


def test_without_its_files_the_page_says_what_is_missing(client, tmp_path, monkeypatch):
    monkeypatch.setattr(vendor, "FOLDER", tmp_path)
    for path in ("/docs", "/docs/swagger-ui.css"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "the files of the JavaScript package swagger-ui-dist must be in" in answer.text
