"""Protocol: HTTP/1.1 of uvicorn, without patience for clients that keep a connection for nothing.

A middleware sees a request only when its headers are complete, and only as long as it is answered.
What comes before and after is watched here.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from convlens.language import _

PATIENCE = 10.0  # seconds for headers, for the rest of a body that was refused, for an answer
MOST_CONNECTIONS = 500  # a process may open some 1,000 files on most systems


class _Connection(h11.Connection):
    """HTTP/1.1 as bytes, where the head of an answer is sent together with the start of its body.

    Each part of its own would cost the server a system call, and wake the client once more.
    """

    _head = b""

    def send(self, event: Any) -> Any:
        """Return the bytes of an event; None for the end of the connection."""
        content = super().send(event)
        if isinstance(event, h11.Response):
            self._head = content
            return b""
        if content is None or not self._head:
            return content
        content = self._head + content
        self._head = b""
        return content


class WatchedProtocol(H11Protocol):
    """A connection that ends if its client is too slow."""

    _deadline: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None
    _task: "asyncio.Task[Any] | None" = None

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.conn = _Connection(h11.SERVER)
        self._application = self.app
        self.app = self._answer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self._refuse(
                HTTPStatus.SERVICE_UNAVAILABLE,
                _("too many connections are open; try again soon."),
                {"Retry-After": "1"},
            )
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and with it the work for a request that nobody waits for any more."""
        self._forget()
        self.resume_writing()
        super().connection_lost(exc)
        if self._task is not None and not self.cycle.response_complete:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Read what has come."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, or for the rest of one that was refused."""
        self._forget()
        super().on_response_complete()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, _("this is not a valid HTTP request."), {})

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not read its answer."""
        super().pause_writing()
        if self._stuck is None:
            self._stuck = self.loop.call_later(PATIENCE, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        self._task = asyncio.current_task()
        await self._application(scope, receive, send)

    def _refuse(self, status: HTTPStatus, text: str, headers: Mapping[str, str]) -> None:
        """Answer without a request, and end."""
        body = json.dumps({"error": text}).encode()
        fields = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
            **headers,
        }
        parts: tuple[Any, ...] = (
            h11.Response(
                status_code=status, headers=list(fields.items()), reason=status.phrase.encode()
            ),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        with contextlib.suppress(h11.LocalProtocolError):  # an answer has begun already
            for part in parts:
                self.transport.write(self.conn.send(part))
        self.transport.close()

    def _watch(self) -> None:
        """Set a deadline unless a request is being answered."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(PATIENCE, self.transport.abort)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
