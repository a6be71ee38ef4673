"""The page of the room in which a classifier is tried, with camera, file and board."""

# ruff: noqa: F811 - fixtures that are imported
import os
import shutil
import signal
from contextlib import suppress

import psutil
import pytest

from tests.studio.browsing import PHONE, names, served, wait_for, window  # noqa: F401 - fixtures
from tests.studio.conftest import picture
from tests.studio.holding import MOMENT
from tests.studio.test_page_access import WIDTH, complaints
from tests.studio.try_page import (  # noqa: F401 - fixtures
    LOADING,
    answered,
    draw,
    enter,
    explained,
    near,
    room,
    studio,
)
from tests.studio.trying import EACH, trained  # noqa: F401 - a fixture

SAYS = {
    "en": {"none": "None of these", "near": "Nearest training images", "freeze": "Freeze"},
    "zh": {"none": "以上皆非", "near": "最相近的訓練影像", "freeze": "定格"},
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_webcam_is_answered_and_explained_and_becomes_a_training_image(studio, room, language):
    says = SAYS[language]
    tabs, page = room(language)
    questions, answers = [], []
    for event, found in (("request", questions), ("response", answers)):
        page.on(event, lambda one, found=found: "/api/try?" in one.url and found.append(one.url))
    answered(page)
    wait_for(page, lambda: len(answers) >= 3, True)
    assert page.locator(".bars li").count() == 2
    assert page.locator(".why, .near, .try .add").count() == 0
    page.locator("main").focus()
    page.keyboard.press("Space")
    page.wait_for_selector(".stage .still")
    page.wait_for_timeout(MOMENT)  # a question may be under way that is not heard of yet
    wait_for(page, lambda: len(answers) == len(questions), True)  # what was under way
    number = len(questions)
    page.wait_for_timeout(600)
    assert len(questions) == number
    page.get_by_role("button", name=says["near"]).click()
    near(page)
    page.locator(".ask-more .button").first.click()
    explained(page)
    assert page.locator(".checks .check").count() >= 2
    before = len(studio.files)
    page.locator(".try .add .class-choice .button", has_text="disc").click()
    wait_for(page, lambda: len(studio.files), before + 1)
    page.keyboard.press("Escape")
    page.locator("main").focus()
    page.keyboard.press("Space")
    page.wait_for_selector(".stage .still", state="detached")
    wait_for(page, lambda: len(answers) > number, True)
    assert page.locator(".why, .near").count() == 0
    tabs.check(studio.origin)


def test_a_drawing_is_answered_after_each_stroke(studio, room):
    tabs, page = room()
    page.locator(".source-choice .button").nth(2).click()
    draw(page)
    answered(page)
    page.get_by_role("button", name="Clear").click()
    wait_for(page, page.locator(".said").count, 0)
    # At the keyboard alone.
    page.locator(".board canvas").focus()
    for key in ("Space", "ArrowRight", "ArrowRight", "Space"):
        page.keyboard.press(key)
    answered(page)
    tabs.check(studio.origin)


def test_a_drawing_that_was_cleared_is_not_asked_about_again(studio, room):
    tabs, page = room(webcam=False)
    questions = []

    def refuse(route):
        questions.append(route.request.url)
        route.fulfill(status=503, json={"message": "The process has ended.", "field": None})

    page.route("**/api/try?**", refuse)
    page.locator(".source-choice .button").nth(2).click()
    draw(page)
    page.wait_for_selector(".trouble:has-text('The process has ended.')")
    page.get_by_role("button", name="Clear").click()
    wait_for(page, page.locator(".trouble").count, 0)
    page.wait_for_timeout(MOMENT)  # a question before that may not be heard of yet
    number = len(questions)
    page.wait_for_timeout(1500)  # longer than the pause before an image is asked about again
    assert len(questions) == number
    page.unroute("**/api/try?**")
    tabs.check(studio.origin)


def test_a_damaged_classifier_is_said_before_and_after_a_source_is_chosen(studio, room):
    damaged = studio.folder / "runs" / "damaged"
    shutil.copytree(damaged.with_name("first"), damaged)
    (damaged / "classifier.keras").write_bytes(b"no archive")
    tabs, page = room(run="damaged", webcam=False)
    trouble = page.locator(".trouble:has-text('classifier.keras: the file is damaged')")
    trouble.wait_for(timeout=1000 * LOADING)
    page.locator(".source-choice .button").nth(2).click()
    page.wait_for_selector(".board canvas")
    assert trouble.count() == 1
    page.close()
    shutil.rmtree(damaged)
    tabs.check(studio.origin)


def words_of(process):
    """Return the command of a process; nothing if it has just ended."""
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def test_the_page_goes_on_after_the_process_was_killed(studio, room):
    tabs, page = room()
    answered(page)
    children = psutil.Process(studio.process.pid).children()
    words = {one.pid: words_of(one) for one in children}
    (child,) = [pid for pid, line in words.items() if "answer_process" in line and "first" in line]
    os.kill(child, signal.SIGKILL)
    page.wait_for_selector(".trouble:has-text('it is started again')")
    answered(page)
    wait_for(page, page.locator(".trouble").count, 0)
    tabs.check(studio.origin)


def test_a_class_that_the_run_does_not_know_is_noted(studio, room):
    tabs, page = room()
    answered(page)
    assert page.locator(".try .notice").count() == 0
    place = studio.folder / "images" / "moon" / "1.png"
    place.parent.mkdir()
    place.write_bytes(picture(9))
    page.wait_for_selector(".try .notice:has-text('moon unknown to it')")
    place.unlink()
    place.parent.rmdir()
    wait_for(page, page.locator(".try .notice").count, 0)
    tabs.check(studio.origin)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(studio, room, theme):
    tabs, page = room(color_scheme=theme)
    answered(page)
    found = {"live": complaints(page)}
    page.locator(".ask-more .button").first.click()
    explained(page)
    page.locator(".checks summary").first.click()
    page.get_by_role("button", name="Nearest training images").click()
    near(page)
    found["explained"] = complaints(page)
    page.locator(".source-choice .button").nth(1).click()
    found["file"] = complaints(page)
    page.locator(".source-choice .button").nth(2).click()
    draw(page)
    answered(page)
    found["board"] = complaints(page)
    assert {name: some for name, some in found.items() if some} == {}
    tabs.check(studio.origin)


def test_a_width_of_360_pixels_is_enough(studio, room):
    tabs, page = room(size=PHONE, has_touch=True, is_mobile=True)
    answered(page)
    assert page.evaluate(WIDTH) == 360
    page.locator(".ask-more .button").first.tap()
    explained(page)
    page.locator(".ask-more .button").nth(1).tap()
    near(page)
    assert page.evaluate(WIDTH) == 360
    inner = "document.querySelector('.try').scrollWidth"
    assert page.evaluate(inner) <= 360
    page.locator(".source-choice .button").nth(2).tap()
    assert page.evaluate(inner) <= 360
    tabs.check(studio.origin)


def test_the_webcam_waits_until_somebody_asks_for_it(studio, room):
    tabs, page = room(webcam=False)
    asked = "navigator.mediaDevices.getUserMedia"
    page.evaluate(
        f"window.opened = 0; const open = {asked}.bind(navigator.mediaDevices);"
        f"{asked} = (...words) => {{ window.opened += 1; return open(...words); }}; 0"
    )
    page.wait_for_selector(".no-answer:has-text('as soon as the camera is on')")
    assert page.evaluate("window.opened") == 0
    assert complaints(page) == []
    page.get_by_role("button", name="Start the webcam").click()
    answered(page)
    # It stays asked for as long as the page is open.
    page.get_by_role("button", name="Ship").click()
    page.wait_for_selector(".ship")
    page.get_by_role("button", name="Try").click()
    # The last answer is there at once, and the camera a moment later.
    wait_for(page, lambda: page.evaluate("window.opened"), 2)
    tabs.check(studio.origin)


def test_a_file_is_answered_with_none_of_these_and_a_bad_one_with_a_line(studio, room):
    tabs, page = room(run="strict")
    page.locator(".source-choice .button").nth(1).click()
    field = page.locator(".try input[type=file]")
    field.set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"no image"})
    page.wait_for_selector(".trouble:has-text('a.txt: this is not an image that can be read')")
    assert page.locator(".said").count() == 0
    field.set_input_files({"name": "b.png", "mimeType": "image/png", "buffer": picture(5)})
    answered(page, "[data-known=false]:has-text('None of these')")
    assert "below the threshold of 100.0 %" in page.inner_text(".reason")
    assert page.locator(".trouble").count() == 0
    page.get_by_role("button", name="Nearest training images").click()
    page.locator(".neighbours button").first.click()
    page.wait_for_selector(".cell[aria-selected=true]")
    page.wait_for_selector(".details .facts")
    page.go_back()
    page.wait_for_selector(".try-page")
    tabs.check(studio.origin)
