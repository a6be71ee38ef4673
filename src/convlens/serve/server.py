"""Server: the socket, the process of uvicorn, and the signals that end it."""

import asyncio
import contextlib
import gc
import ipaddress
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from rich.console import Console
from starlette.types import ASGIApp

from convlens.errors import ConfigError
from convlens.language import _
from convlens.reasons import system_reason
from convlens.screen import marked
from convlens.serve.protocol import WatchedProtocol

BACKLOG = 2048
# What a socket at all addresses of this computer says of itself, and where this computer finds it.
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}
# Addresses of other computers, kept for documentation; nothing is sent to them.
OUTSIDE = {"0.0.0.0": "192.0.2.1", "::": "2001:db8::1"}


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
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConfigError(
            _("--host must be an address of this computer; found {host!r} ({reason}).").format(
                host=host, reason=system_reason(error)
            )
        ) from error
    # To most programs, localhost is 127.0.0.1.
    family, kind, protocol, _name, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    with contextlib.ExitStack() as stack:
        bound = stack.enter_context(socket.socket(family, kind, protocol))
        if os.name == "posix":  # elsewhere this would let two programs share the port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with _address_errors(host, port):
            bound.bind(address)
        stack.pop_all()
    return bound


def listen(bound: socket.socket) -> None:
    """Let clients connect.

    Raises:
        ConfigError: If another program listens at the port.
    """
    host, port = bound.getsockname()[:2]
    with _address_errors(host, port):
        bound.listen(BACKLOG)


@contextlib.contextmanager
def _address_errors(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            _(
                "the server cannot listen at {host}, port {port}; {reason}. Choose another one "
                "with --port or --host."
            ).format(host=host, port=port, reason=system_reason(error))
        ) from error


def is_local(bound: socket.socket) -> bool:
    """Return whether only this computer can reach a socket."""
    return ipaddress.ip_address(bound.getsockname()[0].partition("%")[0]).is_loopback


def url_of(bound: socket.socket) -> str:
    """Return the address of a socket as a browser on this computer takes it."""
    host, port = bound.getsockname()[:2]
    return _url(LOOPBACK.get(host, host), port)


def url_for_others(bound: socket.socket) -> str | None:
    """Return where other computers find a socket at all addresses of this one, if that is known."""
    host, port = bound.getsockname()[:2]
    if host not in OUTSIDE:
        return None
    with socket.socket(bound.family, socket.SOCK_DGRAM) as probe:
        try:
            # Which sends nothing: the system chooses the address that it would send from.
            probe.connect((OUTSIDE[host], port))
        except OSError:  # there is no network
            return None
        return _url(probe.getsockname()[0], port)


def _url(host: str, port: int) -> str:
    return "http://{host}:{port}".format(host=f"[{host}]" if ":" in host else host, port=port)


class Server(uvicorn.Server):
    """A server that answers what it has accepted when it is told to stop.

    Attributes:
        stopped_by: The signal that ended it, or None.
        when_told_to_stop: Called when the first signal comes, as for answers that wait.
    """

    stopped_by: int | None = None
    when_told_to_stop: Callable[[], object] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop after what was accepted; at the second signal, stop at once."""
        if self.stopped_by is None:
            self.stopped_by = sig
            self.should_exit = True
            if self.when_told_to_stop is not None:
                self.when_told_to_stop()
        else:
            self.force_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was accepted; at the second signal, break the connections instead."""
        await super().shutdown(sockets)
        if self.force_exit:
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(0.01)  # in which the requests learn that nobody waits any more

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals. Those of uvicorn kill the process when it has ended."""
        if threading.current_thread() is not threading.main_thread():  # which alone may do so
            yield
            return
        former = {
            kind: signal.signal(kind, self.handle_exit) for kind in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for kind, handler in former.items():
                signal.signal(kind, handler)


class Faults(logging.Handler):
    """Says in one line what went wrong in the server itself."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the exception of a record; what else uvicorn says is left out."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, Exception):
            say_fault(error)


def say_fault(error: BaseException) -> None:
    """Print that there is a fault of convlens."""
    text = _("this is a fault of convlens: {kind}: {text}").format(
        kind=type(error).__name__, text=repr(str(error)[:300])
    )
    say_error(text)


def say_error(text: str) -> None:
    """Print a line that tells of an error while the server goes on."""
    Console(emoji=False, stderr=True, highlight=False, soft_wrap=True).print(
        marked(_("error"), "red", text)
    )


def create_server(app: ASGIApp, certificate: Path | None = None) -> Server:
    """Return a server that answers with an application.

    Args:
        app: The application.
        certificate: A PEM file with the certificate of the server and its key, for HTTPS.
    """
    logger = logging.getLogger("uvicorn")
    logger.handlers = [Faults()]
    logger.propagate = False
    config = uvicorn.Config(
        app,
        http=WatchedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        ssl_certfile=certificate,
    )
    return Server(config)


@contextlib.contextmanager
def ending_at_sigterm() -> Iterator[None]:
    """End the process in order if SIGTERM comes before the server handles it itself."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    former = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def run(server: Server, bound: socket.socket) -> None:
    """Serve at a socket that listens, until a signal comes."""
    if threading.current_thread() is threading.main_thread():  # where the process begins with it
        gc.freeze()  # the garbage collector need not look again at the objects of the libraries
    asyncio.run(_serve(server, bound))


async def _serve(server: Server, bound: socket.socket) -> None:
    def say(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception) and not isinstance(error, OSError):  # of a connection
            say_fault(error)

    asyncio.get_running_loop().set_exception_handler(say)
    await server.serve([bound])
