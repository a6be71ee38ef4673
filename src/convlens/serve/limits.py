"""Limits: what a request may be: its token, its size, its speed, and the language of its answer.

The middlewares are plain ASGI: they neither copy bodies nor start tasks.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from convlens.language import _
from convlens.language_choice import using

OPEN_PATHS = ("/v2/health/live", "/v2/health/ready")  # need no token, as probes have none


@dataclass(frozen=True)
class Limits:
    """What the server takes.

    Attributes:
        max_bytes: The most bytes of the body of a request.
        max_held: The most bytes of all bodies that are received or wait at a time.
        max_queue: The most images that wait at a time.
        token: What a request must present, or None if nobody needs one.
        patience: Seconds that a client may send nothing, or its headers may take.
        least_rate: Bytes a second that a client sends in the mean, after the first seconds.
    """

    max_bytes: int = 32 * 10**6
    max_held: int = 256 * 10**6
    max_queue: int = 128
    token: str | None = None
    patience: float = 10.0
    least_rate: float = 20_000.0

    @classmethod
    def of(cls, megabytes: float, max_queue: int, token: str | None) -> "Limits":
        """Return the limits that the flags of `convlens serve` give."""
        size = int(megabytes * 10**6)
        return cls(size, max(cls.max_held, 4 * size), max_queue, token)


class Refusal(HTTPException):
    """A request that is not answered, with the status and the text that says why."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, str(text), headers)

    def response(self) -> JSONResponse:
        """Return the answer."""
        return JSONResponse({"error": self.detail}, self.status_code, self.headers)


class LanguageMiddleware:
    """Answers in Chinese if the client prefers it, and otherwise in English."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with using(preferred_language(Headers(scope=scope).get("accept-language", ""))):
            await self.app(scope, receive, send)


def preferred_language(accepted: str) -> str:
    """Return the language of a header Accept-Language, "zh" or "en".

    >>> preferred_language("zh-TW,zh;q=0.9,en;q=0.8"), preferred_language("en, zh;q=0.5")
    ('zh', 'en')
    >>> preferred_language("fr, zh; q=0.1"), preferred_language("zh;q=much"), preferred_language("")
    ('zh', 'en', 'en')
    """
    best = (0.0, "en")
    for choice in accepted[:1000].replace(" ", "").split(","):
        name, _separator, weight = choice.partition(";q=")
        short = name.lower().partition("-")[0]
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        if short in ("zh", "en") and quality > best[0]:
            best = (quality, short)
    return best[1]


class TokenMiddleware:
    """Refuses requests that do not present the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self.expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            given = Headers(scope=scope).get("authorization", "").encode("latin-1")
            if not secrets.compare_digest(given, self.expected):
                await _without_token(given).response()(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _without_token(given: bytes) -> Refusal:
    """Return the refusal of a request with such a header Authorization, which is not repeated."""
    if given.lower().startswith(b"bearer "):
        return Refusal(
            401,
            _("the token of the request is not that of this server."),
            # not translated: RFC 6750, section 3
            {"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    return Refusal(
        401,
        _("this server needs its token: Authorization: Bearer TOKEN."),
        {"WWW-Authenticate": "Bearer"},
    )


@dataclass
class Body:
    """A body that is being received.

    Attributes:
        receive: What gives its parts.
        start: When it began.
        received: Its bytes so far.
        ended: Whether it is complete.
    """

    receive: Receive
    start: float
    received: int = 0
    ended: bool = False


class BodyMiddleware:
    """Refuses bodies that are too large, at once where they say so, and drops slow senders."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.limits = limits
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > self.limits.max_bytes:
            await self._too_large().response()(scope, receive, send)
            return
        body = Body(receive, asyncio.get_running_loop().time())
        try:
            await self.app(scope, partial(self._receive, body), send)
        finally:
            self.held -= body.received

    async def _receive(self, body: "Body") -> Message:
        """Return the next message, or raise Refusal if a body is too large or too slow."""
        if body.ended:
            return await body.receive()
        now = asyncio.get_running_loop().time()
        patience = self.limits.patience
        last = body.start + patience + body.received / self.limits.least_rate
        try:
            async with asyncio.timeout_at(min(last, now + patience)):
                message = await body.receive()
        except TimeoutError:
            raise Refusal(
                408, _("the request was sent too slowly."), {"Connection": "close"}
            ) from None
        size = len(message.get("body", b""))
        body.received += size
        body.ended = not message.get("more_body", False)
        self.held += size
        if body.received > self.limits.max_bytes:
            raise self._too_large()
        if self.held > self.limits.max_held:
            raise Refusal(
                503,
                _("too many megabytes are waiting; try again soon."),
                {"Retry-After": "1"},
            )
        return message

    def _too_large(self) -> Refusal:
        return Refusal(
            413,
            _("a request may have {most:g} MB at most; this one has more.").format(
                most=self.limits.max_bytes / 1e6
            ),
        )
