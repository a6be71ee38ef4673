"""`POST /predict` gives what `convlens predict` says."""

import pytest


def test_one_image_in_the_body(client, served, examples):
    path = examples["00-colours.jpg"]
    answer = client.post(
        "/predict", content=path.read_bytes(), headers={"Content-Type": "image/jpeg"}
    )
    (expected,) = served.predictor.predict(path)
    assert answer.status_code == 200
    found = answer.json()
    assert found["label"] == expected.label
    assert found["known"] == expected.known
    assert list(found["probabilities"]) == list(served.predictor.class_names)
    assert list(found["probabilities"].values()) == pytest.approx(expected.probabilities, abs=1e-6)
    assert found["probability"] == max(found["probabilities"].values())
    assert 0 < found["milliseconds"] < 10_000
