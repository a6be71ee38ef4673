"""Guard: who may ask the studio, and what its answers forbid a browser to do.

A web site that somebody visits can send requests to this computer. It knows no token, it cannot
read the fragment of the address that has it, and there are no cookies that a browser would add.
Besides, the name of the host and the origin of a request must be those of the studio, so that a
name that a site lets point to this computer (DNS rebinding) opens nothing.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from convlens.language import _
from convlens.studio.problem import Problem, refusal

TOKEN_HEADER = "x-convlens-token"
POLICY_HEADER = "Content-Security-Policy"
API = "/api/"
IMAGES = "/images/"
REPORTS = "/reports/"  # whose answers have a stricter policy of their own
# not translated: what browsers read
POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
    "frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"  # not translated: as above
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=()",  # not translated: HTTP
}


@dataclass(frozen=True)
class Access:
    """Who may ask.

    Attributes:
        token: What a request of the interface presents in a header.
        hosts: The values of the header Host that mean this studio, in lower case.
        scheme: "http" or "https".
    """

    token: str
    hosts: frozenset[str]
    scheme: str = "http"

    @classmethod
    def of(cls, token: str, names: list[str], port: int, scheme: str = "http") -> "Access":
        """Return who may ask a studio that is known under some names at a port."""
        hosts = {f"{name}:{port}" for name in names}
        if port == {"http": 80, "https": 443}[scheme]:  # which browsers leave out
            hosts |= set(names)
        return cls(token, frozenset(host.lower() for host in hosts), scheme)

    @property
    def image_key(self) -> str:
        """What opens images and nothing else, because it stands in their addresses."""
        return hmac.new(self.token.encode(), b"images", hashlib.sha256).hexdigest()[:32]

    def report_key(self, run: str) -> str:
        """What opens the report of a run and nothing else, because it stands in its address."""
        said = f"report {run}".encode(errors="surrogateescape")
        return hmac.new(self.token.encode(), said, hashlib.sha256).hexdigest()[:32]

    @property
    def origins(self) -> frozenset[str]:
        """The origins of the page."""
        return frozenset(f"{self.scheme}://{host}" for host in self.hosts)


class Guard:
    """Refuses requests that do not come from the page, and adds what every answer forbids.

    Args:
        app: The application.
        access: Who may ask.
        scripts: The digests of the scripts inside the page, as the policy has them.
    """

    def __init__(self, app: ASGIApp, access: Access, scripts: list[str]) -> None:
        self.app = app
        self.access = access
        self.policy = POLICY.format(scripts="".join(f" '{one}'" for one in scripts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {POLICY_HEADER: self.policy, **HEADERS}.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            self._check(scope)
        except Problem as problem:
            await refusal(problem)(scope, receive, send_with_headers)
            return
        await self.app(scope, receive, send_with_headers)

    def _check(self, scope: Scope) -> None:
        """Raise Problem if a request must not be answered."""
        headers = Headers(scope=scope)
        if headers.get("host", "").lower() not in self.access.hosts:
            raise Problem(
                _("the studio answers under its own address only; open the one that it printed."),
                403,
            )
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in self.access.origins:
            raise Problem(_("the studio answers its own page only; this is another site."), 403)
        path = scope["path"]
        is_opened = not path.startswith((API, IMAGES, REPORTS)) and _opens_page(headers)
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and not is_opened:
            raise Problem(_("the studio answers its own page only; this is another site."), 403)
        if path.startswith(API):
            self._compare(headers.get(TOKEN_HEADER, ""), self.access.token)
        elif scope["method"] not in ("GET", "HEAD"):
            raise Problem(_("this path takes another method."), 405)
        elif path.startswith(IMAGES):
            self._compare(_key_of(scope), self.access.image_key)
        elif path.startswith(REPORTS):
            self._compare(_key_of(scope), self.access.report_key(path.removeprefix(REPORTS)))

    def _compare(self, given: str, expected: str) -> None:
        if not secrets.compare_digest(given.encode(errors="replace"), expected.encode()):
            raise Problem(
                _("this needs the token of the studio: open the address that the terminal shows."),
                401,
            )


def _key_of(scope: Scope) -> str:
    """Return the key in the address of a request."""
    given: list[str] = parse_qs(scope["query_string"].decode("latin-1")).get("key", [""])
    return given[0]


def _opens_page(headers: Headers) -> bool:
    """Return whether a browser opens an address as a page, as after a click on a link."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") in (
        "document",
        None,
    )
