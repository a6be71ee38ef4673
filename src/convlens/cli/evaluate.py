"""`convlens evaluate`: score a run's classifier."""

import json

from convlens import backend
from convlens.data.sources import load_data
from convlens.run import Run
from convlens.screen import Screen


def evaluate_run(name: str, data: str | None, *, as_json: bool) -> None:
    """Print the scores on the run's test images, or on other ones, as a table or as report.json has them."""
    run = Run.open(name)
    config = run.config
    screen = Screen(quiet=as_json)
    dataset = load_data(
        data or run.data["path"], pattern=config.data.pattern, for_training=data is None
    )
    backend.start(threads=config.training.threads)  # a classifier opens on any engine
    from convlens.report.rescore import score_again, score_other

    classifier = run.classifier()
    if data is None:
        folder = score_again(run, classifier, dataset, screen)
    else:
        folder = score_other(run, classifier, dataset, screen)
    if as_json:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        print(json.dumps(report, ensure_ascii=False, indent=1))  # noqa: T201
