"""Holding: requests of a page that are held up, and answers that come late."""

from tests.studio.browsing import write_folder

MOMENT = 500  # milliseconds in which a wrong answer would be shown


def hold(page, pattern, times=None):
    """Hold requests of a page, the first ones or all; return the list that gets their routes."""
    held = []
    page.route(pattern, lambda route: held.append(route), times=times)
    return held


def hold_answer(page, pattern):
    """Let the server answer a request, and hold the answer; return the list that gets it."""
    held = []
    page.route(pattern, lambda route: held.append((route, route.fetch())), times=1)
    return held


def release(held):
    """Give the page an answer that was held."""
    (route, answer) = held.pop()
    route.fulfill(response=answer)


def with_images(studio, **classes):
    """Start a studio anew that has these images."""
    studio.kill()
    write_folder(studio.folder / "images", **classes)
    studio.start()


def add_class(page, name):
    page.locator(".side .name-field input").fill(name)
    page.locator(".side .name-field button").click()


def begin_run(studio, name):
    """Let the workspace have a run that somebody has begun elsewhere."""
    (studio.folder / "runs" / name / "state").mkdir(parents=True)


def refused_trainings(tabs, page):
    """Refuse what the page asks to train; return the list that gets these requests."""
    asked = asked_for(tabs, "POST", "/api/trainings")
    refusal = {"status": 409, "json": {"message": "not now.", "field": None}}
    page.route(
        "**/api/trainings",
        lambda route: (
            route.continue_() if route.request.method == "GET" else route.fulfill(**refusal)
        ),
    )
    page.evaluate("location.hash = 'room=train'")
    return asked


def asked_for(tabs, method, end):
    """Return a list that gets the requests of a kind."""
    found = []

    def hear(request):
        if request.method == method and request.url.endswith(end):
            found.append(request.url)

    tabs.context.on("request", hear)
    return found
