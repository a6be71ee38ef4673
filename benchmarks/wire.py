"""Wire: requests as bytes, good ones and damaged ones, and what comes back for them."""

import base64
import json
import re
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from damage import IMAGES, changed, save_image

from convlens.serve.v2 import model_name

SHARES = {
    "image": 0.35,
    "parts": 0.1,
    "tensor": 0.15,
    "behind": 0.1,
    "cut": 0.08,
    "length": 0.05,
    "chunks": 0.07,
    "head": 0.07,
    "path": 0.03,
}
BYTES = bytes(range(256))
LETTERS = b'{}[]",:.-0123456789eEtrufalsn \\/'
PATIENCE = 30.0  # seconds for an answer that must come
IMPATIENCE = 0.02  # seconds for one that need not
PATHS = (
    "/",
    "//",
    "/.",
    "/..",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/docs/..%2f..%2fpyproject.toml",
    "/predict/",
    "/predict%00",
    "/v2/models//infer",
    "/v2/models/%ff/infer",
    "/v2/models/../../x",
    "/docs/%00",
    "/openapi.json?%",
    "/metrics/../predict",
    "*",
    "http://x/predict",
    "/" + "a" * 9000,
)
LENGTHS = (
    "-1",
    "0",
    "5",
    "1e3",
    "99999999999999999999",
    "4294967296",
    "0x10",
    "+5",
    "5, 6",
    "",
    "٣",
)


@dataclass(frozen=True)
class Case:
    """A request as it goes over the wire.

    Attributes:
        kind: What was done to it.
        content: Its bytes.
        must_be_answered: Whether an answer is due. If not, the connection is cut soon.
        image: The image in it, whose prediction can be compared; None if there is no such image.
    """

    kind: str
    content: bytes
    must_be_answered: bool = True
    image: bytes | None = None


def post(path: str, body: bytes, content_type: str, **headers: object) -> bytes:
    """Return a good request with a body, as it goes over the wire."""
    given = {"Content_Type": content_type, "Content_Length": len(body)} | headers
    lines = "".join(f"{key.replace('_', '-')}: {value}\r\n" for key, value in given.items())
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode() + body


