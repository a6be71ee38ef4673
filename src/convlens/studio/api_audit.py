"""API of the audit: starting it, its findings, and doing what they propose."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from convlens.language import _
from convlens.studio import changes, findings
from convlens.studio.api import MOST_NUMBER, changed
from convlens.studio.asking import whole_number
from convlens.studio.json_answer import JSONResponse
from convlens.studio.problem import GONE, Problem
from convlens.studio.studio import Content, Studio, answer, read_content, studio_of

MOST = 200  # findings of an answer


def routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("/api/audit", _start, methods=["POST"]),
        Route("/api/audit", _stop, methods=["DELETE"]),
        Route("/api/findings", _findings),
        Route("/api/findings/{number:int}/difference/{place:int}", _difference_text),
        Route("/api/apply", _apply, methods=["POST"]),
        Route("/images/difference/{number:int}/{place:int}", _difference_image),
    ]


async def _start(request: Request) -> Response:
    content = await read_content(request)

    def work(studio: Studio) -> Content:
        studio.auditing.start(features=content.get("features") is True)
        return {"audit": studio.auditing.status()}

    return await answer(request, work, 202)


async def _stop(request: Request) -> Response:
    def work(studio: Studio) -> Content:
        studio.auditing.stop()
        return {"audit": studio.auditing.status()}

    return await answer(request, work)


async def _findings(request: Request) -> Response:
    given = dict(request.query_params)
    offset = whole_number(given, "offset", 0, MOST_NUMBER)
    limit = whole_number(given, "limit", 50, MOST)

    def work(studio: Studio) -> Content:
        stamp = studio.auditing.result_stamp()  # first, as another audit may end just now
        numbers = studio.auditing.numbers_of(given.get("code"))
        rows = [
            findings.shown(studio.workspace, studio.auditing, number)
            for number in numbers[offset : offset + limit]
        ]
        return {
            "version": studio.workspace.version,
            "stamp": stamp,
            "total": len(numbers),
            "rows": rows,
        }

    return await answer(request, work)


async def _difference_text(request: Request) -> Response:
    _content, said = await _difference(request)
    return JSONResponse({"text": said})


async def _difference_image(request: Request) -> Response:
    content, _said = await _difference(request)
    return Response(content, media_type="image/png")


async def _difference(request: Request) -> tuple[bytes, str]:
    studio = studio_of(request)
    finding = studio.auditing.finding(request.path_params["number"])
    place = request.path_params["place"]
    return await run_in_threadpool(findings.difference, studio.workspace, finding, place)


async def _apply(request: Request) -> Response:
    """Do what a finding proposes, or what all findings of a code propose.

    The numbers of findings are those of one audit, which `stamp` names.
    """
    content = await read_content(request)
    number = content.get("finding")
    code = content.get("code")
    if type(number) is not int and not isinstance(code, str):
        raise Problem(_("name a finding or a code."), field="finding")

    def work(studio: Studio) -> Content:
        chosen = [number] if type(number) is int else studio.auditing.numbers_of(code)
        rows = findings.proposed(studio.auditing, chosen)
        if content.get("stamp") not in (None, studio.auditing.result_stamp()):
            raise Problem(
                _("another audit has ended meanwhile; look at what it has found first."),
                GONE,
                "stamp",
            )
        return changed(studio, changes.correct(studio.workspace, rows))

    return await answer(request, work)
