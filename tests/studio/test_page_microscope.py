"""The room of the microscope in Chromium: by hand, on an image, and over a training."""

import shutil

import pytest

from convlens.pipeline import train
from tests.conftest import without_charts
from tests.studio.browsing import (  # noqa: F401 - fixtures
    PHONE,
    served,
    wait_for,
    window,
    write_image,
)
from tests.studio.test_page_access import WIDTH, complaints
from tests.trainings import CONFIG, QUIET

WORK = 120_000  # milliseconds in which the engine starts and computes, also on a busy computer


def open_part(tabs, address, part):
    """Return a page that shows a part of the room."""
    page = tabs.tab(address)
    page.evaluate(f"location.hash = 'room=microscope&part={part}'")
    page.wait_for_selector(f".micro-body[data-part={part}] .micro-stage")
    return page


def number(page):
    """Return the large number of a part."""
    return page.inner_text(".big-number span")


def test_the_network_learns_step_by_step(served, window):  # noqa: F811
    tabs = window()
    page = open_part(tabs, served.address, "network")
    assert number(page) == "E = 0.298371109"
    chain = page.inner_text(".chain")
    for text in ("0.741365070", "0.186815602", "0.593269992", "0.082167041", "0.358916480"):
        assert text in chain
    page.get_by_role("button", name="One step", exact=True).click()
    wait_for(page, lambda: number(page), "E = 0.291027774")
    # A weight of the first layer, chosen with the keyboard.
    weight = page.get_by_role("button", name="w1 = ")
    weight.focus()
    page.keyboard.press("Enter")
    assert "w1" in page.inner_text("#chain-title")
    assert "δo2 × w7" in page.inner_text(".chain")
    assert page.locator(".neuron.on").count() == 4  # i1, h1 and both outputs
    for _more in range(2):
        page.get_by_role("button", name="100 steps").click()
    wait_for(page, lambda: page.inner_text(".big-number small"), "after 201 steps")
    shown = number(page)
    leave_and_come_back(page)
    assert (number(page), page.inner_text("#chain-title")) == (shown, "The chain rule for w1")
    page.get_by_role("button", name="From the start").click()
    wait_for(page, lambda: number(page), "E = 0.298371109")
    tabs.check(served.origin)


def leave_and_come_back(page):
    """Go to another room by its tab, and back by that of the microscope."""
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_selector(".micro", state="detached")
    page.get_by_role("button", name="Microscope", exact=True).click()
    page.wait_for_selector(".micro-body")


def test_in_the_valley_a_step_size_beyond_the_limit_diverges(served, window):  # noqa: F811
    tabs = window("zh")
    page = open_part(tabs, served.address, "valley")
    page.locator(".micro-controls .buttons button").nth(1).click()
    wait_for(page, lambda: page.locator(".slope .stop").count(), 9)
    slider = page.locator(".slider.wide input")
    slider.focus()
    verdict = "document.querySelector('.verdict').dataset.verdict"
    seen = set()
    for _press in range(200):
        # A page that is behind leaves answers out.
        with page.expect_response("**/api/microscope/valley"):
            page.keyboard.press("ArrowRight")
        seen.add(page.evaluate(verdict))
        if "diverges" in seen:
            break
    assert {"straight", "oscillates", "diverges"} <= seen
    assert "0.200" in page.inner_text(".limit-text")
    start = page.locator(".slope .start")
    before = start.get_attribute("aria-valuenow")
    start.focus()
    page.keyboard.press("ArrowRight")
    wait_for(page, lambda: start.get_attribute("aria-valuenow") != before, True)
    tabs.check(served.origin)


@pytest.mark.parametrize(("theme", "size"), [("light", None), ("dark", PHONE)])
def test_axe_finds_nothing_serious_by_hand(served, window, theme, size):  # noqa: F811
    more = {"size": size} if size else {}
    tabs = window(color_scheme=theme, **more)
    for part in ("network", "valley"):
        page = open_part(tabs, served.address, part)
        assert complaints(page) == []
        assert page.evaluate(WIDTH) <= page.viewport_size["width"] + 2


@pytest.fixture(scope="module")
def kept(digits, tmp_path_factory):
    """Return the folder of a run that has kept states."""
    config = CONFIG.replace(epochs=2, limit=200, snapshots=5, learning_rate=0.01)
    folder = tmp_path_factory.mktemp("runs") / "kept"
    with without_charts():
        train(digits, config, run=folder, screen=QUIET)
    return folder


@pytest.fixture
def trained(served, kept):  # noqa: F811
    """Return a studio with a run that has kept states."""
    shutil.copytree(kept, served.folder / "runs" / "kept")
    return served


