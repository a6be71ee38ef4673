"""Connections whose clients are slow, talk no HTTP, or go."""

import json
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace

import httpx
import pytest

from convlens.serve import protocol
from convlens.serve.engines import Engine
from convlens.serve.limits import Limits
from tests.serve.conftest import running

PATIENCE = 0.4
LONG = 60.0  # seconds, in which also a busy computer sends what it has
HEAD = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n"


@pytest.fixture
def connect(started):
    """Return a function that opens a connection to a server without much patience."""
    opened = []
    limits = Limits(max_bytes=10**6, patience=PATIENCE, least_rate=10**6)
    with started(limits, patience=PATIENCE) as client:
        address = (client.base_url.host, client.base_url.port)

        def new(buffer: int | None = None) -> socket.socket:
            connection = socket.socket()
            opened.append(connection)
            if buffer is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            connection.settimeout(60)
            connection.connect(address)
            return connection

        yield new
        for one in opened:
            one.close()
        assert client.get("/").status_code == 200  # whatever has happened


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the server closes the connection."""
    content = b""
    try:
        while chunk := connection.recv(65536):
            content += chunk
    except ConnectionResetError:
        pass
    return content


def send_slowly(connection: socket.socket, content: bytes, step: int) -> bool:
    """Send some bytes at a time, and return whether all were sent; it takes 2 seconds or more."""
    try:
        for start in range(0, len(content), step):
            connection.sendall(content[start : start + step])
            time.sleep(0.02)
    except OSError:  # a closed connection has several errors
        return False
    return True


@pytest.mark.parametrize("start", [b"", b"PO", HEAD], ids=["nothing", "a word", "headers"])
def test_headers_that_do_not_end_are_dropped(connect, start):
    begin = time.monotonic()  # before the server begins to wait
    connection = connect()
    connection.sendall(start)
    assert read_all(connection) == b""
    assert PATIENCE * 0.9 < time.monotonic() - begin < LONG


def test_headers_a_byte_at_a_time_are_dropped(connect):
    connection = connect()
    begin = time.monotonic()
    assert not send_slowly(connection, HEAD * 100, 1)
    assert time.monotonic() - begin < LONG


def test_a_body_that_stops_is_answered_and_dropped(connect):
    connection = connect()
    begin = time.monotonic()
    connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n1234")
    answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"too slowly" in answer
    assert PATIENCE * 0.9 < time.monotonic() - begin < LONG


def test_a_body_a_byte_at_a_time_is_dropped(connect):
    connection = connect()
    connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
    begin = time.monotonic()
    connection.settimeout(0.05)
    answer = b""
    while not answer and time.monotonic() - begin < LONG:
        with suppress(ConnectionError):  # the server may have closed it, and has answered before
            connection.sendall(b"1")
        with suppress(TimeoutError):
            answer = connection.recv(1000)
    assert answer.startswith(b"HTTP/1.1 408")


def test_an_idle_connection_is_closed(connect, examples):
    connection = connect()
    begin = time.monotonic()
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert read_all(connection).startswith(b"HTTP/1.1 200")
    assert PATIENCE * 0.9 < time.monotonic() - begin < LONG


def test_a_refused_body_is_not_read_for_ever(connect):
    connection = connect()
    connection.sendall(HEAD + b"Content-Length: 1000000000\r\n\r\n")
    assert not send_slowly(connection, b"x" * 10**6, 10**4)


def test_a_client_that_sends_all_before_it_reads_sees_why_it_was_refused(connect, monkeypatch):
    monkeypatch.setattr(protocol, "PATIENCE", LONG)
    connection = connect()
    connection.sendall(HEAD + b"Content-Length: 3000000\r\n\r\n" + b"x" * 3_000_000)
    last = b"GET /v2/health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    connection.sendall(last)
    answers = read_all(connection)
    assert answers.startswith(b"HTTP/1.1 413")
    assert b"HTTP/1.1 200" in answers


@pytest.mark.parametrize(
    "start",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / FTP/1.1\r\n\r\n",
        b"\r\n" * 10,
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 10**6 + b"\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nnot a size\r\n",
    ],
)
def test_what_is_no_http_is_refused(connect, start, capfd):
    connection = connect()
    connection.sendall(start)
    answer = read_all(connection)
    assert answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 501", b"")
    if answer:
        assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {
            "error": "this is not a valid HTTP request."
        }
    assert capfd.readouterr().err == ""


def test_a_broken_rest_of_a_refused_body_is_no_fault(connect, capfd, monkeypatch):
    monkeypatch.setattr(protocol, "PATIENCE", LONG)
    connection = connect()
    connection.sendall(
        HEAD.replace(b"image/png", b"text/plain") + b"Transfer-Encoding: chunked\r\n\r\n"
    )
    assert connection.recv(1000).startswith(b"HTTP/1.1 415")
    connection.sendall(b"no size\r\n")
    read_all(connection)
    assert capfd.readouterr().err == ""


def test_pipelined_requests_are_answered_in_order(connect):
    connection = connect()
    connection.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n" * 20)
    assert read_all(connection).count(b"HTTP/1.1 200") == 20


def test_a_client_that_does_not_read_is_dropped(connect):
    connection = connect(buffer=4096)
    connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)
    time.sleep(5 * PATIENCE)
    assert 0 < read_all(connection).count(b"HTTP/1.1 200") < 1000


def test_too_many_connections_are_refused(connect, monkeypatch):
    monkeypatch.setattr(protocol, "MOST_CONNECTIONS", 3)
    connections = [connect() for _number in range(4)]
    answer = read_all(connections[-1])
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"Retry-After: 1" in answer
    for connection in connections:
        connection.close()
    time.sleep(0.1)


def test_nothing_is_computed_for_clients_that_have_gone(served, examples, capfd):
    def run(images):
        begun.append(images)
        assert opened.wait(20)
        return served.engine.beside(images)

    def wait_for(line):
        end = time.monotonic() + 20
        while line not in client.get("/metrics").text.splitlines():
            assert time.monotonic() < end
            time.sleep(0.02)

    begun = []
    opened = threading.Event()
    body = examples["00-colours.jpg"].read_bytes()
    request = HEAD + "Content-Length: {}\r\n\r\n".format(len(body)).encode() + body
    with (
        running(replace(served, engine=Engine(run, run))) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client,
    ):
        leaving = [socket.create_connection(("127.0.0.1", port)) for _client in range(4)]
        leaving[0].sendall(request[:-1])  # is still sending
        for number, connection in enumerate(leaving[1:], 1):
            connection.sendall(request)
            wait_for(f"convlens_waiting_images {number}.0")
        for connection in leaving:
            connection.close()
        wait_for('convlens_requests_total{route="/predict",status="499"} 4.0')
        wait_for("convlens_waiting_images 0.0")
        opened.set()
        answer = client.post("/predict", content=body, headers={"Content-Type": "image/jpeg"})
        assert answer.status_code == 200
    # The two threads had begun with an image each; nobody asked for the third one any more.
    assert len(begun) == 3
    assert capfd.readouterr().err == ""
