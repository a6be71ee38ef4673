"""The page of the studio for everybody: keyboard alone, screen readers, phones, dark and light."""

import pytest

from tests.studio.browsing import (  # noqa: F401 - fixtures
    PHONE,
    names,
    served,
    wait_for,
    window,
    write_folder,
)
from tests.studio.holding import MOMENT

SERIOUS = {"serious", "critical"}
WIDTH = "document.documentElement.scrollWidth"
CARD = "document.activeElement.querySelector('.name')?.textContent"  # the class that has the focus


def complaints(page):
    """Return what axe-core finds that is serious."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    return [
        (one["id"], node["html"][:150], node["failureSummary"][:300])
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


def states(page):
    """Yield the names of what can be seen, one after the other, from the grid on."""
    page.wait_for_selector(".cell")
    yield "grid"
    page.locator(".cell").first.click()
    page.wait_for_selector(".details .facts")
    page.keyboard.press("x")
    page.locator(".message").wait_for()
    yield "details"
    page.locator(".class-tools button").first.click()
    page.wait_for_selector(".hold:enabled")
    yield "webcam"
    page.locator(".class-tools button").nth(1).click()
    page.wait_for_selector(".board canvas")
    yield "board"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keys").click()
    yield "keys"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Check the images").click()
    page.locator(".code").first.click()
    page.wait_for_selector(".card")
    yield "findings"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(served, window, theme):  # noqa: F811
    tabs = window(color_scheme=theme)
    page = tabs.tab(served.address)
    found = {"begin": complaints(page)}
    folder = write_folder(served.folder / "images", cat=5, dog=5)
    (folder / "dog" / "copy.png").write_bytes((folder / "cat" / "00000.png").read_bytes())
    page.reload()
    for state in states(page):
        found[state] = complaints(page)
    assert found == {state: [] for state in found}
    assert len(found) == 7


def test_the_theme_is_that_of_the_system_or_the_one_that_was_chosen(served, window):  # noqa: F811
    page = window(color_scheme="dark").tab(served.address)
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Theme: as the system has it").click()
    light = page.evaluate(ground)
    assert dark != light
    page.reload()
    page.wait_for_selector(".room")
    assert page.evaluate(ground) == light
    page.get_by_role("button", name="Theme: light").click()
    assert page.evaluate(ground) == dark


def focused(page):
    """Return what has the focus."""
    return page.evaluate(
        """() => {
          const one = document.activeElement;
          return one.getAttribute("aria-label") ?? one.labels?.[0]?.innerText ?? one.innerText;
        }"""
    )


def tab_to(page, name):
    """Press the tab key until something has the focus, which has to be seen."""
    for _press in range(60):
        page.keyboard.press("Tab")
        if focused(page).strip().startswith(name):
            width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
            assert width == "3px"
            return
    raise AssertionError(f"the tab key does not reach {name}")


def test_the_keyboard_alone_suffices(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    tab_to(page, "Name of the first class")
    page.keyboard.type("cat")
    page.keyboard.press("Enter")
    page.wait_for_selector(".hold:enabled")
    wait_for(page, lambda: focused(page).startswith("Hold to record cat"), True)
    page.keyboard.down("Space")
    wait_for(page, lambda: len(served.files) > 1, True)
    page.keyboard.up("Space")
    page.wait_for_selector(".recording", state="hidden")
    wait_for(page, lambda: page.get_attribute(".safety", "data-waiting"), "0")
    images = len(served.files)
    assert images > 1
    page.wait_for_timeout(400)
    assert len(served.files) == images  # nothing is recorded once the key is up

    tab_to(page, "Draw for cat")
    page.keyboard.press("Enter")
    wait_for(page, lambda: focused(page), "Board for cat")
    for key in ["Space", *["ArrowRight"] * 5, "Space", "Enter"]:
        page.keyboard.press(key)
    wait_for(page, lambda: len(served.files), images + 1)
    page.keyboard.press("Escape")

    tab_to(page, "New class")
    page.keyboard.type("dog")
    page.keyboard.press("Enter")
    wait_for(page, lambda: names(page), [f"cat {images + 1}", "dog 0"])
    page.wait_for_selector(f".grid[aria-label='{images + 1} images']")
    tab_to(page, f"{images + 1} images")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("2")
    wait_for(page, lambda: names(page), [f"cat {images - 1}", "dog 2"])
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    wait_for(page, lambda: page.locator(".cell[data-excluded=true]").count(), images + 1)
    page.keyboard.press("Control+z")
    wait_for(page, lambda: page.locator(".cell[data-excluded=true]").count(), 0)
    said = page.locator("[role=status]").all_inner_texts()
    assert any(text.strip() for text in said)

    tab_to(page, "More for dog")
    page.keyboard.press("Enter")
    wait_for(page, lambda: focused(page), "Rename")
    page.keyboard.press("Enter")
    wait_for(page, lambda: focused(page), "New name of dog")
    page.keyboard.press("Escape")
    wait_for(page, lambda: page.evaluate(CARD), "dog")
    tab_to(page, "More for dog")
    page.keyboard.press("Enter")
    wait_for(page, lambda: focused(page), "Rename")
    page.keyboard.press("Enter")
    wait_for(page, lambda: focused(page), "New name of dog")
    page.keyboard.type("wolf")
    page.keyboard.press("Enter")
    wait_for(page, lambda: names(page), [f"cat {images - 1}", "wolf 2"])
    wait_for(page, lambda: page.evaluate(CARD), "wolf")
    tabs.check(served.origin)


def is_in_sight(box):
    """Return whether a phone shows all of a box."""
    return 0 <= box["y"] < PHONE["height"] - box["height"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_width_of_360_pixels_is_enough(served, window, language):  # noqa: F811
    tabs = window(language, PHONE, has_touch=True, is_mobile=True)
    page = tabs.tab(served.address)
    assert page.evaluate(WIDTH) == 360
    write_folder(served.folder / "images", cat=30, a_class_with_a_name_that_does_not_fit_anywhere=9)
    page.reload()
    page.wait_for_selector(".cell")
    assert page.evaluate(WIDTH) == 360
    page.locator(".cell").nth(1).tap()
    page.locator(".selection-bar header .button").tap()
    page.wait_for_selector(".details .facts")
    assert page.evaluate(WIDTH) == 360
    page.locator(".details header .icon-button").tap()
    page.locator(".panes button").nth(2).tap()
    page.locator(".check .button").first.tap()
    page.wait_for_selector(".check .codes", state="attached")
    assert page.evaluate(WIDTH) == 360
    page.locator(".panes button").first.tap()
    page.locator(".class-tools button").first.tap()
    page.wait_for_selector(".hold:enabled")
    assert page.evaluate(WIDTH) == 360
    hold = page.locator(".hold")
    wait_for(page, lambda: is_in_sight(hold.bounding_box()), True)
    tabs.check(served.origin)


def test_the_tab_of_the_room_that_is_shown_is_never_cut(served, window):  # noqa: F811
    page = window("en", PHONE).tab(served.address)
    cut = """[...document.querySelectorAll(".tabs button")].filter((one) => {
        const box = one.getBoundingClientRect();
        return box.left < -1 || box.right > innerWidth + 1;
    }).map((one) => one.textContent.trim())"""
    assert page.evaluate(cut) == []
    page.get_by_role("button", name="Large type").click()
    page.get_by_role("button", name="Ship", exact=True).click()
    page.wait_for_selector(".tabs button[aria-current]:has-text('Ship')")
    wait_for(page, lambda: "Ship" in page.evaluate(cut), False)


def test_only_the_look_of_the_room_that_is_shown_holds(served, window):  # noqa: F811
    page = window().tab(served.address)
    always = ["/page/studio.css", "/page/images/room.css"]
    held = """[...document.styleSheets].filter((one) => !one.disabled)
        .map((one) => new URL(one.href).pathname)"""
    for key in ("train", "ship", "train", "images"):
        page.locator(".tabs button", has_text=key.title()).click()
        own = [] if key == "images" else [f"/page/{key}/room.css"]
        wait_for(page, lambda: page.evaluate(held), [*always, *own])


def test_thousands_of_images_are_scrolled_without_gaps(served, window):  # noqa: F811
    write_folder(served.folder / "images", cat=700, dog=700)
    page = window().tab(served.address)
    page.wait_for_selector(".cell")
    missing = """() => {
      const view = document.querySelector(".grid").getBoundingClientRect();
      const cells = [...document.querySelectorAll(".cell")].filter((cell) => {
        const box = cell.getBoundingClientRect();
        return box.bottom > view.top && box.top < view.bottom;
      });
      const images = cells.map((cell) => cell.querySelector("img"));
      return [cells.length, images.filter((one) => !one?.naturalWidth).length];
    }"""
    page.locator(".grid").hover()
    for _turn in range(20):
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(150)
        wait_for(page, lambda: page.evaluate(missing)[0] >= 12, True)
    wait_for(page, lambda: page.evaluate(missing)[1], 0)
    page.locator(".grid").focus()
    page.keyboard.press("End")
    page.wait_for_selector("[aria-posinset='1400'][data-active=true]")
    wait_for(page, lambda: page.evaluate(missing)[1], 0)
    assert page.locator(".cell").count() < 400  # only those near the window are in the page


def test_a_message_stays_as_long_as_somebody_points_at_it_or_uses_it(served, window):  # noqa: F811
    tabs = window()
    tabs.context.clock.install()
    page = tabs.tab(served.address)
    page.evaluate("import('/page/say.js').then(({ say }) => say('It is done.'))")
    shown = page.locator(".message:has-text('It is done.')")
    shown.hover()
    page.wait_for_timeout(MOMENT)
    page.clock.fast_forward(60_000)
    assert shown.count() == 1
    shown.get_by_role("button", name="Close").focus()
    page.mouse.move(5, 5)
    page.wait_for_timeout(MOMENT)
    page.clock.fast_forward(60_000)
    assert shown.count() == 1
    page.locator("main").focus()
    page.wait_for_timeout(MOMENT)
    page.clock.fast_forward(60_000)
    wait_for(page, shown.count, 0)
    tabs.check(served.origin)
