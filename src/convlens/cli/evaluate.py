"""`convlens evaluate`: score the classifier of a run."""

import json

from convlens import backend
from convlens.data.sources import load_data
from convlens.run import Run
from convlens.screen import Screen


def evaluate_run(name: str, data: str | None, *, as_json: bool) -> None:
    """Print the scores of a classifier.

    Args:
        name: The name or folder of the run.
        data: Other labelled images to score it on, or None for the test images of the run.
        as_json: Whether to print the content of report.json instead of a table.
    """
    run = Run.open(name)
    config = run.config
    screen = Screen(quiet=as_json)
    dataset = load_data(
        data or run.data["path"], pattern=config.data.pattern, for_training=data is None
    )
    backend.start(threads=config.training.threads)  # a classifier opens on any engine
    from convlens.report.rescore import score_again, score_other

    score = score_again if data is None else score_other
    folder = score(run, run.classifier(), dataset, screen)
    if as_json:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        print(json.dumps(report, ensure_ascii=False, indent=1))  # noqa: T201
