"""The page of the room in which a classifier is tried, as the tests open it and act in it."""

import pytest

from tests.studio.browsing import Served, window  # noqa: F401 - fixtures
from tests.studio.trying import trained, workspace_of  # noqa: F401 - a fixture

LOADING = 240  # seconds, on a computer that does much else


@pytest.fixture(scope="module")
def studio(trained, tmp_path_factory):  # noqa: F811
    """A studio with a run, and one whose threshold nothing reaches."""
    folder = tmp_path_factory.mktemp("try_page") / "shapes"
    running = Served(workspace_of(trained, folder, strict=1.0))
    running.start()
    yield running
    running.close()


@pytest.fixture
def room(studio, window):  # noqa: F811
    """Return a function that opens the room with a run, and gives its tabs and its page."""

    def open_room(language="en", run="first", webcam=True, **more):
        tabs = window(language, **more)
        return tabs, enter(tabs, studio, run, webcam)

    return open_room


def enter(tabs, studio, run, webcam=True):
    """Return a new tab in the room, with the webcam on."""
    page = tabs.tab(studio.address)
    page.evaluate(f"location.hash = 'room=try&run={run}'")
    page.wait_for_selector(".try-page")
    if webcam:
        page.locator(".looked-at .button.primary").click()
    return page


def answered(page, which=""):
    """Wait for an answer; a process that has to import the engine first takes a while."""
    page.wait_for_selector(f".said{which}", timeout=1000 * LOADING)


def explained(page):
    """Wait for a map; the engine is imported for the first one."""
    page.wait_for_selector(".explanation .map", timeout=1000 * LOADING)


def near(page):
    """Wait for the nearest training images; likewise."""
    page.wait_for_selector(".neighbours li", timeout=1000 * LOADING)


def draw(page, height=0.5):
    box = page.locator(".board canvas").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + height * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + height * box["height"], steps=6)
    page.mouse.up()
