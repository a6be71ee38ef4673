"""The Open Inference Protocol, spoken by a public client of it and by hand."""

import base64
import gc
import json
import threading
import weakref

import numpy as np
import pytest
import tritonclient.http as protocol
from fastapi import FastAPI
from starlette.requests import Request
from starlette.testclient import TestClient
from tritonclient.utils import InferenceServerException

from convlens.serve import v2
from convlens.serve.app import create_app
from convlens.serve.limits import Limits
from convlens.serve.queue import Queue

NAME = "a-run-3"


@pytest.fixture(scope="module")
def triton(port):
    """Return a public client of the protocol."""
    with protocol.InferenceServerClient("127.0.0.1:{}".format(port)) as client:
        yield client


@pytest.fixture(scope="module")
def recorded(served):
    """Return the recorded probabilities of the golden examples."""
    folder = served.predictor.network.folder
    return json.loads((folder / "examples.json").read_text(encoding="utf-8"))


def tensor(values, datatype, **options):
    given = protocol.InferInput("images", list(values.shape), datatype)
    return given.set_data_from_numpy(values, **options)


def assert_answer(found, served, recorded):
    """Compare an answer with what is recorded of the golden examples, and with the labels."""
    expected = np.array(list(recorded.values()))
    np.testing.assert_allclose(found.as_numpy("probabilities"), expected, atol=1e-6)
    labels = [served.predictor.class_names[best] for best in expected.argmax(1)]
    texts = found.as_numpy("label")
    assert [t.decode() if isinstance(t, bytes) else t for t in texts] == labels
    known = expected.max(1) >= served.predictor.threshold
    assert 0 < known.sum() < len(known)
    np.testing.assert_array_equal(found.as_numpy("known"), known)


def test_what_the_server_says_of_itself(triton, served):
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready(NAME)
    assert triton.is_model_ready(NAME, "1")
    assert not triton.is_model_ready(NAME, "2")
    assert not triton.is_model_ready("other")
    assert triton.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    facts = triton.get_model_metadata(NAME)
    assert facts == triton.get_model_metadata(NAME, "1")
    assert facts["inputs"] == [{"name": "images", "datatype": "BYTES", "shape": [-1]}]
    assert {one["name"]: (one["datatype"], one["shape"]) for one in facts["outputs"]} == {
        "probabilities": ("FP32", [-1, 3]),
        "label": ("BYTES", [-1]),
        "known": ("BOOL", [-1]),
    }
    assert json.loads(facts["properties"]["class_names"]) == list(served.predictor.class_names)
    assert json.loads(facts["properties"]["images_as_uint8"]) == [-1, 24, 20, 3]


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_files_as_bytes(triton, served, examples, recorded, shape):
    files = np.array([examples[name].read_bytes() for name in recorded], object).reshape(shape)
    assert_answer(triton.infer(NAME, [tensor(files, "BYTES")]), served, recorded)
    texts = np.array([base64.b64encode(file) for file in files.ravel()], object).reshape(shape)
    given = tensor(texts, "BYTES", binary_data=False)
    wanted = [
        protocol.InferRequestedOutput(name, binary_data=binary)
        for name, binary in (("known", True), ("label", False), ("probabilities", False))
    ]
    found = triton.infer(NAME, [given], outputs=wanted, request_id="貓", model_version="1")
    assert_answer(found, served, recorded)
    assert found.get_response()["id"] == "貓"
    assert found.get_response()["model_name"] == NAME
    assert [one["name"] for one in found.get_response()["outputs"]] == [
        "known",
        "label",
        "probabilities",
    ]


@pytest.mark.parametrize("binary", [True, False])
def test_pixels_as_uint8(triton, served, binary):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 24, 20, 3)).astype(np.uint8)
    found = triton.infer(NAME, [tensor(pixels, "UINT8", binary_data=binary)])
    expected = served.predictor.probabilities(pixels)
    np.testing.assert_allclose(found.as_numpy("probabilities"), expected, atol=1e-6)


def test_only_what_is_asked_for(triton):
    pixels = tensor(np.zeros((1, 24, 20, 3), np.uint8), "UINT8")
    found = triton.infer(NAME, [pixels], outputs=[protocol.InferRequestedOutput("known")])
    assert found.as_numpy("known").shape == (1,)
    assert found.as_numpy("probabilities") is None


