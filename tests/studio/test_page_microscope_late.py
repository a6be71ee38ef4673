"""The microscope by hand when the server is behind the hand, and what is typed meanwhile."""

from tests.studio.browsing import served, wait_for, window  # noqa: F401 - fixtures
from tests.studio.holding import hold, with_images
from tests.studio.test_page_late_rooms import open_pictures
from tests.studio.test_page_microscope import leave_and_come_back, open_part

VALLEY = "**/api/microscope/valley"


def test_one_step_back_is_one_back_although_the_way_is_not_there_yet(served, window):  # noqa: F811
    tabs = window()
    page = open_part(tabs, served.address, "valley")
    held = hold(page, VALLEY)
    page.get_by_role("button", name="10 steps").click()
    page.get_by_role("button", name="One step back").click()
    wait_for(page, lambda: len(held), 1)
    held[0].continue_()
    wait_for(page, lambda: len(held), 2)
    assert held[1].request.post_data_json["steps"] == 9
    held[1].continue_()
    wait_for(page, lambda: page.inner_text(".big-number small"), "after 9 steps")
    tabs.check(served.origin)


def test_each_key_moves_the_start_in_the_valley(served, window):  # noqa: F811
    tabs = window()
    page = open_part(tabs, served.address, "valley")
    held = hold(page, VALLEY)
    start = page.locator(".slope .start")
    start.focus()
    for _press in range(3):
        page.keyboard.press("ArrowRight")
    wait_for(page, lambda: len(held), 1)
    held[0].continue_()
    wait_for(page, lambda: len(held), 2)
    assert held[1].request.post_data_json["start"] == [-8.5, 3]
    held[1].continue_()
    assert start.get_attribute("aria-valuenow") == "-8.5"
    tabs.check(served.origin)


def test_steps_are_taken_although_the_room_is_left_at_once(served, window):  # noqa: F811
    tabs = window()
    page = open_part(tabs, served.address, "network")
    held = hold(page, "**/api/microscope/network", times=1)
    for _click in range(2):
        page.get_by_role("button", name="100 steps").click()
    wait_for(page, lambda: len(held), 1)
    leave_and_come_back(page)
    held[0].continue_()
    wait_for(page, lambda: page.inner_text(".big-number small"), "after 200 steps")
    tabs.check(served.origin)


def test_an_image_stays_chosen_while_the_server_is_gone(served, window):  # noqa: F811
    with_images(served, cat=3, dog=2)
    tabs = window()
    page = open_pictures(tabs, served)
    page.locator(".own-pictures button").first.click()
    page.wait_for_selector(".put figcaption")
    page.locator(".tabs").get_by_role("button", name="Images").click()
    served.kill()
    page.wait_for_selector(".banner")
    page.route("**/images/microscope/*", lambda route: route.abort())  # else it is remembered
    page.locator(".tabs").get_by_role("button", name="Microscope").click()
    page.wait_for_selector(".picture-choice")
    page.wait_for_function("document.querySelector('.put img')?.complete ?? true")
    page.unroute("**/images/microscope/*")
    served.start()
    page.wait_for_selector(".banner", state="detached")
    wait_for(
        page, lambda: page.evaluate("document.querySelector('.put img').naturalWidth > 0"), True
    )
    tabs.check(served.origin)


def test_the_place_of_a_weight_can_be_typed_while_something_makes_progress(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    hold(page, "**/api/microscope/time")
    page.evaluate(
        """async () => {
          const { render, h } = await import("preact");
          const { WeightAt } = await import("/page/microscope/weight_at.js");
          document.body.insertAdjacentHTML("beforeend", "<div id=weight></div>");
          const subject = { run: "pets", image: "1" };
          const layer = { name: "conv", shape: [3, 3, 1, 8] };
          const weight = h(WeightAt, { subject, layer, at: 0, moments: [] });
          render(weight, document.querySelector("#weight"));
        }"""
    )
    page.locator("#weight select").select_option("place")
    for kind, text in (("number", "7"), ("text", "1, 2, 0")):
        field = page.locator(f"#weight input[type={kind}]")
        field.fill(text)
        page.evaluate("import('/page/place.js').then(({ place }) => place.set({ ...place.get() }))")
        assert field.input_value() == text
        field.press("Enter")
        wait_for(page, field.input_value, text)
    assert "unit=7" in page.url
    tabs.check(served.origin)
