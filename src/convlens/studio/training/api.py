"""API of the room Train: the choices, the plan, the queue and the trainings."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from convlens.language import _
from convlens.language_choice import language
from convlens.studio.problem import WRONG, Problem
from convlens.studio.studio import Content, Studio, answer, read_content
from convlens.studio.training import watching
from convlens.studio.training.ways import Choice, command_of, lacking, unlike, why_not


def routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("/api/trainings", _list),
        Route("/api/trainings", _add, methods=["POST"]),
        Route("/api/trainings/plan", _plan, methods=["POST"]),
        Route("/api/trainings/continue", _continue_run, methods=["POST"]),
        Route("/api/trainings/{id}", _remove, methods=["DELETE"]),
        Route("/api/trainings/{id}/{act}", _act, methods=["POST"]),
        Route("/api/trainings/runs/{run}/now", _now),
    ]


def _state(studio: Studio) -> Content:
    queue = studio.queue
    return {
        "told": studio.told,
        "trainings": [watching.shown(queue, one) for one in queue.entries],
        "busy_with": queue.busy_with(),
        "damage": queue.damage,
        "missing": why_not(studio.workspace, studio.views),
        "unlike": studio.views.keep(
            ("unlike", language()), lambda: unlike(studio.workspace, studio.views)
        ),
        "lacking": lacking(),
    }


async def _list(request: Request) -> Response:
    return await answer(request, _state)


async def _now(request: Request) -> Response:
    name = request.path_params["run"]

    def work(studio: Studio) -> Content:
        one = studio.queue.of_run(name)
        # A training that waits, or has just begun, has no folder yet.
        is_new = one is not None and not studio.queue.folder(one).exists()
        folder = studio.queue.folder(one) if one and is_new else studio.runs.find(name)
        return watching.detail(studio.workspace, studio.queue, folder)

    return await answer(request, work)


def _choice(studio: Studio, content: dict[str, Any]) -> Choice:
    """Return the choice of a request.

    Raises:
        Problem: If there is no such choice, or if nothing can be trained yet.
    """
    choice = Choice.of(content)
    missing = why_not(studio.workspace, studio.views)
    if missing:
        raise Problem(missing, WRONG, "images")
    return choice


async def _add(request: Request) -> Response:
    content = await read_content(request)

    def work(studio: Studio) -> Content:
        choice = _choice(studio, content)
        studio.planning.stop()  # its time is better spent on the training
        one = studio.queue.add(choice)
        return {"training": watching.shown(studio.queue, one), **_state(studio)}

    return await answer(request, work, 201)


async def _plan(request: Request) -> Response:
    """Tell what a training would be, which is not found out while another one goes on.

    With "begin" it is found out if nobody has done so yet; with "again" only if no other plan is
    being made, so that two pages do not stop one another's.
    """
    content = await read_content(request)

    def work(studio: Studio) -> Content:
        choice = _choice(studio, content)
        planning = studio.planning
        plan = planning.status(choice)
        is_unknown = plan["state"] in ("none", "failed")
        if is_unknown and studio.queue.running is not None:
            plan = {"state": "later"}  # both would take their time from one another
        elif is_unknown and (content.get("begin") or (content.get("again") and planning.is_free)):
            plan = planning.ask(choice)
        return {"plan": plan, "command": command_of(studio.queue.planned_words(choice))}

    return await answer(request, work)


async def _continue_run(request: Request) -> Response:
    content = await read_content(request)

    def work(studio: Studio) -> Content:
        studio.queue.go_on_with(studio.runs.find(content.get("run")))
        return _state(studio)

    return await answer(request, work)


async def _act(request: Request) -> Response:
    identifier = request.path_params["id"]
    act = request.path_params["act"]

    def work(studio: Studio) -> Content:
        queue = studio.queue
        acts = {
            "stop": lambda: queue.stop(identifier),
            "continue": lambda: queue.go_on(identifier),
            "earlier": lambda: queue.move(identifier, -1),
            "later": lambda: queue.move(identifier, 1),
        }
        if act not in acts:
            raise Problem(_("there is nothing at this path; / is the page."), 404)
        acts[act]()
        return _state(studio)

    return await answer(request, work)


async def _remove(request: Request) -> Response:
    def work(studio: Studio) -> Content:
        studio.queue.remove(request.path_params["id"])
        return _state(studio)

    return await answer(request, work)
