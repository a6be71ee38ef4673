"""App: the application of the studio, with what all of its answers have in common."""

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from convlens.errors import ConvlensError
from convlens.language import _
from convlens.serve.limits import LanguageMiddleware
from convlens.studio.guard import Access, Guard
from convlens.studio.pages import page_routes, script_digests
from convlens.studio.problem import Problem, refusal


def create_app(access: Access) -> Starlette:
    """Return the application of a studio."""
    app = Starlette(
        routes=page_routes(),
        exception_handlers={
            ConvlensError: _refused,
            HTTPException: _no_such,
            Exception: _failed,
        },
    )
    # The last one is the first that sees a request.
    app.add_middleware(Guard, access=access, scripts=script_digests())
    app.add_middleware(LanguageMiddleware)
    return app


async def _refused(_request: Request, error: Any) -> Response:
    return refusal(error)


async def _no_such(_request: Request, error: Any) -> Response:
    said = {
        404: _("there is nothing at this path; / is the page."),
        405: _("this path takes another method."),
    }
    text = said.get(error.status_code, error.detail)
    return refusal(Problem(str(text), error.status_code))


async def _failed(_request: Request, _error: Exception) -> Response:
    # What went wrong is said at the terminal.
    return refusal(Problem(_("the studio has made a mistake; the terminal says which."), 500))
