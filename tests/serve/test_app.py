"""`POST /predict` gives what `convlens predict` says, and refuses what is no image."""

import io
import json
import zlib

import pytest
from PIL import Image
from starlette.testclient import TestClient

from convlens.serve.app import create_app
from convlens.serve.limits import Limits

JPEG = {"Content-Type": "image/jpeg"}


def assert_says(found, expected, served):
    assert found["label"] == expected.label
    assert found["known"] == expected.known
    assert list(found["probabilities"]) == list(served.predictor.class_names)
    assert list(found["probabilities"].values()) == pytest.approx(expected.probabilities, abs=1e-6)
    assert found["probability"] == max(found["probabilities"].values())
    assert 0 < found["milliseconds"] < 10_000


@pytest.mark.parametrize("kind", ["image/jpeg", "IMAGE/anything", "application/octet-stream"])
def test_one_image_in_the_body(client, served, examples, kind):
    path = examples["00-colours.jpg"]
    answer = client.post("/predict", content=path.read_bytes(), headers={"Content-Type": kind})
    assert answer.status_code == 200
    assert_says(answer.json(), served.predictor.predict(path)[0], served)
    assert answer.json()["image"] == ""


def test_a_body_without_a_type_is_an_image(client, examples):
    request = client.build_request("POST", "/predict", content=examples["03-grey.png"].read_bytes())
    assert "content-type" not in request.headers
    assert client.send(request).status_code == 200


def test_several_images_are_answered_in_their_order(client, served, examples):
    files = [("any", (name, path.read_bytes())) for name, path in examples.items()]
    answer = client.post("/predict", files=files, data={"a field": "of a form"})
    assert answer.status_code == 200
    found = answer.json()
    assert [one["image"] for one in found] == list(examples)
    expected = served.predictor.predict(list(examples.values()))
    assert len({one.label for one in expected}) > 1
    assert {one.known for one in expected} == {True, False}
    for one, other in zip(found, expected, strict=True):
        assert_says(one, other, served)


def test_one_part_is_a_list_of_one(client, examples):
    answer = client.post("/predict", files={"image": examples["00-colours.jpg"].read_bytes()})
    assert len(answer.json()) == 1


def test_a_damaged_image_among_others_has_its_error(client, examples):
    whole = examples["01-colours.png"].read_bytes()
    files = [("a", ("a.png", whole)), ("b", ("b.png", whole[:500])), ("c", ("c.txt", b"text"))]
    answer = client.post("/predict", files=files)
    assert answer.status_code == 200
    first, second, third = answer.json()
    assert "error" not in first
    assert second["image"] == "b.png"
    assert second["error"].startswith("b.png: the image is damaged (")
    assert third["error"].startswith("c.txt: this is not an image that can be read")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an image must have content; found 0 bytes"),
        (b"hello", "this is not an image that can be read (.jpg, .jpeg, .png"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "this is not an"),
    ],
)
def test_what_is_no_image_is_refused(client, content, message):
    answer = client.post("/predict", content=content, headers=JPEG)
    assert answer.status_code == 422
    assert message in answer.json()["error"]


def test_an_image_beyond_the_limit_is_refused_before_it_is_decoded(client):
    stream = io.BytesIO()
    Image.new("1", (9, 9)).save(stream, "PNG")
    content = bytearray(stream.getvalue())
    content[16:24] = (100_001).to_bytes(4, "big") + (1_000).to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    answer = client.post("/predict", content=bytes(content), headers=JPEG)
    assert answer.status_code == 422
    assert "100 million pixels at most; found 100001 x 1000" in answer.json()["error"]


def test_all_damaged_images_are_an_error(client):
    answer = client.post("/predict", files=[("a", ("a", b"x")), ("b", ("b", b"y"))])
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("a: this is not an image")