def test_the_client_gets_one_clear_line(triton, examples):
    damaged = examples["00-colours.jpg"].read_bytes()[:100]
    files = np.array([examples["01-colours.png"].read_bytes(), damaged], object)
    for values, datatype, text in (
        (files, "BYTES", "image 1: the image is damaged"),
        (np.array([b""], object), "BYTES", "image 0: an image must have content; found 0 bytes"),
        (np.array([b"text"], object), "BYTES", "image 0: this is not an image"),
        (np.zeros((1, 24, 20, 1), np.uint8), "UINT8", r"must be \[n, 24, 20, 3\]; found"),
        (np.zeros((21, 24, 20, 3), np.uint8), "UINT8", "must have 1 to 20 images"),
    ):
        with pytest.raises(InferenceServerException, match=text) as caught:
            triton.infer(NAME, [tensor(values, datatype)])
        assert caught.value.status() == "400"
    with pytest.raises(InferenceServerException, match="no model 'x'; this server has 'a-run-3'"):
        triton.infer("x", [tensor(files, "BYTES")])
    with pytest.raises(InferenceServerException, match="no version '7' of this model") as caught:
        triton.infer(NAME, [tensor(files, "BYTES")], model_version="7")
    assert caught.value.status() == "404"
    with pytest.raises(InferenceServerException, match="must not be compressed") as caught:
        triton.infer(NAME, [tensor(files, "BYTES")], request_compression_algorithm="gzip")
    assert caught.value.status() == "415"


def test_a_large_request_is_read_beside_the_event_loop(client, monkeypatch):
    threads = []

    def read(*arguments):
        threads.append(threading.current_thread().name)
        return original(*arguments)

    original = v2.read_request
    monkeypatch.setattr(v2, "read_request", read)
    data = [200] * (2 * 24 * 20 * 3)
    given = {"name": "images", "datatype": "UINT8", "shape": [2, 24, 20, 3], "data": data}
    path = "/v2/models/{}/infer".format(NAME)
    small = client.post(path, json={"inputs": [given]})
    monkeypatch.setattr(v2, "LARGE", 1000)
    large = client.post(path, json={"inputs": [given]})
    assert large.json() == small.json()
    assert large.json()["outputs"][0]["shape"] == [2, 3]
    assert len(set(threads)) == 2


def test_images_are_freed_also_if_one_of_them_is_damaged(served, examples):
    left = []

    class Watched(Queue):
        async def classify(self, images):
            left.extend(map(weakref.ref, images))
            return await super().classify(images)

    queue = Watched(served, Limits())
    app = FastAPI()
    app.include_router(v2.create_router(queue, Limits()))
    whole = examples["00-colours.jpg"].read_bytes()
    files = [base64.b64encode(content).decode() for content in (whole, whole[:90])]
    given = {"name": "images", "datatype": "BYTES", "shape": [2], "data": files}
    gc.disable()
    try:
        with TestClient(app) as client:
            answer = client.post("/v2/models/{}/infer".format(NAME), json={"inputs": [given]})
            assert answer.status_code == 400
            # The threads forget an image shortly after its answer.
            for _wait in range(2000):
                if not any(ref() for ref in left):
                    break
                threading.Event().wait(0.02)
        assert [ref() for ref in left] == [None, None]
    finally:
        gc.enable()
        queue.close()


def test_the_body_is_freed_when_it_is_read(client, examples, monkeypatch):
    async def look(queue, inference):
        requests = [one for one in gc.get_objects() if isinstance(one, Request)]
        kept.extend(vars(one).get("_body") for one in requests)
        return await classify(queue, inference)

    kept = []
    classify = v2._classify
    monkeypatch.setattr(v2, "_classify", look)
    files = [base64.b64encode(examples["00-colours.jpg"].read_bytes()).decode()]
    given = {"name": "images", "datatype": "BYTES", "shape": [1], "data": files}
    answer = client.post("/v2/models/{}/infer".format(NAME), json={"inputs": [given]})
    assert answer.status_code == 200
    assert set(kept) == {None}


def test_a_server_that_stops_is_not_ready(served):
    with TestClient(create_app(served, Limits())) as client:
        assert client.get("/v2/health/ready").json() == {"live": True, "ready": True}
    for path in ("/v2/health/ready", "/v2/models/{}/ready".format(NAME)):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.json() == {"error": "the server is stopping."}
    assert client.get("/v2/health/live").json() == {"live": True}
