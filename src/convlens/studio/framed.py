"""Framed: files of the product with scripts inside, shown in a frame that can reach nothing.

The policy of the page allows no inline script. A report or a microscope is one file with its
scripts inside. Such a file gets a policy of its own: it runs its scripts in an origin that no other
page shares (sandbox), so that it has neither the token nor the page around it, and it can ask for
nothing. Only the studio may frame it.
"""

from pathlib import Path

from starlette.responses import Response

from convlens.studio.guard import POLICY_HEADER

# not translated: what browsers read
FRAMED_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"  # not translated: as above
)


def framed(path: Path) -> Response:
    """Return the answer that shows an HTML file of the product in a frame of the page."""
    headers = {
        POLICY_HEADER: FRAMED_POLICY,
        "X-Frame-Options": "SAMEORIGIN",
        "Cache-Control": "private, no-cache",  # not translated: HTTP
    }
    return Response(path.read_bytes(), media_type="text/html", headers=headers)
