"""The other rooms of the page when answers come late, in another order, or never."""

import json

from tests.studio.browsing import (  # noqa: F401 - fixtures
    served,
    wait_for,
    window,
)
from tests.studio.holding import MOMENT, begin_run, hold, hold_answer, release, with_images

SOON = 15_000  # milliseconds, before a page asks again all by itself: after 20 seconds


def test_a_late_list_of_runs_does_not_take_a_new_run_away(served, window):  # noqa: F811
    with_images(served, cat=3, dog=2)
    tabs = window()
    page = tabs.tab(served.address)
    held = hold_answer(page, "**/api/runs")
    page.evaluate("location.hash = 'room=scores'")
    wait_for(page, lambda: len(held), 1)
    with page.expect_response("**/api/changes?*"):
        begin_run(served, "pets")
    page.wait_for_timeout(3 * MOMENT)  # in which what follows is asked for and answered
    release(held)
    page.locator(".version-name", has_text="pets").wait_for(timeout=SOON)
    page.wait_for_timeout(MOMENT)
    assert page.locator(".version-name", has_text="pets").count() == 1
    tabs.check(served.origin)


def test_a_late_answer_does_not_take_a_plan_back(served, window):  # noqa: F811
    with_images(served, cat=12, dog=12)
    tabs = window()
    page = tabs.tab(served.address)
    asked = []

    def answer(route):
        """Say that the plan is being made, and hold that; then say what it is."""
        asked.append(route)
        done = {"state": "done", "seconds": 60, "notes": [], "facts": [["Network", "small"]]}
        if len(asked) > 1:
            route.fulfill(json={"plan": done, "command": ""})

    page.route("**/api/trainings/plan", answer)
    page.evaluate("location.hash = 'room=train'")
    wait_for(page, lambda: len(asked), 1)
    with page.expect_response("**/api/changes?*"):
        begin_run(served, "pets")
    page.wait_for_timeout(3 * MOMENT)  # in which what follows is asked for and answered
    asked[0].fulfill(json={"plan": {"state": "running", "progress": None}, "command": ""})
    page.locator(".plan .facts").wait_for(timeout=SOON)
    page.wait_for_timeout(MOMENT)
    assert page.get_attribute(".plan", "aria-busy") == "false"
    tabs.check(served.origin)


def open_pictures(tabs, studio):
    """Return a page that shows which image is put under the microscope."""
    page = tabs.tab(studio.address)
    page.evaluate("location.hash = 'room=microscope&part=image'")
    page.wait_for_selector(".own-pictures button")
    return page


def test_the_image_that_was_chosen_last_stays_under_the_microscope(served, window):  # noqa: F811
    with_images(served, cat=3, dog=2)
    tabs = window()
    page = open_pictures(tabs, served)
    held = hold(page, "**/api/microscope/images/*", times=1)
    pictures = page.locator(".own-pictures button")
    pictures.nth(0).click()
    wait_for(page, lambda: len(held), 1)
    pictures.nth(1).click()
    name = pictures.nth(1).get_attribute("title").rpartition("/")[2]
    shown = page.locator(".put figcaption")
    wait_for(page, lambda: shown.all_inner_texts(), [name])
    held[0].continue_()
    page.wait_for_timeout(MOMENT)
    assert shown.all_inner_texts() == [name]
    tabs.check(served.origin)


def test_an_image_for_the_microscope_is_not_looked_for_in_another_room(served, window):  # noqa: F811
    with_images(served, cat=3, dog=2)
    tabs = window()
    page = open_pictures(tabs, served)
    held = hold(page, "**/api/microscope/images/*", times=1)
    page.locator(".own-pictures button").first.click()
    wait_for(page, lambda: len(held), 1)
    page.locator(".tabs").get_by_role("button", name="Images").click()
    page.wait_for_selector(".cell")
    held[0].continue_()
    page.wait_for_timeout(MOMENT)
    assert page.locator(".message").count() == 0
    page.locator(".tabs").get_by_role("button", name="Microscope").click()
    page.locator(".put figcaption").wait_for()  # it was chosen all the same
    tabs.check(served.origin)


