"""What is done on the page meets what is shown, although answers and timers come late."""

from tests.studio.browsing import (  # noqa: F401 - fixtures
    names,
    served,
    wait_for,
    window,
    write_folder,
)
from tests.studio.holding import MOMENT, hold, with_images
from tests.studio.test_page_repeats import shown_queue, waiting
from tests.studio.test_page_scores import room, scored  # noqa: F401 - a fixture

# As a browser does it, which tells of a choice only if it is another one.
CHOOSE = """(select, name) => {
  const option = [...select.options].find((one) => one.text === name);
  if (option.selected) return;
  option.selected = true;
  select.dispatchEvent(new Event("change", { bubbles: true }));
}"""


def test_a_late_answer_does_not_bring_back_an_earlier_order_of_the_queue(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    runs = ["first", "second", "third"]
    page.route("**/api/trainings", lambda route: route.fulfill(json=waiting(*runs)))
    held = hold(page, "**/api/trainings/*/earlier")
    page.evaluate("location.hash = 'room=train'")
    for run in ("second", "third"):
        page.get_by_role("button", name=f"Let {run} come earlier").click()
    wait_for(page, lambda: len(held), 2)
    runs[:] = ["second", "third", "first"]
    held[1].fulfill(json=waiting(*runs))
    wait_for(page, lambda: shown_queue(page), runs)
    held[0].fulfill(json=waiting("second", "first", "third"))
    page.wait_for_timeout(MOMENT)
    assert shown_queue(page) == runs
    tabs.check(served.origin)


def test_what_is_typed_into_the_search_is_what_is_searched_for(served, window):  # noqa: F811
    with_images(served, cat=3, dog=2)
    tabs = window()
    page = tabs.tab(served.address)
    wait_for(page, page.locator(".cell").count, 5)
    type_and = """(act) => {
      const field = document.querySelector(".search input");
      field.value = "cat";
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
      return import("/page/images/list.js").then((list) => { list[act]({ order: "newest" }); });
    }"""
    page.evaluate(type_and, "filter")  # before the pause of the search has ended
    wait_for(page, page.locator(".cell").count, 3)
    field = page.locator(".search input")
    assert field.input_value() == "cat"
    field.fill("dog")
    wait_for(page, page.locator(".cell").count, 2)
    page.evaluate(type_and, "clearFilters")
    wait_for(page, page.locator(".cell").count, 5)
    page.wait_for_timeout(MOMENT)
    assert (field.input_value(), page.locator(".cell").count()) == ("", 5)
    tabs.check(served.origin)


def test_the_trash_is_not_emptied_of_more_than_somebody_was_asked_about(served, window):  # noqa: F811
    with_images(served, cat=3, dog=2)
    tabs = window()
    page = tabs.tab(served.address)
    page.locator(".cell").first.click()
    page.get_by_role("button", name="To the trash").click()
    page.locator(".trash .link").click()
    page.wait_for_selector(".dialog:has-text('1 image')")
    hold(page, "**/api/state")
    other = tabs.tab(served.origin)
    other.locator(".cell").last.click()
    other.get_by_role("button", name="To the trash").click()
    wait_for(other, lambda: names(other), ["cat 2", "dog 1"])
    page.locator(".dialog .danger").click()
    page.wait_for_selector(".message:has-text('the trash has 2 images by now')")
    page.unroute("**/api/state")
    other.locator(".tools .icon-button").first.click()
    wait_for(other, lambda: names(other), ["cat 2", "dog 2"])
    tabs.check(served.origin)


def test_the_same_class_can_be_chosen_for_one_image_after_the_other(scored, window):  # noqa: F811
    write_folder(scored.folder / "images", **dict.fromkeys(("a", "b", "c", "d", "e"), 1))
    tabs = window()
    page = tabs.tab(scored.address)
    room(page, scored, "&run=old&true=0&predicted=1")
    cards = page.locator(".score-card")
    for image in range(2):
        cards.nth(image).click()
        page.locator(".score-bar select").evaluate(CHOOSE, "dog")
        cards.nth(image).locator(".now").wait_for()
    tabs.check(scored.origin)
