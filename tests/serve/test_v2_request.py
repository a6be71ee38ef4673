"""Requests of the Open Inference Protocol: what is read of them, and what is refused."""

import base64
import json
import struct

import numpy as np
import pytest

from convlens.errors import DataError
from convlens.serve.v2_request import Wanted, read_request

SHAPE = (2, 3, 1)
PIXELS = {"name": "images", "datatype": "UINT8", "shape": [1, 2, 3, 1], "data": [1, 2, 3, 4, 5, 6]}
FILES = {"name": "images", "datatype": "BYTES", "shape": [2], "data": ["YQ==", ""]}


def read(request, behind=b"", length=None):
    """Read a request as a server does; `length` is the header, which is right if it is None."""
    head = request if isinstance(request, bytes) else json.dumps(request).encode()
    if behind and length is None:
        length = str(len(head))
    return read_request(head + behind, length, SHAPE, most=4)


def framed(*files, byteorder="little"):
    return b"".join(len(file).to_bytes(4, byteorder) + file for file in files)


def behind(datatype, shape, size):
    return {"name": "images", "datatype": datatype, "shape": shape} | {
        "parameters": {"binary_data_size": size}
    }


def test_files_in_json_are_base64():
    content = bytes(range(256))
    data = [base64.b64encode(content).decode(), "YQ=="]
    assert read({"inputs": [FILES | {"data": data}]}).images == [content, b"a"]
    nested = FILES | {"shape": [2, 1], "data": [["Yg=="], ["YQ=="]]}
    assert read({"inputs": [nested]}).images == [b"b", b"a"]


def test_pixels_in_json_are_flat_or_nested():
    expected = np.arange(12).reshape(2, 2, 3, 1)
    for data in (expected.tolist(), expected.ravel().tolist()):
        found = read({"inputs": [PIXELS | {"shape": [2, 2, 3, 1], "data": data}]}).images
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, expected)


def test_tensors_behind_the_json():
    files = framed(b"ab", b"", b"c")
    request = {"inputs": [behind("BYTES", [3, 1], len(files))]}
    assert read(request, files).images == [b"ab", b"", b"c"]
    pixels = bytes(range(250, 256))
    found = read({"inputs": [behind("UINT8", [1, *SHAPE], 6)]}, pixels).images
    np.testing.assert_array_equal(found.ravel(), [250, 251, 252, 253, 254, 255])


def test_outputs_are_those_that_are_asked_for():
    inputs = {"inputs": [PIXELS]}
    every = ("probabilities", "label", "known")
    assert read(inputs).outputs == tuple(Wanted(name, False) for name in every)
    assert read(inputs | {"outputs": []}).outputs == tuple(Wanted(name, False) for name in every)
    binary = inputs | {"parameters": {"binary_data_output": True, "priority": 3}}
    assert read(binary).outputs == tuple(Wanted(name, True) for name in every)
    outputs = [{"name": "known"}, {"name": "label", "parameters": {"binary_data": False}}]
    found = read(binary | {"outputs": outputs, "id": "7"})
    assert found.outputs == (Wanted("known", True), Wanted("label", False))
    assert found.id == "7"
    assert read(inputs).id is None


