"""The page of the studio when it is left right after something was done."""

import os
import signal

from tests.studio.browsing import (  # noqa: F401 - fixtures
    served,
    wait_for,
    window,
    write_image,
)
from tests.studio.holding import MOMENT, with_images


def test_a_change_is_made_though_the_page_is_left_before_it_is_sent(served, window):  # noqa: F811
    with_images(served, cat=3, dog=2)
    tabs = window()
    page = tabs.tab(served.address)
    page.locator(".cell").first.click()
    page.wait_for_selector(".details .facts")
    os.kill(served.process.pid, signal.SIGSTOP)
    try:
        # A browser has six connections to a server; what it is asked for then has to wait.
        page.evaluate(
            "for (let n = 0; n < 8; n++) fetch(`/texts.json?${n}`, { keepalive: true }); 0"
        )
        page.keyboard.press("x")
        page.wait_for_selector(".cell[data-excluded=true]")
        page.goto("about:blank")
    finally:
        os.kill(served.process.pid, signal.SIGCONT)
    wait_for(page, (served.folder / "corrections.csv").exists, True)
    tabs.check(served.origin)


def test_a_file_that_is_dropped_where_none_is_taken_does_not_open_in_its_place(
    served,  # noqa: F811
    window,  # noqa: F811
    tmp_path,
):
    tabs = window()
    page = tabs.tab(served.address)
    page.evaluate("location.hash = 'room=microscope&part=network'")
    page.wait_for_selector(".micro-stage")
    file = write_image(tmp_path / "dropped.png", 1)
    client = tabs.context.new_cdp_session(page)
    data = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        place = {"type": kind, "x": 640, "y": 400, "data": data}
        client.send("Input.dispatchDragEvent", place)
    page.wait_for_timeout(MOMENT)
    assert len(tabs.context.pages) == 1
    assert page.locator(".micro-stage").count() == 1
    tabs.check(served.origin)
