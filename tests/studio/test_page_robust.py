"""The page of the studio when the server dies, in two tabs, and as it is closed too early."""

import json

from tests.studio.browsing import (  # noqa: F401 - fixtures
    names,
    served,
    wait_for,
    window,
    write_folder,
)
from tests.studio.holding import MOMENT, asked_for, hold, with_images


def open_webcam(page, name):
    """Make a class, and open the webcam for it."""
    page.locator(".way").first.locator("input").fill(name)
    page.locator(".way").first.get_by_role("button").click()
    page.wait_for_selector(".hold:enabled")


def without_camera(tabs, address, error):
    """Return a page that has asked for a camera and got an error of that name."""
    tabs.context.add_init_script(
        """if (navigator.mediaDevices)
          navigator.mediaDevices.getUserMedia = async () => {
            throw new DOMException("no", "ERROR");
          };""".replace("ERROR", error)
    )
    page = tabs.tab(address)
    page.locator(".way").first.locator("input").fill("cat")
    page.locator(".way").first.get_by_role("button").click()
    page.wait_for_selector(".no-camera .problem")
    return page


def test_images_wait_for_a_server_that_was_killed(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    open_webcam(page, "cat")
    page.locator(".hold").hover()
    page.mouse.down()
    page.wait_for_selector(".recent img[data-safe=true]")
    served.kill()
    page.wait_for_selector(".banner")
    wait_for(page, lambda: int(page.get_attribute(".safety", "data-waiting")) > 1, True)
    page.mouse.up()
    page.wait_for_selector("text=of cat were recorded")  # the last one is taken by then
    waiting = int(page.get_attribute(".safety", "data-waiting"))
    assert waiting > 1
    assert f"{waiting} images" in page.inner_text(".banner")
    said = page.inner_text(".banner [role=alert]")  # without a number that changes all the time
    assert not any(sign.isdigit() for sign in said)
    safe = int(page.inner_text(".recorded b").split()[0])
    before = len(served.files)  # the last one may be on the disk without an answer
    assert before >= safe

    served.start()
    wait_for(page, lambda: page.get_attribute(".safety", "data-waiting"), "0")
    wait_for(page, lambda: page.locator(".banner").count(), 0)
    wait_for(page, lambda: names(page), [f"cat {safe + waiting}"])
    assert len(served.files) == safe + waiting
    page.wait_for_function(
        "() => [...document.querySelectorAll('.cell img')].every((one) => one.naturalWidth > 0)"
    )
    tabs.check(served.origin)


def test_a_tab_with_images_that_are_not_saved_is_not_closed_without_a_question(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    open_webcam(page, "cat")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    served.kill()
    page.locator(".hold").click()
    wait_for(page, lambda: page.get_attribute(".safety", "data-waiting") != "0", True)
    page.close(run_before_unload=True)
    wait_for(page, lambda: asked, ["beforeunload"])
    served.start()
    wait_for(page, lambda: page.get_attribute(".safety", "data-waiting"), "0")
    page.close(run_before_unload=True)
    wait_for(tabs.tab(served.address), page.is_closed, True)
    assert asked == ["beforeunload"]


def test_two_tabs_follow_each_other(served, window):  # noqa: F811
    write_folder(served.folder / "images", cat=4, dog=4)
    tabs = window()
    one = tabs.tab(served.address)
    other = tabs.tab(served.origin)  # the browser has kept the token
    one.locator(".cell").first.click()
    one.keyboard.press("2")
    wait_for(other, lambda: names(other), ["cat 3", "dog 5"])
    other.locator(".side .name-field input").fill("bird")
    other.locator(".side .name-field button").click()
    wait_for(one, lambda: names(one), ["bird 0", "cat 3", "dog 5"])
    other.locator(".cell").last.click()
    other.keyboard.press("x")
    one.wait_for_selector(".cell[data-excluded=true]")
    one.locator(".grid").focus()
    one.keyboard.press("Control+z")
    wait_for(other, lambda: other.locator(".cell[data-excluded=true]").count(), 0)
    tabs.check(served.origin)


def test_a_page_without_the_token_says_which_address_to_open(served, window):  # noqa: F811
    tabs = window()
    page = tabs.context.new_page()
    page.goto(served.origin)
    page.wait_for_selector(".banner")
    assert "token" in page.inner_text(".banner")
    wait_for(page, page.locator(".room").count, 0)


def test_a_camera_that_is_forbidden_is_said_with_another_way(served, window):  # noqa: F811
    tabs = window()
    page = without_camera(tabs, served.address, "NotAllowedError")
    assert "Allow it" in page.inner_text(".no-camera")
    wait_for(page, page.locator(".hold:disabled").count, 1)
    wait_for(page, page.locator(".no-camera input[type=file]").count, 1)
    tabs.check(served.origin)


def test_images_whose_class_was_removed_in_another_tab_wait_for_a_class(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    open_webcam(page, "cat")
    # The images are on their way while another tab renames the class.
    held = []
    page.route("**/api/classes/*/images?*", lambda route: held.append(route))
    page.locator(".hold").press("Enter")
    wait_for(page, lambda: len(held), 1)
    other = tabs.tab(served.origin)
    menu = other.locator(".class-card .menu")
    menu.locator("button").first.click()
    other.get_by_role("menuitem", name="Rename").click()
    other.locator(".class-card input").first.fill("dog")
    other.locator(".class-card .name-field button").first.click()
    wait_for(page, lambda: names(page), ["dog 0"])
    wait_for(page, page.locator(".maker").count, 0)  # no images for a class that nobody chose
    held[0].continue_()
    page.wait_for_selector(".stuck:has-text('1 image is not saved')")
    assert page.get_attribute(".safety", "data-waiting") == "1"
    page.unroute("**/api/classes/*/images?*")
    page.locator(".stuck .class-choice .button", has_text="dog").click()
    wait_for(page, lambda: names(page), ["dog 1"])
    wait_for(page, page.locator(".stuck").count, 0)  # once its own answer has come, too
    tabs.check(served.origin)


def test_images_on_their_way_follow_a_class_that_is_renamed(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    open_webcam(page, "cat")
    held = []
    page.route("**/api/classes/*/images?*", lambda route: held.append(route), times=1)
    page.locator(".hold").press("Enter")
    wait_for(page, lambda: len(held), 1)
    page.locator(".class-card .menu button").first.click()
    page.get_by_role("menuitem", name="Rename").click()
    page.locator(".class-card input").first.fill("dog")
    page.locator(".class-card .name-field button").first.click()
    wait_for(page, lambda: names(page), ["dog 0"])
    held[0].continue_()
    wait_for(page, lambda: names(page), ["dog 1"])
    assert page.locator(".stuck, .refused").count() == 0
    tabs.check(served.origin)


def refuse_images(page, status, message):
    """Answer every new image of a page with an error."""
    body = json.dumps({"message": message, "field": None})
    answer = {"status": status, "content_type": "application/json", "body": body}
    page.route("**/api/classes/*/images?*", lambda route: route.fulfill(**answer))


def test_the_page_says_why_images_are_not_saved(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    open_webcam(page, "cat")
    refuse_images(page, 507, "the disk is full.")
    page.locator(".hold").press("Enter")
    page.wait_for_selector(".banner:has-text('the disk is full.')")
    refuse_images(page, 500, "a mistake was made.")  # from now on, without a moment between them
    page.wait_for_selector(".stuck:has-text('a mistake was made.')")  # after some tries
    page.unroute("**/api/classes/*/images?*")
    page.locator(".stuck .class-choice .button").click()
    wait_for(page, lambda: names(page), ["cat 1"])
    wait_for(page, page.locator(".banner, .stuck").count, 0)  # likewise
    tabs.check(served.origin)


def test_a_click_by_keyboard_records_one_image_and_says_so(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    open_webcam(page, "cat")
    page.locator(".hold").press("Enter")
    page.wait_for_selector(".message:has-text('1 image of cat was recorded.')")
    wait_for(page, lambda: names(page), ["cat 1"])
    tabs.check(served.origin)


def test_another_camera_error_is_not_taken_for_an_insecure_address(served, window):  # noqa: F811
    tabs = window()
    page = without_camera(tabs, served.address, "AbortError")
    assert "cannot be opened" in page.inner_text(".no-camera")
    tabs.check(served.origin)


def test_the_undo_of_a_message_goes_with_the_next_change(served, window):  # noqa: F811
    served.kill()
    write_folder(served.folder / "images", cat=3, dog=3)
    served.start()
    tabs = window()
    page = tabs.tab(served.address)
    other = tabs.tab(served.origin)
    other.locator(".cell").nth(1).click()
    page.locator(".cell").nth(0).click()
    page.keyboard.press("x")
    page.locator(".message .link").wait_for()
    other.keyboard.press("x")  # at once, since the message is shown for some seconds only
    # It would undo what the other tab has done.
    shown = page.locator(".message")
    wait_for(page, lambda: (shown.count(), shown.locator(".link").count()), (1, 0))
    tabs.check(served.origin)


def relabelled_and_undone(studio, tabs):
    """Relabel an image, exclude all, whose request is held, and undo; return the page and that."""
    with_images(studio, cat=3, dog=3)
    page = tabs.tab(studio.address)
    page.locator(".cell").first.click()
    page.keyboard.press("2")
    wait_for(page, lambda: names(page), ["cat 2", "dog 4"])
    held = hold(page, "**/api/exclude")
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.press("Control+z")
    wait_for(page, lambda: len(held), 1)
    page.wait_for_timeout(MOMENT)
    return page, held[0]


def test_an_undo_waits_for_the_change_that_it_takes_back(served, window):  # noqa: F811
    tabs = window()
    page, exclusion = relabelled_and_undone(served, tabs)
    exclusion.continue_()
    page.wait_for_selector("text=undone: 6 images left out")
    wait_for(page, lambda: page.locator(".cell[data-excluded=true]").count(), 0)
    assert names(page) == ["cat 2", "dog 4"]
    tabs.check(served.origin)


def test_an_undo_of_a_change_that_is_refused_takes_back_nothing_else(served, window):  # noqa: F811
    tabs = window()
    asked = asked_for(tabs, "POST", "/api/undo")
    page, exclusion = relabelled_and_undone(served, tabs)
    exclusion.fulfill(status=503, json={"message": "It was not done.", "field": None})
    page.wait_for_selector("text=It was not done.")
    wait_for(page, lambda: page.locator(".cell[data-excluded=true]").count(), 0)
    page.wait_for_timeout(MOMENT)
    assert asked == []
    assert names(page) == ["cat 2", "dog 4"]
    page.keyboard.press("Control+z")  # now it is the label that is taken back
    wait_for(page, lambda: names(page), ["cat 3", "dog 3"])
    tabs.check(served.origin)


def test_an_undo_with_nothing_to_undo_does_nothing(served, window):  # noqa: F811
    served.kill()
    write_folder(served.folder / "images", cat=3, dog=3)
    served.start()
    tabs = window()
    page = tabs.tab(served.address)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator(".cell").first.click()
    page.keyboard.press("Control+z")
    page.wait_for_timeout(500)
    assert not [url for url in asked if url.endswith("/api/undo")]
    assert page.locator(".message").count() == 0
    tabs.check(served.origin)
