"""The page of the studio when somebody clicks twice, holds a key, or closes what is under way."""

import numpy as np
from PIL import Image

from tests.studio.browsing import (  # noqa: F401 - fixtures
    names,
    served,
    wait_for,
    window,
    write_folder,
    write_image,
)
from tests.studio.holding import (
    MOMENT,
    add_class,
    asked_for,
    hold,
    hold_answer,
    refused_trainings,
    release,
    with_images,
)
from tests.studio.test_page_files import drop
from tests.studio.test_page_robust import open_webcam


def remove_class(page, name):
    page.get_by_role("button", name=f"More for {name}").click()
    page.get_by_role("menuitem", name="Remove").click()


def test_an_undo_waits_for_a_class_that_is_being_removed(served, window):  # noqa: F811
    with_images(served, cat=3)
    tabs = window()
    page = tabs.tab(served.address)
    add_class(page, "bird")
    wait_for(page, lambda: names(page), ["bird 0", "cat 3"])
    held = []
    page.route(
        "**/api/classes/*",
        lambda route: held.append(route) if route.request.method == "DELETE" else route.continue_(),
    )
    remove_class(page, "bird")
    wait_for(page, lambda: len(held), 1)
    page.keyboard.press("Control+z")
    page.wait_for_timeout(MOMENT)
    assert names(page) == ["bird 0", "cat 3"]
    held[0].continue_()
    page.wait_for_selector("text=undone: a class with 0 images removed")
    wait_for(page, lambda: names(page), ["bird 0", "cat 3"])
    tabs.check(served.origin)


def test_a_name_is_sent_once_and_the_next_one_may_be_typed_meanwhile(served, window):  # noqa: F811
    with_images(served, cat=3)
    tabs = window()
    page = tabs.tab(served.address)
    held = hold(page, "**/api/classes", times=1)
    field = page.locator(".side .name-field input")
    field.fill("dog")
    field.press("Enter")
    field.press("Enter")
    wait_for(page, lambda: len(held), 1)
    field.fill("bird")
    held[0].continue_()
    wait_for(page, lambda: names(page), ["cat 3", "dog 0"])
    page.wait_for_timeout(MOMENT)
    assert field.input_value() == "bird"
    assert page.locator(".side .name-field .problem").count() == 0
    field.press("Enter")
    wait_for(page, lambda: names(page), ["bird 0", "cat 3", "dog 0"])
    tabs.check(served.origin)


def test_a_double_click_removes_a_class_once_and_without_an_error(served, window):  # noqa: F811
    with_images(served, cat=3, dog=2)
    tabs = window()
    page = tabs.tab(served.address)
    remove_class(page, "dog")
    page.locator(".dialog .danger").dblclick()
    page.locator(".class-name", has_text="dog").wait_for(state="detached")
    page.wait_for_timeout(MOMENT)
    assert page.locator(".message.error").count() == 0
    tabs.check(served.origin)


def test_a_key_that_is_held_leaves_images_out_once(served, window):  # noqa: F811
    with_images(served, cat=3)
    tabs = window()
    page = tabs.tab(served.address)
    asked = asked_for(tabs, "POST", "/api/exclude")
    page.locator(".cell").first.click()
    for _times in range(4):
        page.keyboard.down("x")
    page.keyboard.up("x")
    page.wait_for_selector("text=1 image is left out")
    page.wait_for_timeout(MOMENT)
    assert len(asked) == 1
    tabs.check(served.origin)


def test_a_double_click_starts_one_training(served, window):  # noqa: F811
    with_images(served, cat=12, dog=12)
    tabs = window()
    page = tabs.tab(served.address)
    asked = refused_trainings(tabs, page)
    page.locator(".start-training").dblclick()
    page.wait_for_selector(".message:has-text('not now.')")
    page.wait_for_timeout(MOMENT)
    assert len(asked) == 1
    page.locator(".start-training").click()  # a refusal leaves the button as it was
    wait_for(page, lambda: len(asked), 2)
    tabs.check(served.origin)