def exchange(port: int, case: Case) -> tuple[int | None, bytes]:
    """Send a request and return the status and the body of its answer; None if none came."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        with suppress(OSError):  # the server may have answered and closed before the end
            connection.sendall(case.content)
        connection.settimeout(PATIENCE if case.must_be_answered else IMPATIENCE)
        answer = b""
        with suppress(OSError):
            while _whole(answer) is None and (part := connection.recv(1 << 16)):
                answer += part
    return _whole(answer) or (None, answer)


def _whole(answer: bytes) -> tuple[int, bytes] | None:
    """Return the status and the body of the first answer; None if it is not whole."""
    head, separator, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    if not separator or length is None or len(body) < int(length[1]):
        return None
    return int(head.split()[1]), body[: int(length[1])]


class Damage:
    """Makes damaged requests; the methods named in SHARES give one each."""

    def __init__(self, name: str, shape: tuple[int, int, int], rng: np.random.Generator) -> None:
        self.rng = rng
        self.infer_path = f"/v2/models/{model_name(name)}/infer"
        self.shape = shape
        self.images = _good_images()

    def image(self) -> Case:
        """Return an image that is damaged."""
        content = changed(self._any(self.images), BYTES, self.rng)
        kind = self._any(("image/jpeg", "image/x-any", "application/octet-stream"))
        return Case("image", post("/predict", content, kind), image=content)

    def parts(self) -> Case:
        """Return a multipart body that is damaged."""
        files = [self._any(self.images) for _ in range(self.rng.integers(1, 4))]
        head = 'Content-Disposition: form-data; name="images"; filename="../a{}.png"'
        parts = [
            f"--edge\r\n{head.format(number)}\r\n\r\n".encode() + file + b"\r\n"
            for number, file in enumerate(files)
        ]
        body = changed(b"".join(parts) + b"--edge--\r\n", BYTES, self.rng)
        kind = self._any(("edge", "edge", "edge", "e", "", '"edge', "x" * 300))
        return Case("parts", post("/predict", body, f"multipart/form-data; boundary={kind}"))

    def tensor(self) -> Case:
        """Return a request of the Open Inference Protocol whose JSON is damaged."""
        data = [base64.b64encode(self._any(self.images)).decode()]
        given = {"name": "images", "datatype": "BYTES", "shape": [1], "data": data}
        if self.rng.random() < 0.5:
            pixels = self.rng.integers(0, 256, (1, *self.shape))
            given = given | {"datatype": "UINT8", "shape": pixels.shape, "data": pixels.tolist()}
        request = {"id": "1", "inputs": [given], "outputs": [{"name": "probabilities"}]}
        text = changed(json.dumps(request).encode(), LETTERS, self.rng)
        # Most of a request is its data; the rest is damaged on its own, too.
        if self.rng.random() < 0.5:
            start = json.dumps(request | {"inputs": [given | {"data": []}]})
            text = changed(start.encode(), LETTERS, self.rng)
        return Case("tensor", post(self.infer_path, text, "application/json"))

    def behind(self) -> Case:
        """Return a request whose tensor stands behind the JSON, and one of the two is damaged."""
        file = self._any(self.images)
        content = len(file).to_bytes(4, "little") + file
        size = {"binary_data_size": len(content)}
        given = {"name": "images", "datatype": "BYTES", "shape": [1], "parameters": size}
        head = json.dumps({"inputs": [given]}).encode()
        if self.rng.random() < 0.5:
            head = changed(head, LETTERS, self.rng)
        else:
            content = changed(content, BYTES, self.rng)
        length = self._any((len(head), len(head), len(head), 0, -1, 10**6, "x"))
        headers = {"Inference_Header_Content_Length": length}
        kind = "application/octet-stream"
        return Case("behind", post(self.infer_path, head + content, kind, **headers))

    def cut(self) -> Case:
        """Return the start of a good request."""
        content = post("/predict", self._any(self.images), "image/png")
        end = int(self.rng.integers(len(content)))
        return Case("cut", content[:end], must_be_answered=False)

    def length(self) -> Case:
        """Return a request that lies about its length."""
        body = self._any(self.images)
        wrong = self._any(LENGTHS)
        content = post("/predict", body, "image/png", Content_Length=wrong)
        return Case("length", content, must_be_answered=False)

    def chunks(self) -> Case:
        """Return a request in chunks, which are damaged."""
        file = self._any(self.images)
        middle = int(self.rng.integers(1, len(file)))
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in (file[:middle], file[middle:]))
        head = (
            "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
            "Transfer-Encoding: chunked\r\n\r\n"
        )
        content = head.encode() + changed(chunks + b"0\r\n\r\n", BYTES, self.rng)
        return Case("chunks", content, must_be_answered=False)

    def head(self) -> Case:
        """Return a request whose head is damaged."""
        body = self._any(self.images)
        content = post("/predict", body, "image/png")
        head = changed(content[: -len(body)], BYTES, self.rng)
        return Case("head", head + body, must_be_answered=False)

    def path(self) -> Case:
        """Return a request for an odd path, or with an odd method."""
        method = self._any(("GET", "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"))
        content = f"{method} {self._any(PATHS)} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        return Case("path", content.encode(), must_be_answered=method != "HEAD")

    def _any(self, choices: Sequence[Any]) -> Any:
        return choices[self.rng.integers(len(choices))]


def cases_of(
    name: str, shape: tuple[int, int, int], count: int, rng: np.random.Generator
) -> Iterator[Case]:
    """Yield damaged requests for a network.

    Args:
        name: The name of the run.
        shape: (height, width, channels) of the network.
        count: How many.
        rng: The generator.
    """
    damage = Damage(name, shape, rng)
    for kind in rng.choice(list(SHARES), count, p=list(SHARES.values())):
        yield getattr(damage, kind)()


def _good_images() -> list[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)
    images = []
    with tempfile.TemporaryDirectory() as folder:
        for suffix, modes in IMAGES.items():
            for mode in modes:
                path = Path(folder, f"image.{suffix}")
                save_image(pixels, mode, path)
                images.append(path.read_bytes())
    return images
