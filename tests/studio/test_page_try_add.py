"""What is tried becomes a training image: once, and as it is shown."""

# ruff: noqa: F811 - fixtures that are imported
from tests.studio.browsing import wait_for, window  # noqa: F401 - a fixture
from tests.studio.holding import MOMENT, hold
from tests.studio.try_page import answered, draw, room, studio  # noqa: F401 - fixtures
from tests.studio.trying import trained  # noqa: F401 - a fixture


def bytes_of_board(page):
    """Return the file of what the board shows."""
    found = page.evaluate(
        """async () => {
          const { blobOf } = await import("/page/images/strokes.js");
          const blob = await blobOf(document.querySelector(".board canvas"));
          return [...new Uint8Array(await blob.arrayBuffer())];
        }"""
    )
    return bytes(found)


def wait_for_drawing(page):
    """Wait until the last point of a stroke has become an image."""
    newest = """async () => {
      const { newestImage } = await import("/page/try/live.js");
      return [...new Uint8Array(await newestImage().blob.arrayBuffer())];
    }"""
    wait_for(page, lambda: bytes(page.evaluate(newest)) == bytes_of_board(page), True)


def test_a_double_click_adds_an_image_once(room):
    _tabs, page = room(webcam=False)
    page.locator(".source-choice .button").nth(2).click()
    draw(page)
    answered(page)
    sent = []
    page.route(
        "**/api/classes/*/images?*",
        lambda route: (sent.append(route.request.url), route.fulfill(json={"version": 1})),
    )
    page.locator(".add .class-choice .button").first.dblclick()
    wait_for(page, lambda: len(sent) > 0, True)
    page.wait_for_timeout(700)
    assert len(sent) == 1
    page.locator(".add .class-choice .button").first.click()  # as after an undo
    wait_for(page, lambda: len(sent), 2)


def test_a_double_click_adds_one_image_when_an_answer_comes_between_the_clicks(room):
    _tabs, page = room(webcam=False)
    page.locator(".source-choice .button").nth(2).click()
    draw(page)
    answered(page)
    sent = hold(page, "**/api/classes/*/images?*")
    page.evaluate(
        """async () => {
          const { tried } = await import("/page/try/live.js");
          const button = document.querySelector(".add .class-choice .button");
          button.click();
          tried.change({ image: { ...tried.get().image } });
          await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          button.click();
        }"""
    )
    wait_for(page, lambda: len(sent) > 0, True)
    sent[0].fulfill(json={"version": 1})  # the next image would be sent now
    page.wait_for_timeout(MOMENT)
    assert len(sent) == 1


def test_what_is_added_is_what_the_board_shows_and_not_what_was_answered(room):
    _tabs, page = room(webcam=False)
    page.locator(".source-choice .button").nth(2).click()
    draw(page)
    answered(page)
    asked = hold(page, "**/api/try?*")
    sent = hold(page, "**/api/classes/*/images?*")
    draw(page, height=0.7)
    wait_for(page, lambda: len(asked) > 0, True)
    wait_for_drawing(page)
    shown = bytes_of_board(page)
    page.locator(".add .class-choice .button").first.click()
    wait_for(page, lambda: len(sent) > 0, True)
    assert sent[0].request.post_data_buffer == shown


HELD_FILES = """() => {
  const make = HTMLCanvasElement.prototype.toBlob;
  window.files = [];
  HTMLCanvasElement.prototype.toBlob = function (done, kind) {
    make.call(this, (blob) => window.files.push(() => done(blob)), kind);
  };
}"""


def test_a_drawing_whose_file_is_made_after_the_board_was_cleared_is_not_asked_about(room):
    _tabs, page = room(webcam=False)
    page.locator(".source-choice .button").nth(2).click()
    page.evaluate(HELD_FILES)
    asked = hold(page, "**/api/try?*")
    draw(page)
    wait_for(page, lambda: page.evaluate("window.files.length > 0"), True)
    page.get_by_role("button", name="Clear").click()
    page.evaluate("for (const give of window.files) give()")
    page.wait_for_timeout(MOMENT)
    assert asked == []


def test_a_new_class_gets_the_drawing_that_was_shown_when_it_was_named(room):
    _tabs, page = room(webcam=False)
    page.locator(".source-choice .button").nth(2).click()
    draw(page)
    answered(page)
    wait_for_drawing(page)
    shown = bytes_of_board(page)
    made = hold(page, "**/api/classes", times=1)
    sent = hold(page, "**/api/classes/*/images?*")
    page.locator(".add .name-field input").fill("planet")
    page.locator(".add .name-field button").click()
    wait_for(page, lambda: len(made), 1)
    draw(page, height=0.7)
    wait_for_drawing(page)
    made[0].fulfill(status=201, json={"version": 1, "class": {"id": "p", "name": "planet"}})
    wait_for(page, lambda: len(sent) > 0, True)
    assert sent[0].request.post_data_buffer == shown