def test_a_compressed_body_is_refused(client):
    headers = {"Content-Type": "image/png", "Content-Encoding": "gzip"}
    answer = client.post("/predict", content=b"x", headers=headers)
    assert answer.status_code == 415
    assert "compressed" in answer.json()["error"]


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/mixed", "x"])
def test_another_type_is_refused(client, kind):
    answer = client.post("/predict", content=b"{}", headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert f"found {kind}" in answer.json()["error"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"--a--\r\n",
        b"no boundary",
        b'--a\r\nContent-Disposition: form-data; name="x"; filename="y"\r\n\r\ncut',
        b'--a\r\nContent-Disposition: form-data; name="x"\r\n\r\nfield\r\n--a--\r\n',
        b"--a\r\nbroken header\r\n\r\n--a--\r\n",
    ],
)
@pytest.mark.parametrize("boundary", ["; boundary=a", ""])
def test_damaged_multipart_bodies_are_refused(client, content, boundary, capfd):
    headers = {"Content-Type": f"multipart/form-data{boundary}"}
    answer = client.post("/predict", content=content, headers=headers)
    assert answer.status_code in (400, 422)
    assert set(answer.json()) == {"error"}
    assert capfd.readouterr().err == ""


def test_a_name_is_an_echoed_text_only(client, examples, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept = tmp_path / "kept.jpg"
    kept.write_bytes(b"mine")
    names = ["../../etc/passwd", str(kept), "a%0D%0Ab\x1b[31m", "貓.jpg", "x" * 1000, "-", ""]
    body = b""
    for name in names:
        body += b'--a\r\nContent-Disposition: form-data; name="f"; filename="'
        body += name.encode() + b'"\r\n\r\n' + examples["00-colours.jpg"].read_bytes() + b"\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=a"}
    answer = client.post("/predict", content=body + b"--a--\r\n", headers=headers)
    assert answer.status_code == 200
    assert [one["image"] for one in answer.json()] == names
    assert len({one["probability"] for one in answer.json()}) == 1
    assert list(tmp_path.iterdir()) == [kept]
    assert kept.read_bytes() == b"mine"


def test_large_parts_do_not_reach_the_disk(served, examples, monkeypatch):
    def refuse(*_given, **_options):
        raise AssertionError("a file was opened to be written")

    for name in ("NamedTemporaryFile", "SpooledTemporaryFile", "TemporaryFile", "mkstemp"):
        monkeypatch.setattr(f"tempfile.{name}", refuse)
    content = examples["00-colours.jpg"].read_bytes() + bytes(3 * 10**6)
    with TestClient(create_app(served, Limits(max_bytes=10**7))) as client:
        answer = client.post("/predict", files={"a": content, "b": ("b", content)})
    assert answer.status_code == 200


def test_errors_are_in_the_language_of_the_client(client):
    headers = JPEG | {"Accept-Language": "fr, zh-TW;q=0.9, en;q=0.5"}
    for path, method in (("/predict", "POST"), ("/predict", "GET"), ("/nothing", "GET")):
        error = client.request(method, path, headers=headers).json()["error"]
        assert any("\u4e00" <= sign <= "\u9fff" for sign in error), error
    assert client.get("/nothing").json()["error"].startswith("there is nothing at this path")
    assert client.get("/predict").status_code == 405


def test_the_first_page_says_what_is_served(client, served):
    found = client.get("/").json()
    assert found["class_names"] == list(served.predictor.class_names)
    assert found["engine"].startswith("openvino 20")
    assert found["threshold"] == 0.6
    assert found["predict"] == "/predict"


def test_a_fault_is_said_without_a_traceback(served, monkeypatch, examples):
    def fail(_images):
        raise RuntimeError("secret")

    monkeypatch.setitem(served.__dict__, "engine", served.engine._replace(alone=fail))
    with TestClient(create_app(served, Limits()), raise_server_exceptions=False) as client:
        content = examples["00-colours.jpg"].read_bytes()
        answer = client.post("/predict", content=content, headers=JPEG)
    assert answer.status_code == 500
    assert json.loads(answer.text) == {"error": "the server has made a mistake."}
