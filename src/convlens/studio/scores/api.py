"""API of the scores: what a run has reached, the images of each cell, and versions side by side."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from convlens.errors import StorageError
from convlens.evaluation.predictions import Predictions
from convlens.language import _
from convlens.reasons import system_reason
from convlens.run_folder import read_json
from convlens.studio.asking import whole_number
from convlens.studio.changes import class_id
from convlens.studio.guard import POLICY_HEADER, REPORTS
from convlens.studio.json_answer import JSONResponse
from convlens.studio.listing import Item
from convlens.studio.problem import Problem
from convlens.studio.scores.scores import Scores
from convlens.studio.scores.shown import has_report, lists_of, version
from convlens.studio.studio import Content, Studio, answer, read_content, studio_of
from convlens.studio.written import difference_written, seen_in_words, written
from convlens.text import printable

MOST = 500  # images of an answer
CELLS = {
    "both": (True, True),
    "first": (True, False),
    "second": (False, True),
    "neither": (False, False),
}
# A report has scripts and styles inside, and may come from somebody else together with its run. In
# this sandbox it has an origin of its own, so that it reads neither the token nor an answer of the
# studio, and it can load and send nothing.
# not translated: what browsers read
REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"  # not translated: as above
)


def routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("/api/scores", _scores),
        Route("/api/scores/images", _images),
        Route("/api/scores/compare", _compare),
        Route("/api/scores/compare/images", _compared_images),
        Route("/api/scores/predictions", _predict, methods=["POST"]),
        Route(f"{REPORTS}{{run}}", _report),
    ]


async def _with_scores(request: Request, work: Callable[[Scores], Content]) -> Response:
    """Return what some work on the scores gives, in a thread, while others use the workspace."""
    return JSONResponse(await run_in_threadpool(work, studio_of(request).scores))


async def _scores(request: Request) -> Response:
    studio = studio_of(request)
    folder = studio.runs.find(request.query_params.get("run"))
    key = request.app.state.access.report_key(folder.name)

    def work(scores: Scores) -> Content:
        said = version(scores, folder)
        link = f"{REPORTS}{quote(folder.name, errors='surrogateescape')}?key={key}"
        return {**said, "report": link if said.get("has_report") else None}

    return await _with_scores(request, work)


async def _images(request: Request) -> Response:
    """Return the images of a cell, or all mistakes, the most confident predictions first."""
    given = dict(request.query_params)
    studio = studio_of(request)
    folder = studio.runs.find(given.get("run"))
    found = await run_in_threadpool(studio.scores.predictions, folder)
    data = await run_in_threadpool(read_json, folder / "data.json")
    places = found.worst_first(_chosen(found, given)).tolist()
    part = _part(places, given)

    def work(studio: Studio) -> Content:
        items = studio.scores.items(data, [found.files[place] for place in part])
        return {
            "total": len(places),
            "rows": [
                _row(studio, found.files[place], item)
                | {
                    "true": printable(found.class_names[found.labels[place]]),
                    "predicted": [printable(found.class_names[found.predicted[place]])],
                    "confidence": [float(found.confidence[place])],
                }
                for place, item in zip(part, items, strict=True)
            ],
        }

    return await answer(request, work)


def _chosen(found: Predictions, given: dict[str, str]) -> Any:
    """Return which images a request asks for.

    Raises:
        Problem: If it names a class that there is not.
    """
    chosen = np.ones(len(found.files), bool)
    last = len(found.class_names) - 1
    if given.get("true"):
        chosen &= found.labels == whole_number(given, "true", 0, last)
    if given.get("predicted"):
        chosen &= found.predicted == whole_number(given, "predicted", 0, last)
    if given.get("only") == "mistakes":
        chosen &= found.labels != found.predicted
    return chosen


def _part(places: Sequence[int], given: dict[str, str]) -> Sequence[int]:
    offset = whole_number(given, "offset", 0, 10**9)
    return places[offset : offset + whole_number(given, "limit", 100, MOST)]


def _row(studio: Studio, file: str, item: Item | None) -> Content:
    """Return what a page shows of an image: its id and its class now, or that it is gone."""
    if item is None:
        return {"file": printable(file), "id": None}
    marks = studio.workspace.marks
    return {
        "file": printable(file),
        "id": item.id,
        "label": class_id(marks.label(item)),
        "given": class_id(item.given),
        "excluded": marks.is_excluded(item),
    }


async def _compare(request: Request) -> Response:
    """Return versions side by side, or which of them must predict their images first."""
    names = request.query_params.getlist("run")

    def work(scores: Scores) -> Content:
        studio = studio_of(request)
        folders = [studio.runs.find(name) for name in names]
        states = {folder.name: scores.state_of_predictions(folder) for folder in folders}
        missing = {
            printable(name): state for name, state in states.items() if state["state"] != "ready"
        }
        if missing:
            return {"missing": missing}
        found = scores.compared(names)
        said = found.to_dict()
        for shown, one in zip(said["versions"], found.versions, strict=True):
            shown["lists"] = lists_of(one.folder, one.data)
            shown["seen"] = seen_in_words(shown["images_seen"])
            shown["accuracy"] = written(shown["accuracy"])
        for pair in said["pairs"]:
            pair["accuracies"] = [written(score) for score in pair["accuracies"]]
            pair |= difference_written(pair)
        return {"missing": {}, **said}

    return await _with_scores(request, work)


async def _compared_images(request: Request) -> Response:
    """Return the images of a cell of two versions."""
    given = dict(request.query_params)
    names = request.query_params.getlist("run")
    studio = studio_of(request)
    found = await run_in_threadpool(studio.scores.compared, names)
    cell = CELLS.get(given.get("cell", ""))
    common = found.result.common.get((given.get("first", ""), given.get("second", "")))
    if cell is None or common is None:
        raise Problem(_("there is no such cell of these versions."), field="cell")
    places = common.cell(is_first=cell[0], is_second=cell[1])
    part = _part(places, given)
    (data,) = (one.data for one in found.versions if one.name == given["second"])

    def work(studio: Studio) -> Content:
        items = studio.scores.items(data, [common.files[place] for place in part])
        return {
            "total": len(places),
            "rows": [
                _row(studio, common.files[place], item)
                | {
                    "true": printable(common.labels[place]),
                    "predicted": [printable(one[place]) for one in common.predicted],
                    "confidence": common.confidence[:, place].tolist(),
                }
                for place, item in zip(part, items, strict=True)
            ],
        }

    return await answer(request, work)


async def _predict(request: Request) -> Response:
    """Begin to predict the test images of an older run."""
    content = await read_content(request)

    def work(studio: Studio) -> Content:
        folder = studio.runs.find_classifier(content.get("run"))
        if studio.queue.running is not None:
            raise Problem(
                _(
                    "a training is going on and would lose its time; predict the images when it "
                    "has ended."
                ),
                409,
                "run",
            )
        studio.scores.predicting.start(folder, studio.scores.source_of(folder))
        return {"predictions": studio.scores.state_of_predictions(folder)}

    return await answer(request, work, 202)


async def _report(request: Request) -> Response:
    path = studio_of(request).runs.find(request.path_params["run"]) / "report.html"
    if not has_report(path.parent):
        raise Problem(_("this run has no report."), 404, "run")
    try:
        content = await run_in_threadpool(path.read_bytes)
    except OSError as error:
        raise StorageError(
            _("{path}: the report cannot be read; {reason}.").format(
                path=path, reason=system_reason(error)
            )
        ) from error
    headers = {
        POLICY_HEADER: REPORT_POLICY,
        # A browser refuses a page in a sandbox that asks for a group of windows of its own.
        "Cross-Origin-Opener-Policy": "unsafe-none",
    }
    return Response(content, media_type="text/html", headers=headers)
