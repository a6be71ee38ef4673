"""Server: the socket, the process of uvicorn, and the signals that end it."""

import asyncio
import contextlib
import ipaddress
import logging
import os
import signal
import socket
from collections.abc import Iterator
from types import FrameType

import uvicorn
from fastapi import FastAPI

from convlens.errors import ConfigError
from convlens.language import _
from convlens.serve.protocol import WatchedProtocol

BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address and does not yet listen.

    Raises:
        ConfigError: If there is no such address, or if another program uses the port.
    """
    if not 0 <= port <= 65535:
        raise ConfigError(
            _("--port must be a number from 0 to 65535; found {port}.").format(port=port)
        )
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ConfigError(
            _("--host must be an address of this computer; found {host} ({reason}).").format(
                host=host, reason=getattr(error, "strerror", None) or error
            )
        ) from error
    found.sort(key=lambda one: one[0] != socket.AF_INET)  # localhost is 127.0.0.1 to most clients
    family, kind, protocol, _name, address = found[0]
    bound = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere this would let two programs share the port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with _address_errors(host, port):
            bound.bind(address)
    except ConfigError:
        bound.close()
        raise
    return bound


@contextlib.contextmanager
def _address_errors(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            _(
                "the server cannot listen at {host}, port {port}; {reason}. Choose another one "
                "with --port or --host."
            ).format(host=host, port=port, reason=error.strerror)
        ) from error


def is_local(bound: socket.socket) -> bool:
    """Return whether only this computer can reach a socket."""
    return ipaddress.ip_address(bound.getsockname()[0].partition("%")[0]).is_loopback


def url_of(bound: socket.socket) -> str:
    """Return the address of a socket as a browser takes it."""
    host, port = bound.getsockname()[:2]
    return "http://{host}:{port}".format(host=f"[{host}]" if ":" in host else host, port=port)


class Server(uvicorn.Server):
    """A server that answers what it has accepted when it is told to stop.

    Attributes:
        stopped_by: The signal that ended it, or None.
    """

    stopped_by: int | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop after what was accepted; at the second signal, stop at once."""
        if self.stopped_by is None:
            self.stopped_by = sig
            self.should_exit = True
        else:
            self.force_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals; unlike in uvicorn, they do not kill the process at the end."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def run(app: FastAPI, bound: socket.socket) -> int | None:
    """Serve until a signal comes, and return it.

    Raises:
        ConfigError: If another program listens at the port.
    """
    logger = logging.getLogger("uvicorn")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    host, port = bound.getsockname()[:2]
    with _address_errors(host, port):
        bound.listen(BACKLOG)
    config = uvicorn.Config(
        app,
        http=WatchedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
    )
    server = Server(config)
    asyncio.run(server.serve([bound]))
    return server.stopped_by


INTERRUPT = signal.SIGINT
