"""The description of the interface names what the server takes and what it answers."""

from starlette.testclient import TestClient

from convlens.serve.app import create_app
from convlens.serve.limits import Limits

INFER = "/v2/models/{model}/infer"


def test_every_body_and_every_error_is_described(client):
    found = client.get("/openapi.json").json()
    predict = found["paths"]["/predict"]["post"]
    infer = found["paths"][INFER]["post"]
    assert set(predict["requestBody"]["content"]) == {
        "image/jpeg",
        "image/png",
        "application/octet-stream",
        "multipart/form-data",
    }
    errors = {"400", "408", "413", "415", "503"}
    assert set(predict["responses"]) == errors | {"200", "422"}
    assert set(infer["responses"]) == errors | {"200", "404"}
    for operation in (predict, infer):
        for status in errors:
            schema = operation["responses"][status]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}
    inputs = found["components"]["schemas"]["InferenceRequest"]["properties"]["inputs"]
    assert inputs["items"] == {"$ref": "#/components/schemas/InputTensor"}
    (name,) = infer["parameters"]
    assert name["schema"]["enum"] == ["a-run-3"]
    assert client.get("/").json()["infer"] == INFER.format(model="a-run-3")


def test_the_example_is_answered(client):
    found = client.get("/openapi.json").json()
    body = found["paths"][INFER]["post"]["requestBody"]["content"]["application/json"]
    answer = client.post(INFER.format(model="a-run-3"), json=body["example"])
    assert answer.status_code == 200
    assert answer.json()["outputs"][0]["name"] == "probabilities"


def test_a_token_is_described_where_one_is_needed(client, served):
    assert "securitySchemes" not in client.get("/openapi.json").json()["components"]
    with TestClient(create_app(served, Limits(token="secret"))) as other:
        assert other.get("/openapi.json").status_code == 401
        other.headers["Authorization"] = "Bearer secret"
        found = other.get("/openapi.json").json()
    assert found["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}
    for path, operations in found["paths"].items():
        for operation in operations.values():
            is_open = path.startswith("/v2/health")
            assert ("401" in operation["responses"]) != is_open
            assert ("security" in operation) != is_open