OPEN = b'{"inputs": [{"name": "images", "datatype": "UINT8", "shape": [1, 2, 3, 1], "data": '
MALFORMED = {
    "no JSON": (b"\x89PNG", "the body: Invalid JSON"),
    "nothing": (b"", "the body: Invalid JSON"),
    "other JSON": (b"[1]", "the body: Input should be an object"),
    "deep": (OPEN + b"[" * 100_000 + b"]" * 100_000 + b"}]}", "recursion limit"),
    "half a character": (b'{"id": "\\ud800", "inputs": []}', "Invalid JSON"),
    "digits": (OPEN + b"9" * 5000 + b"}]}", "number out of range"),
    "id": ({"id": 3, "inputs": [PIXELS]}, "id: Input should be a valid string"),
    "no inputs": ({}, "inputs: Field required"),
    "two inputs": ({"inputs": [PIXELS, PIXELS]}, "inputs: List should have at most 1 item"),
    "name": ({"inputs": [PIXELS | {"name": "x"}]}, "name: Input should be 'images'"),
    "datatype": ({"inputs": [PIXELS | {"datatype": "FP32"}]}, "should be 'BYTES' or 'UINT8'"),
    "true in shape": ({"inputs": [PIXELS | {"shape": [True, 2, 3, 1]}]}, "valid integer"),
    "float in shape": ({"inputs": [PIXELS | {"shape": [1.0, 2, 3, 1]}]}, "valid integer"),
    "negative": ({"inputs": [PIXELS | {"shape": [-1, 2, 3, 1]}]}, "greater than or equal to 0"),
    "2^64": ({"inputs": [PIXELS | {"shape": [2**64, 2, 3, 1]}]}, "inputs[0].shape[0]"),
    "2^62": ({"inputs": [PIXELS | {"shape": [2**62, 2, 3, 1]}]}, "1 to 4 images"),
    "no image": ({"inputs": [PIXELS | {"shape": [0, 2, 3, 1], "data": []}]}, "says 0"),
    "other size": ({"inputs": [PIXELS | {"shape": [1, 3, 2, 1]}]}, "[n, 2, 3, 1]; found [1, 3,"),
    "overflow": ({"inputs": [PIXELS | {"shape": [2**62, 2**62, 4, 4]}]}, "must be [n, 2, 3, 1]"),
    "files in rows": ({"inputs": [FILES | {"shape": [1, 2]}]}, "must be [n]; found [1, 2]"),
    "no shape": ({"inputs": [FILES | {"shape": []}]}, "must be [n]; found []"),
    "few": ({"inputs": [PIXELS | {"data": [1, 2]}]}, "must have 6 values"),
    "no data": ({"inputs": [FILES | {"data": None}]}, "either data or the parameter"),
    "ragged": ({"inputs": [PIXELS | {"data": [[[1], [2], [3]], [4, 5, 6]]}]}, "6 values"),
    "mixed": ({"inputs": [PIXELS | {"data": [[[[1], [2], [3]], 7]]}]}, "6 values"),
    "256": ({"inputs": [PIXELS | {"data": [1, 2, 3, 4, 5, 256]}]}, "0 to 255; found 256"),
    "-1": ({"inputs": [PIXELS | {"data": [-1, 2, 3, 4, 5, 6]}]}, "0 to 255; found -1"),
    "true": ({"inputs": [PIXELS | {"data": [True, 2, 3, 4, 5, 6]}]}, "found True"),
    "0.5": ({"inputs": [PIXELS | {"data": [0.5, 2, 3, 4, 5, 6]}]}, "found 0.5"),
    "NaN": (OPEN + b"[NaN, 2, 3, 4, 5, 6]}]}", "0 to 255; found nan"),
    "infinity": (OPEN + b"[1e999, 2, 3, 4, 5, 6]}]}", "found inf"),
    "text": ({"inputs": [PIXELS | {"data": ["x" * 10**6, 2, 3, 4, 5, 6]}]}, "found 'xxx"),
    "object": ({"inputs": [PIXELS | {"data": [{}, 2, 3, 4, 5, 6]}]}, "found {}"),
    "no base64": ({"inputs": [FILES | {"data": ["YQ==", "貓"]}]}, "found '貓' as image 1"),
    "short base64": ({"inputs": [FILES | {"data": ["YQ", "YQ=="]}]}, "as image 0"),
    "spaces": ({"inputs": [FILES | {"data": ["Y Q==", "YQ=="]}]}, "files in base64"),
    "a number": ({"inputs": [FILES | {"data": [7, "YQ=="]}]}, "found 7 as image 0"),
    "null": ({"inputs": [FILES | {"data": [None, "YQ=="]}]}, "found None as image 0"),
    "a list": ({"inputs": [FILES | {"data": [["YQ=="], ["YQ=="]]}]}, "as image 0"),
    "output": ({"inputs": [PIXELS], "outputs": [{"name": "x"}]}, "outputs[0].name"),
    "twice": ({"inputs": [PIXELS], "outputs": [{"name": "label"}] * 2}, "once only"),
    "classes": (
        {
            "inputs": [PIXELS],
            "outputs": [{"name": "probabilities", "parameters": {"classification": 2}}],
        },
        "the parameter classification is not supported",
    ),
    "memory": (
        {"inputs": [{**PIXELS, "parameters": {"shared_memory_region": "x"}}]},
        "the parameter shared_memory_region is not supported",
    ),
    "announced": ({"inputs": [behind("UINT8", [1, *SHAPE], 6)]}, "found 0 bytes, where 6"),
    "text as size": ({"inputs": [behind("UINT8", [1, *SHAPE], "6")]}, "binary_data_size"),
    "size below 0": ({"inputs": [behind("UINT8", [1, *SHAPE], -6)]}, "greater than or equal to 0"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_refused_in_one_sentence(name):
    request, text = MALFORMED[name]
    with pytest.raises(DataError) as caught:
        read(request)
    said = str(caught.value)
    assert text in said
    assert "\n" not in said
    assert len(said) < 300


@pytest.mark.parametrize("part", [b"[],", b"1,", b"{},", b"[[1]],", b'"a",'])
def test_a_request_with_very_many_values_is_refused_at_once(part, monkeypatch):
    monkeypatch.setattr("convlens.serve.v2_request.MOST_VALUES", 1000)
    for start in (OPEN + b"[", b'{"inputs": [], "x": ['):
        assert len(read_signs(start + 900 * part + b"1]}]}")) > 0
        with pytest.raises(DataError, match="about 1,000 values; found more"):
            read(start + 3001 * part + b"1]}]}")


def read_signs(request):
    """Return what is said of a request that is not refused for its size."""
    with pytest.raises(DataError) as caught:
        read(request)
    assert "values; found more" not in str(caught.value)
    return str(caught.value)


def test_an_image_of_the_network_is_taken_however_large_it_is(monkeypatch):
    monkeypatch.setattr("convlens.serve.v2_request.MOST_VALUES", 10)
    shape = (200, 300, 1)
    pixels = np.arange(60_000).reshape(1, *shape) % 256
    given = {"name": "images", "datatype": "UINT8", "shape": [1, *shape], "data": pixels.tolist()}
    found = read_request(json.dumps({"inputs": [given]}).encode(), None, shape, 4)
    np.testing.assert_array_equal(found.images, pixels)


@pytest.mark.parametrize(
    ("datatype", "shape", "content", "text"),
    [
        ("UINT8", [1, *SHAPE], b"12345", "have 6 bytes; found 5"),
        ("UINT8", [2, *SHAPE], b"123456", "have 12 bytes; found 6"),
        ("BYTES", [2], framed(b"a"), "2 files, each after its length"),
        ("BYTES", [1], framed(b"a", b"b"), "found 1 whole files and 5 bytes after them"),
        ("BYTES", [1], framed(b"abc")[:-1], "found 0 whole files and 6 bytes"),
        ("BYTES", [1], b"\x01\x00", "found 0 whole files and 2 bytes"),
        ("BYTES", [1], framed(b"abc", byteorder="big"), "found 0 whole files"),
        ("BYTES", [1], b"\xff\xff\xff\xff" + b"a", "found 0 whole files"),
        ("BYTES", [4], struct.pack("<4I", 0, 0, 0, 9), "found 3 whole files and 4 bytes"),
    ],
)
def test_a_tensor_behind_the_json_that_is_not_whole(datatype, shape, content, text):
    request = {"inputs": [behind(datatype, shape, len(content))]}
    with pytest.raises(DataError) as caught:
        read(request, content)
    assert text in str(caught.value)


@pytest.mark.parametrize("length", ["-1", "9999", "1e3", "0x10", "", "٣", "1_0", "9" * 5000])
def test_the_length_of_the_json_must_be_a_number_of_bytes(length):
    with pytest.raises(DataError, match="Inference-Header-Content-Length must be a number"):
        read({"inputs": [PIXELS]}, length=length)


def test_the_length_of_the_json_must_be_right():
    content = framed(b"ab", b"c")
    request = {"inputs": [behind("BYTES", [2], len(content))]}
    whole = len(json.dumps(request))
    for length in (0, 1, whole - 1, whole + 1):
        with pytest.raises(DataError):
            read(request, content, length=str(length))
    with pytest.raises(DataError, match="found 3 bytes, where 0 were announced"):
        read({"inputs": [PIXELS]}, b"abc")
    both = PIXELS | {"parameters": {"binary_data_size": 6}}
    with pytest.raises(DataError, match="either data or the parameter"):
        read({"inputs": [both]}, b"123456")
