"""API of the runs: which trainings the workspace has."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from convlens.studio.studio import Content, Studio, answer


def routes() -> list[Route]:
    """Return the routes."""
    return [Route("/api/runs", _runs)]


async def _runs(request: Request) -> Response:
    def work(studio: Studio) -> Content:
        studio.runs.refresh()
        return {"told": studio.told, "runs": studio.runs.rows()}

    return await answer(request, work)
