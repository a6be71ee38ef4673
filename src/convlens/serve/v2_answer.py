"""Answers of the Open Inference Protocol: the outputs as JSON, or as bytes behind it."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.classifier.prediction import Prediction
from convlens.serve.v2_models import PREFIX, VERSION
from convlens.serve.v2_request import Inference

Values = NDArray[Any] | list[str]


def write_answer(
    inference: Inference, predictions: Sequence[Prediction], name: str
) -> tuple[bytes, int | None]:
    """Return the body of an answer, and the length of its JSON if tensors come behind it.

    Args:
        inference: What was asked for.
        predictions: A prediction for each image.
        name: The name of the network.
    """
    outputs = []
    behind = []
    for wanted in inference.outputs:
        output, values = _tensor(wanted.name, predictions)
        if wanted.is_binary:
            content = _content(values)
            behind.append(content)
            output["parameters"] = {"binary_data_size": len(content)}
        else:
            output["data"] = values if isinstance(values, list) else values.ravel().tolist()
        outputs.append(output)
    answer: dict[str, Any] = {"model_name": name, "model_version": VERSION}
    if inference.id is not None:
        answer["id"] = inference.id
    answer["outputs"] = outputs
    head = json.dumps(answer, ensure_ascii=False).encode()
    return b"".join([head, *behind]), len(head) if behind else None


def _tensor(name: str, predictions: Sequence[Prediction]) -> tuple[dict[str, Any], Values]:
    """Return an output without its values, and these."""
    values: Values
    if name == "label":
        values = [one.label for one in predictions]
        return {"name": name, "datatype": "BYTES", "shape": [len(values)]}, values
    if name == "probabilities":
        values = np.stack([one.probabilities for one in predictions]).astype("<f4")
        datatype = "FP32"
    else:
        values = np.array([one.known for one in predictions])
        datatype = "BOOL"
    return {"name": name, "datatype": datatype, "shape": list(values.shape)}, values


def _content(values: Values) -> bytes:
    """Return the values of an output as they stand behind the JSON."""
    if not isinstance(values, list):
        return values.tobytes()
    texts = [value.encode() for value in values]
    return b"".join(PREFIX.pack(len(text)) + text for text in texts)
