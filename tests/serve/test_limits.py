"""What a request may be: its token, its size, and how much may wait."""

import pytest
from starlette.testclient import TestClient

from convlens.serve.app import create_app
from convlens.serve.limits import BodyMiddleware, Limits, Refusal, preferred_language
from tests.serve.conftest import answer_of

JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture
def locked(served):
    """Return a client of an application that wants a token."""
    with TestClient(create_app(served, Limits(token="a-secret-word"))) as opened:
        yield opened


@pytest.mark.parametrize("given", [None, "", "a-secret-word", "Bearer", "Basic a-secret-word"])
def test_a_request_without_a_token_is_refused(locked, given):
    headers = {} if given is None else {"Authorization": given}
    for path in ("/", "/predict", "/metrics", "/docs", "/openapi.json", "/v2", "/nothing"):
        answer = locked.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "needs its token" in answer.json()["error"]


@pytest.mark.parametrize("given", ["Bearer a-secret-wor", "bearer a-secret-word2", "Bearer é"])
def test_another_token_is_refused_without_repeating_either(locked, given):
    for path in ("/", "/predict", "/metrics", "/docs", "/openapi.json", "/v2", "/nothing"):
        answer = locked.get(path, headers={"Authorization": given.encode()})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        text = "the token of the request is not that of this server."
        assert answer.json() == {"error": text}


def test_the_token_opens_everything(locked, examples):
    headers = {"Authorization": "Bearer a-secret-word"}
    assert locked.get("/", headers=headers).status_code == 200
    content = examples["00-colours.jpg"].read_bytes()
    answer = locked.post("/predict", content=content, headers=headers | JPEG)
    assert answer.status_code == 200


def test_probes_need_no_token(locked):
    assert locked.get("/v2/health/live").status_code == 200
    assert locked.get("/v2/health/ready").status_code == 200


def chunks(number):
    for _chunk in range(number):
        yield b"x" * 10**5


@pytest.mark.parametrize("path", ["/predict", "/v2/models/a-run-3/infer"])
def test_a_body_that_is_too_large_is_refused(client, path):
    for content in (b"x" * (10**6 + 1), chunks(11)):
        answer = client.post(path, content=content, headers=JPEG)
        assert answer.status_code == 413
        assert answer.json()["error"].startswith("a request may have 1 MB at most")
    assert client.post(path, content=b"x" * 10**6, headers=JPEG).status_code in (400, 422)


def test_a_length_that_is_too_large_is_refused_before_the_body_is_read():
    async def ask():
        async def unread():
            raise AssertionError("the body was read")

        async def answer(message):
            said.append(message)

        said = []
        scope = {"type": "http", "headers": [(b"content-length", b"11")]}
        await BodyMiddleware(None, Limits(max_bytes=10))(scope, unread, answer)
        return said[0]["status"]

    assert answer_of(ask()) == 413


def test_all_bodies_together_are_bounded():
    async def ask():
        async def endless():
            return {"type": "http.request", "body": b"x" * 10, "more_body": True}

        async def read(_scope, receive, _send):
            read_bytes.append(0)
            while True:
                read_bytes[-1] += len((await receive())["body"])

        read_bytes = []
        limited = BodyMiddleware(read, Limits(max_bytes=1000, max_held=25))
        scope = {"type": "http", "headers": []}
        for _request in range(2):
            with pytest.raises(Refusal, match="megabytes") as refused:
                await limited(scope, endless, None)
            assert refused.value.status_code == 503
        assert limited.held == 0
        return read_bytes

    assert answer_of(ask()) == [20, 20]


def test_too_many_parts_are_refused(client):
    part = b'--a\r\nContent-Disposition: form-data; name="x"; filename="y"\r\n\r\nz\r\n'
    field = b'--a\r\nContent-Disposition: form-data; name="x"\r\n\r\nz\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=a"}
    for body in (21 * part, 41 * field, 10_000 * field):
        answer = client.post("/predict", content=body + b"--a--\r\n", headers=headers)
        assert answer.status_code == 413
        assert answer.json()["error"] == "a request may have 20 images at most."
    answer = client.post("/predict", content=20 * part + b"--a--\r\n", headers=headers)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh-Hant-TW", "zh"),
        ("en-GB,zh;q=0.9", "en"),
        ("*", "en"),
        ("zh;q=nan, en;q=inf", "en"),
        ("zh;q=0", "en"),
        ("," * 500 + "zh", "zh"),
        ("x" * 2000 + ",zh", "en"),
    ],
)
def test_the_language_that_a_client_prefers(accepted, language):
    assert preferred_language(accepted) == language
