"""Load: clients of a server in one event loop, which take little processor time themselves.

They speak HTTP/1.1 over sockets of asyncio. An HTTP library would take longer for a request than
the server does.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

MARK = b"\r\n\r\n"
LENGTH = b"content-length:"


class Client(asyncio.Protocol):
    """A connection that is kept for one request after the other."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    @classmethod
    async def open(cls, port: int) -> "Client":
        """Return a client that is connected to a server of this computer."""
        loop = asyncio.get_running_loop()
        _transport, client = await loop.create_connection(cls, "127.0.0.1", port)
        return client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self.transport = transport

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request, and return the status and the body of the answer.

        Raises:
            ConnectionError: If the server closes the connection before the answer.
        """
        self._received.clear()
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        """Collect an answer."""
        self._received += data
        end = self._received.find(MARK)
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        start = head.index(LENGTH) + len(LENGTH)
        length = int(head[start:].split(b"\r\n", 1)[0])
        body = bytes(self._received[end + len(MARK) :])
        if len(body) >= length and self._answer is not None and not self._answer.done():
            self._answer.set_result((int(head.split(None, 2)[1]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that no answer will come."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server has closed the connection"))


@dataclass(frozen=True)
class Load:
    """What some clients have measured.

    Attributes:
        latencies: The seconds of each request.
        wall: The seconds of all together.
        own: The processor time of the clients, in seconds.
    """

    latencies: list[float]
    wall: float
    own: float

    def rate(self, threads: int) -> float:
        """Return images a second, as if the clients had run on another computer.

        Args:
            threads: The processors that the server and the clients share.
        """
        return len(self.latencies) / (self.wall - self.own / threads)


def measure(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Load:
    """Let clients send requests in turn for some time.

    Raises:
        RuntimeError: If an answer is not 200.
    """
    return asyncio.run(_measure(port, requests, clients, seconds))


async def _measure(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Load:
    latencies: list[float] = []
    waiting = cycle(requests)
    connected = [await Client.open(port) for _ in range(clients)]
    began = time.perf_counter()
    began_own = time.process_time()

    async def run(client: Client) -> None:
        while (start := time.perf_counter()) < began + seconds:
            status, body = await client.ask(next(waiting))
            latencies.append(time.perf_counter() - start)
            if status != 200:
                raise RuntimeError(f"{status}: {body.decode()}")

    await asyncio.gather(*map(run, connected))
    load = Load(latencies, time.perf_counter() - began, time.process_time() - began_own)
    for client in connected:
        client.transport.close()
    return load