def test_a_stroke_that_was_taken_back_does_not_go_on(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    card = page.locator(".way").nth(2)
    card.locator("input").fill("cat")
    card.get_by_role("button").click()
    board = page.locator(".board canvas")
    board.focus()
    for key in ("Space", "Escape", "ArrowRight", "Space", "Control+z", "ArrowDown"):
        page.keyboard.press(key)
    assert page.get_attribute(".board .pen", "data-down") == "false"
    box = board.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.keyboard.press("Control+z")
    page.mouse.move(box["x"] + 60, box["y"] + 60, steps=4)
    page.mouse.up()
    page.keyboard.press("Enter")
    page.wait_for_selector(".message:has-text('There is nothing on the board yet')")
    tabs.check(served.origin)


def test_a_stroke_that_follows_a_drawing_at_once_is_kept(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    card = page.locator(".way").nth(2)
    card.locator("input").fill("cat")
    card.get_by_role("button").click()
    page.locator(".board canvas").focus()
    page.evaluate(
        """() => {
          const make = HTMLCanvasElement.prototype.toBlob;
          HTMLCanvasElement.prototype.toBlob = function (done, kind) {
            make.call(this, (blob) => (window.giveBlob = () => done(blob)), kind);
          };
        }"""
    )
    for key in ("Space", "ArrowRight", "Enter", "ArrowDown", "Space", "ArrowDown"):
        page.keyboard.press(key)
    wait_for(page, lambda: page.evaluate("'giveBlob' in window"), True)
    page.evaluate("window.giveBlob()")
    wait_for(page, lambda: names(page), ["cat 1"])
    assert page.get_by_role("button", name="Undo stroke").is_enabled()
    (file,) = served.files
    pixels = np.asarray(Image.open(served.folder / "images" / file).convert("L"))
    assert pixels[128, 128] == 255
    assert pixels[160, 136] == 0  # where the next stroke is
    tabs.check(served.origin)


def test_a_question_that_was_closed_takes_no_images(served, window, tmp_path):  # noqa: F811
    with_images(served, cat=1)
    tabs = window()
    page = tabs.tab(served.address)
    for number in (2, 3):  # the second one while the first is asked about
        content = write_image(tmp_path / f"{number}.png", number).read_bytes()
        name = f"{number}.png"
        drop(page, "body", [{"name": name, "mimeType": "image/png", "buffer": content}])
    page.wait_for_selector(".dialog:has-text('2 images')")
    held = hold(page, "**/api/classes", times=1)
    page.locator(".dialog .name-field input").fill("dog")
    page.locator(".dialog .name-field button").click()
    wait_for(page, lambda: len(held), 1)
    page.keyboard.press("Escape")
    held[0].continue_()
    wait_for(page, lambda: names(page), ["cat 1", "dog 0"])
    page.wait_for_timeout(MOMENT)
    assert len(served.files) == 1
    tabs.check(served.origin)


def test_an_import_goes_on_with_what_the_disk_had_no_room_for(served, window, tmp_path):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    full = {"status": 507, "json": {"message": "the disk is full.", "field": None}}
    page.route("**/api/imports/*/files?*", lambda route: route.fulfill(**full), times=1)
    folder = write_folder(tmp_path / "photos", cat=8, dog=2)
    page.set_input_files(".way input[type=file][webkitdirectory]", str(folder))
    page.wait_for_selector(".import .problem:has-text('the disk is full.')")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector(".seen-classes")
    assert page.locator(".seen-classes li b").all_inner_texts() == ["8 images", "2 images"]
    tabs.check(served.origin)


def test_an_import_is_done_once_and_closing_it_meanwhile_is_no_error(served, window, tmp_path):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    held = hold_answer(page, "**/api/imports/*/finish")
    folder = write_folder(tmp_path / "photos", cat=2, dog=1)
    page.set_input_files(".way input[type=file][webkitdirectory]", str(folder))
    page.wait_for_selector(".import footer .primary")
    page.evaluate(
        """() => {
          const button = document.querySelector(".import footer .primary");
          for (const _ of [1, 2, 3]) button.click();
        }"""
    )
    wait_for(page, lambda: len(held), 1)
    page.locator(".import footer .button").click()
    page.wait_for_selector(".dialog", state="detached")
    page.wait_for_timeout(MOMENT)
    assert len(held) == 1
    release(held)
    page.wait_for_selector(".message:has-text('3 images were imported')")
    page.wait_for_timeout(MOMENT)
    assert page.locator(".message.error").count() == 0
    tabs.check(served.origin)


def test_what_changes_every_second_is_not_read_aloud(served, window):  # noqa: F811
    with_images(served, cat=3, dog=2)
    tabs = window()
    page = tabs.tab(served.address)
    training = {
        "id": "0" * 16, "run": "pets", "choice": {}, "asked": "2026-11-28T20:00:00+00:00",
        "state": "running", "state_text": "in training", "message": "", "needed": None,
        "is_begun": True, "stopping": False, "began": 1.0, "ended": None, "now": 9.0, "left": 60,
        "progress": {"stage": "learning", "done": 3, "total": 10}, "can_go_on": False,
        "command": None,
    }  # fmt: skip

    def with_training(route):
        answer = route.fetch()
        route.fulfill(json={**answer.json(), "trainings": [training]})

    page.route("**/api/trainings", with_training)
    page.evaluate("location.hash = 'room=train'")
    page.wait_for_selector(".running:has-text('30')")
    assert page.inner_text(".running [role=status]") == "learning"

    def with_server(route):
        answer = route.fetch()
        serving = {"state": "running", "name": "pets", "address": "http://127.0.0.1:1", "log": []}
        counted = {"answered": 77, "refused": 0, "curl": "", "is_found_again": False}
        route.fulfill(json={**answer.json(), "serving": {**serving, **counted}})

    page.route("**/api/ship", with_server)
    hold(page, "**/api/ship/serving")
    page.evaluate("location.hash = 'room=ship'")
    page.wait_for_selector(".at-work:has-text('77')")
    assert "77" not in page.inner_text(".at-work [role=status]")
    tabs.check(served.origin)


def test_images_that_were_discarded_do_not_come_back(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    open_webcam(page, "cat")
    refusal = {"status": 409, "json": {"message": "this class is gone.", "field": "class"}}
    page.route("**/api/classes/*/images?*", lambda route: route.fulfill(**refusal), times=1)
    page.locator(".hold").press("Enter")
    page.wait_for_selector(".stuck")
    held = hold(page, "**/api/classes", times=1)
    page.locator(".stuck .name-field input").fill("dog")
    page.locator(".stuck .name-field button").click()
    wait_for(page, lambda: len(held), 1)
    page.locator(".stuck > .button").click()
    page.wait_for_selector(".stuck", state="detached")
    held[0].continue_()
    wait_for(page, lambda: names(page), ["cat 0", "dog 0"])
    page.wait_for_timeout(MOMENT)
    assert served.files == []
    tabs.check(served.origin)


def test_an_export_that_is_refused_after_all_says_why(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    run = {"name": "pets", "state": "finished", "has_classifier": True, "network": "small_cnn"}
    page.route("**/api/runs", lambda route: route.fulfill(json={"told": 0, "runs": [run]}))
    failed = {
        "state": "failed", "run": "pets", "to": "onnx", "precision": "int8", "any_size": False,
        "accept_loss": False, "name": "pets-onnx-int8", "message": "a loss.", "may_accept": True,
    }  # fmt: skip

    def with_loss(route):
        answer = route.fetch()
        route.fulfill(json={**answer.json(), "exporting": failed})

    page.route("**/api/ship", with_loss)
    refusal = {"status": 409, "json": {"message": "the run is gone.", "field": "run"}}
    page.route("**/api/ship/exports", lambda route: route.fulfill(**refusal))
    page.evaluate("location.hash = 'room=ship'")
    page.locator(".failed .button").click()
    page.wait_for_selector(".message.error:has-text('the run is gone.')")
    tabs.check(served.origin)
