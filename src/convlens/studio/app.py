"""App: the application of the studio, with what all of its answers have in common."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from convlens.errors import ConvlensError
from convlens.language import _
from convlens.serve.limits import LanguageMiddleware
from convlens.studio import api, api_audit, api_imports, api_runs
from convlens.studio.guard import Access, Guard
from convlens.studio.microscope import api as api_microscope
from convlens.studio.pages import page_routes, script_digests
from convlens.studio.problem import Problem, refusal
from convlens.studio.scores import api as api_scores
from convlens.studio.shipping import api as api_shipping
from convlens.studio.studio import Studio
from convlens.studio.training import api as training_api
from convlens.studio.trying import api as api_trying


def create_app(studio: Studio, access: Access) -> Starlette:
    """Return the application of a studio, which ends with it."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        studio.thumbs.start()
        studio.queue.start()
        yield
        studio.close()

    app = Starlette(
        routes=[
            *page_routes(),
            *api.routes(),
            *api_audit.routes(),
            *api_imports.routes(),
            *api_runs.routes(),
            *api_shipping.routes(),
            *api_microscope.routes(),
            *training_api.routes(),
            *api_scores.routes(),
            *api_trying.routes(),
        ],
        exception_handlers={
            ConvlensError: _refused,
            HTTPException: _no_such,
            ClientDisconnect: _gone,
            Exception: _failed,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirection would name the host of the request
    app.state.studio = studio
    app.state.access = access
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


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=499)


async def _failed(_request: Request, _error: Exception) -> Response:
    # What went wrong is said at the terminal.
    return refusal(Problem(_("the studio has made a mistake; the terminal says which."), 500))
