"""The page of the studio when a key is held, and when the second click of a double click comes."""

from tests.studio.browsing import (  # noqa: F401 - fixtures
    names,
    served,
    wait_for,
    window,
)
from tests.studio.holding import MOMENT, refused_trainings, with_images


def waiting(*runs):
    """Return the answer of a server whose trainings wait in an order."""
    one = {
        "choice": {}, "asked": "2026-11-28T20:00:00+00:00", "state": "waiting",
        "state_text": "waiting", "message": "", "needed": None, "is_begun": False,
        "stopping": False, "began": None, "ended": None, "now": 9.0, "left": None,
        "progress": None, "can_go_on": False, "command": None,
    }  # fmt: skip
    more = {"busy_with": "", "damage": "", "missing": "", "unlike": "", "lacking": ""}
    return {"trainings": [{**one, "id": run, "run": run} for run in runs], **more}


def shown_queue(page):
    return page.locator(".trainings .row .name").all_inner_texts()


def test_a_key_that_is_held_starts_one_training(served, window):  # noqa: F811
    with_images(served, cat=12, dog=12)
    tabs = window()
    page = tabs.tab(served.address)
    asked = refused_trainings(tabs, page)
    page.locator(".start-training").focus()
    page.keyboard.down("Enter")
    page.wait_for_selector(".message:has-text('not now.')")
    page.keyboard.down("Enter")  # the key is still held
    page.wait_for_timeout(MOMENT)
    page.keyboard.up("Enter")
    assert len(asked) == 1
    page.keyboard.press("Enter")
    wait_for(page, lambda: len(asked), 2)
    tabs.check(served.origin)


def test_a_second_click_does_not_meet_what_has_moved_under_the_mouse(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    runs = ["first", "second", "third"]
    removed = []

    def remove(route):
        if route.request.method != "DELETE":  # but asks for a plan
            route.fallback()
            return
        removed.append(route.request.url.rpartition("/")[2])
        runs.remove(removed[-1])
        route.fulfill(json=waiting(*runs))

    page.route("**/api/trainings", lambda route: route.fulfill(json=waiting(*runs)))
    page.route("**/api/trainings/*", remove)
    page.evaluate("location.hash = 'room=train'")
    close = page.get_by_role("button", name="Take first out of the list")
    box = close.bounding_box()
    close.click()
    wait_for(page, lambda: shown_queue(page), ["second", "third"])
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for _times in range(2):
        page.mouse.down(click_count=2)
        page.mouse.up(click_count=2)
    page.wait_for_timeout(MOMENT)
    assert removed == ["first"]
    page.mouse.down()
    page.mouse.up()
    wait_for(page, lambda: shown_queue(page), ["third"])
    tabs.check(served.origin)


def test_a_double_click_removes_images_once_and_an_undo_counts_each_click(served, window):  # noqa: F811
    with_images(served, cat=3, dog=2)
    tabs = window()
    page = tabs.tab(served.address)
    page.locator(".cell").first.click()
    page.keyboard.press("2")
    wait_for(page, lambda: names(page), ["cat 2", "dog 3"])
    page.get_by_role("button", name="To the trash").dblclick()
    wait_for(page, lambda: names(page), ["cat 2", "dog 2"])
    page.wait_for_timeout(MOMENT)
    assert page.locator(".message.error").count() == 0
    undo = page.locator(".tools .icon-button").first
    undo.dblclick()
    wait_for(page, lambda: names(page), ["cat 3", "dog 2"])
    tabs.check(served.origin)


def test_a_key_that_is_held_puts_the_pen_down_and_adds_a_drawing_once(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    card = page.locator(".way").nth(2)
    card.locator("input").fill("cat")
    card.get_by_role("button").click()
    page.locator(".board canvas").focus()
    for _times in range(2):
        page.keyboard.down("Space")
    page.keyboard.up("Space")
    assert page.get_attribute(".board .pen", "data-down") == "true"
    for _times in range(3):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    wait_for(page, lambda: names(page), ["cat 1"])
    page.wait_for_timeout(MOMENT)
    assert page.locator(".message:has-text('nothing on the board')").count() == 0
    tabs.check(served.origin)