def test_an_image_is_opened_and_its_way_is_followed(trained, window, tmp_path):  # noqa: F811
    tabs = window()
    page = tabs.tab(trained.address)
    page.evaluate("location.hash = 'room=microscope&part=image'")
    image = write_image(tmp_path / "three.png", 3)
    page.set_input_files(".picture-choice input[type=file]", image)
    page.wait_for_selector(".looked-at iframe", timeout=WORK)
    frame = page.frame_locator(".looked-at iframe")
    assert frame.locator("h1").inner_text() == "three.png"
    frame.locator("#layers button").first.click()
    frame.locator("#maps canvas").first.click()
    assert "the network's own value, the same" in frame.locator("#sum").inner_text()
    assert page.evaluate("document.querySelector('.looked-at iframe').contentDocument") is None
    assert complaints(page) == []
    # The frame follows the page around it, and needs no button for the language.
    framed = frame.locator("html")
    assert not frame.locator("#other-language").is_visible()
    page.get_by_role("button", name="中文").click()
    page.evaluate("import('/page/theme.js').then(({ chooseTheme }) => chooseTheme('dark'))")
    wait_for(page, lambda: framed.get_attribute("lang"), "zh-Hant-TW")
    wait_for(page, lambda: framed.get_attribute("data-theme"), "dark")
    assert "網路自己算出的值" in frame.locator("#sum").inner_text()
    assert complaints(page) == []
    page.get_by_role("button", name="English").click()
    wait_for(page, lambda: framed.get_attribute("lang"), "en")
    leave_and_come_back(page)
    page.wait_for_selector(".looked-at iframe[data-loaded=true]")
    assert page.inner_text(".put figcaption") == "three.png"

    page.get_by_role("button", name="Time machine").click()
    slider = page.locator(".time-row input")
    moment = page.locator(".moment b")
    moment.wait_for(timeout=WORK)
    assert moment.inner_text() == "After epoch 2"
    page.wait_for_selector(".weight-numbers", timeout=WORK)
    shown = page.inner_text(".weight-at .big-number span")
    slider.focus()
    page.keyboard.press("Home")
    wait_for(page, moment.inner_text, "The start")
    assert page.inner_text(".weight-at .big-number span") != shown
    assert "The training has kept the same weight" in page.inner_text(".weight-at")
    assert page.locator(".share-list li").count() == 7  # of ten classes
    page.keyboard.press("ArrowRight")
    wait_for(page, moment.inner_text, "After step 1")
    page.wait_for_url("**moment=1**")
    leave_and_come_back(page)
    moment.wait_for(timeout=WORK)
    assert moment.inner_text() == "After step 1"
    page.wait_for_selector(".weight-numbers", timeout=WORK)
    page.locator(".tile").nth(2).click()
    wait_for(page, page.locator(".tile[aria-pressed=true]").count, 2)  # its map and its filter
    page.wait_for_selector(".weight-numbers", timeout=WORK)
    page.get_by_role("button", name="Play").click()
    wait_for(page, moment.inner_text, "After epoch 2")
    assert complaints(page) == []
    # After the server was killed and started anew, the page goes on.
    trained.kill()
    trained.start()
    page.reload()
    page.wait_for_selector(".weight-numbers", timeout=WORK)
    shutil.rmtree(trained.folder / "runs" / "kept")
    wait_for(page, page.locator(".looked-at > .waiting").count, 1)
    tabs.check(trained.origin)


@pytest.mark.parametrize("theme", ["dark"])
def test_the_time_machine_fits_a_phone(trained, window, tmp_path, theme):  # noqa: F811
    tabs = window("zh", PHONE, color_scheme=theme)
    page = tabs.tab(trained.address)
    page.evaluate("location.hash = 'room=microscope&part=time'")
    page.set_input_files(".picture-choice input[type=file]", write_image(tmp_path / "a.png", 3))
    page.wait_for_selector(".weight-numbers", timeout=WORK)
    assert complaints(page) == []
    assert page.evaluate(WIDTH) <= PHONE["width"] + 2


def test_an_image_is_taken_with_the_webcam_and_drawn(trained, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(trained.address)
    page.evaluate("location.hash = 'room=microscope&part=time'")
    page.get_by_role("button", name="Webcam").click()
    page.wait_for_selector(".shot footer button:enabled")
    page.get_by_role("button", name="Take an image").click()
    wait_for(page, page.locator(".put figcaption").all_inner_texts, ["webcam.jpg"])
    page.get_by_role("button", name="Board").click()
    page.wait_for_selector(".board canvas")
    assert complaints(page) == []
    for key in (" ", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    wait_for(page, page.locator(".put figcaption").all_inner_texts, ["drawing.png"])
    page.wait_for_selector(".share-list", timeout=WORK)
    tabs.check(trained.origin)
