"""Mixed load: good, damaged, huge, slow and cancelled requests side by side, for some minutes.

The right answers are computed before. An answer is wrong if it has another status or another
probability; 503 is allowed, as the queue may be full.
"""

import asyncio
import io
import json
import struct
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from damage import changed
from load import Client
from PIL import Image
from server_process import Running
from wire import BYTES, post

from convlens.errors import ImageError
from convlens.export.folder import Exported

TOLERANCE = 1e-4
GOOD_CLIENTS = 4
LARGEST = 33_000_000  # bytes, more than the server takes
PAUSE = 1.0  # seconds between the requests that cost much
Expected = float | None  # the probability of the predicted class; None if the image is refused


class Mixed:
    """The clients of a mixed load.

    Attributes:
        outcomes: How many requests of a kind were answered how.
        wrong: What was wrong.
    """

    def __init__(self, port: int, seconds: float) -> None:
        self.port = port
        self.end = time.monotonic() + seconds
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.wrong: list[str] = []

    async def repeat(
        self, kind: str, requests: Sequence[tuple[bytes, Expected]], pause: float, first: int = 0
    ) -> None:
        """Send requests in turn, each at once after the answer to the one before."""
        client = None
        for number in range(first, 10**9):
            if time.monotonic() > self.end:
                return
            content, expected = requests[number % len(requests)]
            try:
                if client is None or client.transport.is_closing():
                    client = await Client.open(self.port)
                status, body = await asyncio.wait_for(client.ask(content), 60)
            except (OSError, TimeoutError) as error:
                self._count(kind, type(error).__name__, expected is not None)
                client = None
                continue
            self._count(kind, str(status), not _is_right(status, body, expected))
            await asyncio.sleep(pause)

    async def too_large(self) -> None:
        """Announce a body that is too large, and begin to send it."""
        head = post("/predict", b"", "image/png", Content_Length=LARGEST)
        while time.monotonic() < self.end:
            client = await Client.open(self.port)
            with suppress(ConnectionError):
                status, _body = await asyncio.wait_for(client.ask(head + bytes(100_000)), 60)
                self._count("too large", str(status), status != 413)
            client.transport.close()
            await asyncio.sleep(PAUSE)

    async def slow(self, request: bytes) -> None:
        """Send a byte a second, until the server answers 408 or closes the connection."""
        while time.monotonic() < self.end:
            client = await Client.open(self.port)
            asking = asyncio.ensure_future(client.ask(request[:200]))
            await asyncio.sleep(0)  # which begins it
            start = time.monotonic()
            for byte in request[200:]:
                if asking.done() or time.monotonic() - start > 60:
                    break
                client.transport.write(bytes([byte]))
                await asyncio.wait({asking}, timeout=1)
            outcome = "is still served"
            if asking.done():
                outcome = "closed" if asking.exception() else str(asking.result()[0])
            asking.cancel()
            self._count("slow", outcome, outcome not in ("408", "closed"))
            client.transport.abort()

    async def cancelled(self, requests: Sequence[tuple[bytes, Expected]]) -> None:
        """Send good requests, and go before the answer."""
        rng = np.random.default_rng(0)
        while time.monotonic() < self.end:
            client = await Client.open(self.port)
            content, _expected = requests[rng.integers(len(requests))]
            asking = asyncio.ensure_future(client.ask(content))
            await asyncio.sleep(float(rng.exponential(0.01)))
            asking.cancel()
            client.transport.abort()
            self._count("cancelled", "gone", False)
            await asyncio.sleep(0.05)

    def _count(self, kind: str, outcome: str, is_wrong: bool) -> None:
        self.outcomes[kind, outcome] += 1
        if is_wrong:
            self.wrong.append(f"{kind}: {outcome}")


def run_mixed(
    server: Running, predictor: Exported, files: Sequence[bytes], seconds: float
) -> dict[str, Any]:
    """Load a server for some time, and return the outcomes, what was wrong, and its memory."""
    rng = np.random.default_rng(0)
    good = [(post("/predict", file, "image/jpeg"), _expected(predictor, file)) for file in files]
    broken = []
    for file in files:
        content = changed(file, BYTES, rng)
        broken.append((post("/predict", content, "image/jpeg"), _expected(predictor, content)))
    huge = [_large_photograph(files[0]), _bomb()]
    heavy = [(post("/predict", one, "image/png"), _expected(predictor, one)) for one in huge]
    mixed = Mixed(server.port, seconds)
    memory: list[float] = []

    async def watch() -> None:
        while time.monotonic() < mixed.end:
            memory.append(server.megabytes())
            await asyncio.sleep(min(5, seconds / 20))

    async def run() -> None:
        step = len(good) // GOOD_CLIENTS
        await asyncio.gather(
            *(mixed.repeat("good", good, 0, number * step) for number in range(GOOD_CLIENTS)),
            mixed.repeat("damaged", broken, 0),
            mixed.repeat("huge", heavy, PAUSE),
            mixed.too_large(),
            mixed.slow(good[0][0]),
            mixed.cancelled(good),
            watch(),
        )

    asyncio.run(run())
    return {
        "outcomes": sorted(mixed.outcomes.items()),
        "wrong": mixed.wrong,
        "megabytes": memory,
    }


def _expected(predictor: Exported, file: bytes) -> Expected:
    try:
        (prediction,) = predictor.predict(io.BytesIO(file))
    except ImageError:
        return None
    return prediction.probability


def _is_right(status: int, body: bytes, expected: Expected) -> bool:
    if status == 503:
        return True
    if expected is None:
        return status == 422
    return status == 200 and abs(json.loads(body)["probability"] - expected) <= TOLERANCE


def _large_photograph(file: bytes) -> bytes:
    """Return an image as a photograph of 12 million pixels."""
    stream = io.BytesIO()
    with Image.open(io.BytesIO(file)) as image:
        image.convert("RGB").resize((4000, 3000)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _bomb() -> bytes:
    """Return a PNG of some bytes that says it has 900 million pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(10_000))
    pieces = (chunk(b"IHDR", head), chunk(b"IDAT", data), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(pieces)
