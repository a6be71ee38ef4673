"""What is tried becomes a training image: once, and as it is shown."""

# ruff: noqa: F811 - fixtures that are imported
from tests.studio.browsing import wait_for, window  # noqa: F401 - a fixture
from tests.studio.holding import MOMENT, hold
from tests.studio.try_page import answered, draw, room, studio  # noqa: F401 - fixtures
from tests.studio.trying import trained  # noqa: F401 - a fixture


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
    page.wait_for_timeout(MOMENT)  # until the last point of the stroke has become an image
    shown = page.evaluate(
        """async () => {
          const { blobOf } = await import("/page/images/strokes.js");
          const blob = await blobOf(document.querySelector(".board canvas"));
          return [...new Uint8Array(await blob.arrayBuffer())];
        }"""
    )
    page.locator(".add .class-choice .button").first.click()
    wait_for(page, lambda: len(sent) > 0, True)
    assert sent[0].request.post_data_buffer == bytes(shown)
