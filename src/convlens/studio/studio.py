"""Studio: an open workspace with all that its pages ask for, and how requests reach it."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from convlens.language import _
from convlens.studio.auditing import Auditing
from convlens.studio.imports import Imports
from convlens.studio.json_answer import JSONResponse
from convlens.studio.microscope.looking import Looking
from convlens.studio.opening import Places
from convlens.studio.problem import TOO_LARGE, Problem
from convlens.studio.run_list import RunList
from convlens.studio.scores.scores import Scores
from convlens.studio.shipping.shipping import Shipping
from convlens.studio.thumbs import Thumbs
from convlens.studio.training.planning import Planning
from convlens.studio.training.queue import Queue
from convlens.studio.trying.trying import Trying
from convlens.studio.views import Views
from convlens.studio.workspace import Workspace

MOST_JSON = 10_000_000  # bytes of a request that is no image
PATIENCE = 30.0  # seconds in which a page may send nothing

Content = dict[str, Any]


class Studio:
    """An open workspace.

    Attributes:
        workspace: The workspace.
        views: What pages show of it.
        thumbs: Its small images.
        imports: Images that wait to be added.
        auditing: Its audit.
        runs: Its trainings.
        shipping: Its exports, and how they are shown to others.
        looking: What looks into their networks.
        queue: The trainings that somebody has asked for in the page.
        planning: What a training will be.
        scores: What their reports say.
        trying: The classifier that pages try.
        ended: Set when the server ends, so that nobody waits any longer.
    """

    def __init__(self, places: Places) -> None:
        self.workspace = Workspace(places)
        self.views = Views(self.workspace)
        self.thumbs = Thumbs(self.workspace)
        self.imports = Imports(places)
        self.auditing = Auditing(self.workspace)
        self.runs = RunList(places.runs)
        self.shipping = Shipping(places)
        self.looking = Looking(places)
        self.queue = Queue(self.workspace)
        self.planning = Planning(self.workspace)
        self.scores = Scores(self.workspace, self.runs)
        self.trying = Trying()
        self.ended = threading.Event()

    @property
    def told(self) -> int:
        """A number that rises with each piece of progress, as of an audit or a training."""
        parts = (
            self.auditing,
            self.runs,
            self.queue,
            self.planning,
            self.shipping,
            self.looking,
            self.scores,
            self.trying,
        )
        return sum(part.told for part in parts)

    def refresh(self) -> None:
        """Look at what others, such as the command line, have changed meanwhile."""
        self.workspace.refresh()
        self.runs.refresh()
        self.planning.look()

    def close(self) -> None:
        """End what goes on in the background, and write what is not yet on the disk."""
        self.ended.set()
        self.auditing.stop()
        self.shipping.close()
        self.looking.close()
        self.planning.stop()
        self.queue.close()
        self.scores.close()
        self.trying.close()
        self.thumbs.close()
        self.workspace.close()


def studio_of(request: Request) -> Studio:
    """Return the studio that a request is for."""
    found: Studio = request.app.state.studio
    return found


async def answer(
    request: Request, work: Callable[[Studio], Content], status: int = 200
) -> Response:
    """Return what some work on the workspace gives, with its lock held, in a thread."""
    studio = studio_of(request)

    def do() -> Content:
        with studio.workspace.lock:
            return work(studio)

    return JSONResponse(await run_in_threadpool(do), status)


async def read_content(request: Request) -> Content:
    """Return the JSON object of a request; an empty one if there is no body.

    Raises:
        Problem: If it is something else.
    """
    body = await read_body(request, MOST_JSON)
    if not body:
        return {}
    try:
        content = json.loads(body)
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:  # half an emoji
        message = _("the texts of the request must be valid Unicode; one of them is not.")
        raise Problem(message, 400) from error
    except (ValueError, RecursionError) as error:
        raise Problem(_("the request must be JSON; it is not."), 400) from error
    if not isinstance(content, dict):
        raise Problem(_("the request must be a JSON object; it is not."), 400)
    return content


async def read_body(request: Request, most: int) -> bytes:
    """Return the body of a request.

    Raises:
        Problem: If it has more bytes, or is sent too slowly.
    """
    parts: list[bytes] = []
    await receive(request, most, parts.append)
    return b"".join(parts)


async def receive(request: Request, most: int, keep: Callable[[bytes], object]) -> int:
    """Give the body of a request to a function, part by part, and return its size.

    Raises:
        Problem: If it has more bytes, or is sent too slowly.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise _too_large(most)
    size = 0
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(PATIENCE):
                part = await anext(stream)
        except StopAsyncIteration:
            return size
        except TimeoutError as error:
            raise Problem(_("the request was sent too slowly."), 408) from error
        size += len(part)
        if size > most:
            raise _too_large(most)
        keep(part)


def _too_large(most: int) -> Problem:
    return Problem(
        _("a request may have {most:g} MB at most; this one has more.").format(most=most / 1e6),
        TOO_LARGE,
    )
