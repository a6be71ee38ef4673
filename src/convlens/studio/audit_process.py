"""Audit process: check the images of a workspace in a process of its own.

    python -m convlens.studio.audit_process REQUEST

REQUEST is a JSON file: source, layout, using (a list or null), features, result. The process prints
a line of JSON for each piece of progress, and writes what it has found, or why it could not look,
to the file that `result` names. It calls what `convlens audit` calls.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from convlens.audit.audit import Audit, audit_data
from convlens.config import Config
from convlens.data.prepared import Prepared, prepare_data
from convlens.data.sources import load_to_check
from convlens.errors import ConvlensError, DataError
from convlens.files import write_atomically
from convlens.language import _, again
from convlens.language_choice import TAGS, using

KINDER = 5  # how much more the page may compute than this process
PAUSE = 0.2  # seconds between two lines of progress


def main(request: Path) -> None:
    """Do what a request asks for."""
    asked = json.loads(request.read_text(encoding="utf-8"))
    with contextlib.suppress(AttributeError, OSError):  # Windows has no such thing
        os.nice(KINDER)
    result: dict[str, Any] = {"stamp": asked["stamp"]}
    try:
        facts = _audit(asked).to_dict()
        result["audit"] = facts | {"left_out": in_each_language(facts["left_out"])}
    except ConvlensError as error:
        result["message"] = in_each_language(error.args[0])
    write_atomically(asked["result"], json.dumps(result), _("the audit"))


def in_each_language(texts: Any) -> dict[str, Any]:
    """Return texts by the language; that of the page may change after the audit."""
    said = {}
    for name in TAGS:
        with using(name):
            said[name] = again(texts)
    return said


def _audit(asked: dict[str, Any]) -> Audit:
    started = time.perf_counter()
    using = [asked["using"]] if asked["using"] else []
    dataset = load_to_check(asked["source"], layout=asked["layout"], using=using)
    images: Any = dataset
    # What cannot be split, such as classes of one image, can still be checked.
    with contextlib.suppress(DataError):
        images = prepare_data(dataset, Config(), progress=_teller("decoding"), survive=True)
    features = None
    if asked["features"] and isinstance(images, Prepared):
        from convlens import backend

        backend.start()  # before anything imports the engine
        from convlens.audit.features import features_of_all

        features = features_of_all(images, _teller("features"))
    found = audit_data(images, features=features, progress=_teller("checks"))
    return replace(found, seconds=time.perf_counter() - started)


def _teller(stage: str) -> Callable[[int, int], None]:
    """Return a function that tells how far a stage is."""
    last = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last < PAUSE and done < total:
            return
        last = time.monotonic()
        # The studio may have been killed; the audit is of use to the next one.
        with contextlib.suppress(OSError, ValueError):
            print(json.dumps({"stage": stage, "done": done, "total": total}), flush=True)  # noqa: T201

    tell(0, 0)
    last = 0.0
    return tell


if __name__ == "__main__":
    main(Path(sys.argv[1]))
