"""A workspace with two versions of a classifier, and the requests for their scores."""

from contextlib import contextmanager

from tests.scored import predicted, write_run
from tests.studio.conftest import opened, picture

NAMES = ("cat", "dog")


@contextmanager
def versions(folder):
    """Return the page of a workspace of 12 cats and 12 dogs with two versions."""
    with opened(folder) as found:
        for place, name in enumerate(NAMES):
            identifier = found.make(name)
            for number in range(12):
                found.add(identifier, f"{number}.png", picture(100 * place + number), group=name)
        found.files = [f"{name}/{number}.png" for name in NAMES for number in range(12)]
        found.labels = [0] * 12 + [1] * 12
        write(found, "old", wrong=(0, 1, 2, 3, 12))
        write(found, "new", wrong=(12,), second=1)
        found.studio.runs._looked = -1e9
        yield found


def write(page, name, wrong=(), files=None, **more):
    places = page.studio.workspace.places
    answers = [1 - one if place in wrong else one for place, one in enumerate(page.labels)]
    evaluation = predicted(page.labels, answers, NAMES, threshold=0.7)
    return write_run(
        places.runs / name, evaluation, files or page.files, path=places.images, **more
    )


def scores(page, run):
    return page.get(f"/api/scores?run={run}").json()
