"""Which runs the room Try answers with: the last one, several at once, and one that is removed."""

# ruff: noqa: F811 - fixtures that are imported
import shutil

from tests.studio.browsing import served, wait_for, window  # noqa: F401 - fixtures
from tests.studio.test_page_access import complaints
from tests.studio.try_page import (  # noqa: F401 - fixtures
    answered,
    enter,
    explained,
    near,
    room,
    studio,
)
from tests.studio.trying import trained  # noqa: F401 - a fixture


def test_without_a_run_the_room_says_so(served, window):
    tabs = window()
    page = tabs.tab(served.address)
    page.get_by_role("button", name="Try").click()
    page.wait_for_selector(".begin:has-text('There is no classifier yet.')")
    assert complaints(page) == []
    tabs.check(served.origin)


def test_the_room_begins_with_the_run_that_was_shown_last(studio, room):
    tabs, page = room(run="strict", webcam=False)
    for name in ("Ship", "Try"):
        page.get_by_role("button", name=name, exact=True).click()
        choice = page.locator(".run-choice select")
        choice.wait_for()
        assert choice.input_value() == "strict"
    assert " %" in page.locator(".run-choice option", has_text="first").inner_text()
    fresh = tabs.tab(studio.address)
    fresh.evaluate("location.hash = 'room=try'")
    fresh.wait_for_selector(".run-choice select")
    newest = fresh.evaluate("import('/page/runs.js').then(({ runs }) => runs.get()[0].name)")
    assert fresh.locator(".run-choice select").input_value() == newest
    tabs.check(studio.origin)


def test_two_tabs_with_two_runs_are_answered_and_explained_at_the_same_time(studio, room):
    tabs, page = room()
    answered(page)
    page.locator(".ask-more .button").first.click()  # why, which takes a while
    other = enter(tabs, studio, "strict")
    answered(other, "[data-known=false]")
    explained(page)
    page.get_by_role("button", name="Nearest training images").click()
    near(page)
    assert page.locator(".try .problem, .trouble").count() == 0
    assert other.locator(".trouble").count() == 0
    tabs.check(studio.origin)


def test_a_third_run_waits_until_another_one_is_not_tried_any_more(studio, room):
    runs = studio.folder / "runs"
    shutil.copytree(runs / "first", runs / "third")
    tabs, page = room()
    answered(page)
    other = enter(tabs, studio, "strict")
    answered(other, "[data-known=false]")
    third = enter(tabs, studio, "third")
    full = ".trouble:has-text('other pages try these: first, strict.')"
    third.wait_for_selector(full)
    other.close()
    answered(third, "[data-known=true]")
    wait_for(third, third.locator(".trouble").count, 0)
    # Whoever insists gets a place; the page that has lost its own says so.
    again = enter(tabs, studio, "strict")
    again.get_by_role("button", name="Try strict here").click()
    answered(again, "[data-known=false]")
    waiting = (page, third)
    wait_for(page, lambda: sum(one.locator(".trouble").count() for one in waiting), 1)
    for one in (page, third, again):
        one.close()
    shutil.rmtree(runs / "third")
    tabs.check(studio.origin)


def test_a_run_that_is_removed_while_it_is_tried_is_said(studio, room):
    tabs, page = room(run="strict")
    answered(page)
    runs = studio.folder / "runs"
    (runs / "strict").rename(studio.folder / "elsewhere")
    page.wait_for_selector(".trouble:has-text('strict is not in the workspace any more')")
    page.wait_for_selector("[role=status]:has-text('Not in the workspace any more: strict')")
    page.locator(".run-choice select").select_option("first")
    answered(page)
    page.evaluate("location.hash = 'room=try&run=strict'")
    page.wait_for_selector(".trouble:has-text('strict is not in the workspace any more')")
    (studio.folder / "elsewhere").rename(runs / "strict")
    answered(page, "[data-known=false]")  # by itself, as it is there again
    tabs.check(studio.origin)
