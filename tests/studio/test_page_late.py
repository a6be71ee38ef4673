"""The images of the page when answers come late, in another order, or after one has gone on."""

from tests.studio.browsing import (  # noqa: F401 - fixtures
    names,
    served,
    wait_for,
    window,
    write_folder,
)
from tests.studio.holding import MOMENT, add_class, hold, hold_answer, release, with_images
from tests.studio.test_page_robust import open_webcam


def test_a_late_state_does_not_bring_back_the_former_name_of_a_class(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    open_webcam(page, "cat")
    held = hold_answer(page, "**/api/state")
    other = tabs.tab(served.origin)
    add_class(other, "dog")
    wait_for(page, lambda: len(held), 1)
    page.locator(".class-card .menu button").first.click()
    page.get_by_role("menuitem", name="Rename").click()
    page.locator(".class-card input").first.fill("wolf")
    page.locator(".class-card .name-field button").first.click()
    wait_for(page, lambda: names(page), ["wolf 0"])
    release(held)
    wait_for(page, lambda: names(page), ["dog 0", "wolf 0"])
    assert page.locator(".maker .chip:has(input:checked)").inner_text().split()[1:] == ["wolf", "0"]
    tabs.check(served.origin)


def test_the_images_of_an_earlier_search_do_not_come_back(served, window):  # noqa: F811
    with_images(served, cat=3, dog=2)
    tabs = window()
    page = tabs.tab(served.address)
    wait_for(page, page.locator(".cell").count, 5)
    states = hold(page, "**/api/state")
    other = tabs.tab(served.origin)
    other.locator(".cell").first.click()
    other.keyboard.press("x")
    wait_for(page, lambda: len(states), 1)
    page.locator(".search input").fill("cat")
    wait_for(page, lambda: len(states), 2)
    page.locator(".search input").fill("dog")
    wait_for(page, lambda: len(states), 3)
    states[2].continue_()
    wait_for(page, page.locator(".cell").count, 2)
    states[1].continue_()
    page.wait_for_timeout(MOMENT)
    assert set(page.locator(".cell .label").all_inner_texts()) == {"dog"}
    states[0].continue_()
    page.unroute("**/api/state")
    page.locator(".search input").fill("")
    wait_for(page, page.locator(".cell").count, 5)
    tabs.check(served.origin)


def test_an_image_is_shown_though_its_list_is_loaded_anew(served, window):  # noqa: F811
    with_images(served, cat=3, dog=2)
    tabs = window()
    page = tabs.tab(served.address)
    wait_for(page, page.locator(".cell").count, 5)
    cell = page.locator(".cell").first.get_attribute("id")
    page.locator(".search input").fill("dog")
    wait_for(page, page.locator(".cell").count, 2)
    held = hold(page, "**/api/images?*")
    page.evaluate(f"location.hash = 'room=images&image={cell.removeprefix('cell-')}'")
    wait_for(page, lambda: len(held), 1)
    other = tabs.tab(served.origin)
    other.locator(".cell").last.click()
    other.keyboard.press("x")
    wait_for(page, lambda: len(held), 2)
    held[0].continue_()
    page.wait_for_timeout(MOMENT)
    assert page.locator(".message").count() == 0
    page.unroute("**/api/images?*")  # which lets the others go on
    wait_for(page, lambda: page.locator(".cell[aria-selected=true]").count(), 1)
    assert page.locator(".cell[aria-selected=true]").get_attribute("id") == cell
    tabs.check(served.origin)


def test_more_findings_that_come_late_are_not_those_of_another_kind(served, window):  # noqa: F811
    folder = write_folder(served.folder / "images", cat=6, dog=6)
    (folder / "dog" / "copy.png").write_bytes((folder / "cat" / "00000.png").read_bytes())
    first = min((folder / "dog").glob("0*.png"))
    first.rename(folder / "dog" / "odd.jpg")
    tabs = window()
    page = tabs.tab(served.address)
    held = []
    found = []

    def answer(route):
        """Answer as if there were more, which is held."""
        if "offset=0" not in route.request.url:
            held.append(route)
            return
        found.append({**route.fetch().json(), "total": 60})
        route.fulfill(json=found[-1])

    page.get_by_role("button", name="Check the images").click()
    page.wait_for_selector(".code")
    page.route("**/api/findings?*", answer)
    page.locator(".code", has_text="label").first.click()
    page.locator(".cards .more").click()
    wait_for(page, lambda: len(held), 1)
    page.locator(".code", has_text="another type").first.click()
    page.locator(".card", has_text="odd.jpg").wait_for()
    held[0].fulfill(json=found[0])
    page.wait_for_timeout(MOMENT)
    assert page.locator(".card", has_text="odd.jpg").count() == 1
    tabs.check(served.origin)


def test_what_is_loaded_is_asked_for_one_by_one_and_once_more_after_the_last_call(served, window):  # noqa: F811
    page = window().tab(served.address)
    found = page.evaluate(
        """async () => {
          const { oneByOne } = await import("/page/project.js");
          let running = 0;
          let most = 0;
          let times = 0;
          const load = oneByOne(async () => {
            most = Math.max(most, ++running);
            times += 1;
            await new Promise((done) => setTimeout(done, 50));
            running -= 1;
          });
          await Promise.all([load(), load(), load()]);
          return [most, times];
        }"""
    )
    assert found == [1, 2]