def test_a_room_that_is_left_while_it_loads_leaves_no_style_behind(served, window):  # noqa: F811
    with_images(served, cat=3, dog=2)
    tabs = window()
    page = tabs.tab(served.address)
    held = hold(page, "**/page/train/room.css")
    tab = page.locator(".tabs").get_by_role
    for room in ("Train", "Images", "Train"):
        tab("button", name=room).click()
    wait_for(page, lambda: len(held) > 0, True)
    page.unroute("**/page/train/room.css")  # which lets them go on
    page.wait_for_selector(".room.train")
    tab("button", name="Images").click()
    page.wait_for_selector(".cell")
    holding = """() => [...document.styleSheets].filter(
      (one) => one.href?.endsWith("/train/room.css") && !one.disabled).length"""
    assert page.evaluate(holding) == 0
    tabs.check(served.origin)


def test_what_was_asked_for_while_nobody_answered_is_asked_for_again(served, window):  # noqa: F811
    with_images(served, cat=3, dog=2)
    tabs = window()
    # What waits for a change is never answered; it would show after 20 seconds that the server is
    # there, and the page has to find that out before.
    tabs.context.route(
        lambda url: "/api/changes?" in url and "since=0&" not in url, lambda route: None
    )
    page = tabs.tab(served.address)
    for part in ("network", "valley"):
        page.route(f"**/api/microscope/{part}", lambda route: route.abort(), times=1)
        page.evaluate(f"location.hash = 'room=microscope&part={part}'")
        page.wait_for_selector(f".micro-body[data-part={part}] .micro-stage")
    page.evaluate("location.hash = 'room=images'")
    page.route("**/api/images/*", lambda route: route.abort(), times=1)
    page.locator(".cell").first.click()
    page.wait_for_selector(".details .facts")
    page.wait_for_selector(".banner", state="detached")
    plans = []

    def refuse(route):
        plans.append(json.loads(route.request.post_data)["begin"])
        route.abort()

    page.route("**/api/trainings/plan", refuse)
    page.evaluate("location.hash = 'room=train'")
    wait_for(page, lambda: plans.count(True) > 1, True)
    tabs.check(served.origin)


def test_a_zip_that_is_sent_is_followed_also_from_another_room(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    held = hold(page, "**/api/ship/open?*")
    page.evaluate("location.hash = 'room=ship'")
    page.wait_for_selector(".ship-side")
    file = {"name": "pets.zip", "mimeType": "application/zip", "buffer": b"nothing"}
    page.set_input_files(".ship-side input[type=file]", [file])
    wait_for(page, lambda: len(held), 1)
    for room in ("Images", "Ship"):
        page.locator(".tabs").get_by_role("button", name=room).click()
    page.wait_for_selector(".ship-side progress")
    held[0].fulfill(status=422, json={"message": "pets.zip: this is no archive.", "field": None})
    page.wait_for_selector(".ship-side .problem:has-text('this is no archive')")
    tabs.check(served.origin)


def test_a_training_that_begins_changes_no_other_room(served, window):  # noqa: F811
    with_images(served, cat=12, dog=12)
    tabs = window()
    page = tabs.tab(served.address)
    held = []
    page.route(
        "**/api/trainings",
        lambda route: held.append(route) if route.request.method == "POST" else route.continue_(),
    )
    page.evaluate("location.hash = 'room=train'")
    page.locator(".start-training").click()
    wait_for(page, lambda: len(held), 1)
    page.locator(".tabs").get_by_role("button", name="Scores").click()
    page.wait_for_selector(".scores-room")
    begun = {"trainings": [], "busy_with": "", "damage": "", "missing": "", "unlike": ""}
    held[0].fulfill(status=201, json={**begun, "lacking": "", "training": {"run": "pets"}})
    page.wait_for_timeout(MOMENT)
    assert "run=" not in page.url
    tabs.check(served.origin)


def test_a_classifier_that_is_ready_is_not_said_to_be_loaded(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    run = {"name": "pets", "state": "finished", "has_classifier": True, "network": "small_cnn"}
    page.route("**/api/runs", lambda route: route.fulfill(json={"told": 0, "runs": [run]}))
    known = {"run": "pets", "class_names": ["cat"], "stamp": "1", "is_newer": False}
    ready = {"state": "ready", **known}
    page.route("**/api/try/status?*", lambda route: route.fulfill(json=ready))
    held = hold(page, "**/api/try/open")
    page.evaluate("location.hash = 'room=try'")
    wait_for(page, lambda: len(held), 1)
    page.locator(".source-choice .button").nth(1).click()
    page.wait_for_selector(".no-answer .spinner")
    begin_run(served, "others")  # of which the page hears
    page.wait_for_selector(".no-answer .spinner", state="detached")
    held[0].fulfill(json={"state": "loading", **known})
    page.wait_for_timeout(2 * MOMENT)
    assert page.locator(".no-answer .spinner").count() == 0
    tabs.check(served.origin)
