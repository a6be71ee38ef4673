"""The numbers for Prometheus: they count what happens, and no client can add series to them."""

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from convlens.serve.app import create_app
from convlens.serve.limits import Limits


def numbers(client):
    """Return the numbers of a server by their names and labels."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_images_and_rejections_are_counted(client, examples):
    before = numbers(client)
    assert before["convlens_waiting_images",] == 0
    assert before["convlens_images_total",] == 0
    assert before["convlens_rejected_total", "size"] == 0
    image = examples["00-colours.jpg"].read_bytes()
    for content in (image, image, image[:90], bytes(10**6 + 1)):
        client.post("/predict", content=content, headers={"Content-Type": "image/jpeg"})
    after = numbers(client)
    assert after["convlens_requests_total", "/predict", "200"] == 2
    assert after["convlens_requests_total", "/predict", "422"] == 1
    assert after["convlens_requests_total", "/predict", "413"] == 1
    assert after["convlens_images_total",] == 2
    assert after["convlens_batch_images_sum",] == 2
    assert after["convlens_rejected_total", "size"] == 1
    assert after["convlens_errors_total",] == 0
    assert after["convlens_request_seconds_count", "/predict"] == 4
    assert 0 < after["convlens_request_seconds_sum", "/predict"] < 60


def test_what_is_refused_before_it_is_routed_counts_for_its_route(served):
    with TestClient(create_app(served, Limits(token="a-secret-word"))) as client:
        for path in ("/predict", "/v2/models/x/infer", "/v2/models/x", "/docs", "/nowhere"):
            assert client.post(path).status_code == 401
        client.headers["Authorization"] = "Bearer a-secret-word"
        found = numbers(client)
    routes = ("/predict", "/v2/models/{model}/infer", "/v2/models/{model}", "/docs")
    for route in routes:
        assert found["convlens_requests_total", *sorted([route, "401"])] == 1
    assert found["convlens_requests_total", "401", "other"] == 1


def test_no_client_can_add_series(client):
    client.get("/nowhere")
    client.get("/v2/models/x")
    before = numbers(client)
    for number in range(50):
        client.get("/nowhere/{}".format(number))
        client.get("/v2/models/{}".format(number))
        client.request("M{}".format(number), "/nowhere")
        client.get("/docs", headers={"Host": "h{}".format(number)})
    after = numbers(client)
    assert len(after) <= len(before) + 40  # those of /docs and of /metrics, each with its times
    assert after["convlens_requests_total", "/v2/models/{model}", "404"] == 51
    assert not any("49" in label for key in after for label in key[1:])


def test_applications_count_for_themselves(client, served):
    client.get("/v2")
    with TestClient(create_app(served, Limits())) as other:
        assert ("convlens_requests_total", "/v2", "200") not in numbers(other)
    assert numbers(client)["convlens_requests_total", "/v2", "200"] == 1


def test_a_mistake_in_the_server_is_counted(served):
    app = create_app(served, Limits())

    @app.get("/mistake")
    async def fail() -> None:
        raise ZeroDivisionError

    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.get("/mistake").status_code == 500
        found = numbers(client)
    assert found["convlens_errors_total",] == 1
    assert found["convlens_requests_total", "/mistake", "500"] == 1
