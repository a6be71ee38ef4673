"""The numbers of the room of the scores, and what of them is in sight."""

import pytest

from tests.studio.browsing import served, wait_for, window  # noqa: F401 - fixtures
from tests.studio.test_page_scores import room, scored, write  # noqa: F401 - fixtures


def test_each_number_is_that_of_the_report(scored, window):  # noqa: F811
    # 56.25 lies between two numbers; JavaScript takes the upper one, Python and reports the lower.
    write(scored, "tie", wrong=range(7), second=2)
    page = window().tab(scored.address)
    room(page, scored, "&run=tie")
    assert page.inner_text(".headline .figure b") == "56.2 %"
    assert "16 images (test)" in page.inner_text(".headline .figure")
    assert page.locator(".version b").first.inner_text() == "56.2 %"
    room(page, scored, "&compare=old/tie")
    page.locator(".beside td", has_text="56.2 % [").wait_for()
    page.goto(f"{scored.origin}/#room=train&run=tie")
    page.wait_for_selector(".result .number")
    assert page.inner_text(".result .number b") == "56.2 %"
    assert "correct for 9 of 16 images (test)" in page.inner_text(".result")
    assert "56.2 %" in page.locator(".trainings .said").first.inner_text()


def test_the_page_rounds_shares_as_reports_do(scored, window):  # noqa: F811
    page = window().tab(scored.address)
    shares = [n / total for total in (1, 3, 7, 16, 80, 400, 800) for n in range(total + 1)]
    said = """async (shares) => {
        const { percent } = await import("/page/words.js");
        return shares.map((share) => [percent(share), percent(share, 0)]);
    }"""
    assert page.evaluate(said, shares) == [
        [f"{100 * share:.1f} %", f"{100 * share:.0f} %"] for share in shares
    ]


@pytest.mark.parametrize(
    ("language", "lists"),
    [("en", ["a", "a, b, c", "a, b", "a; b"]), ("zh", ["a", "a、b、c", "a，b", "a；b"])],
)
def test_the_page_joins_lists_as_its_language_does(served, window, language, lists):  # noqa: F811
    page = window(language).tab(served.address)
    said = """async () => {
        const { listed } = await import("/page/words.js");
        const two = ["a", "b"];
        const parted = ["comma", "semicolon"].map((sign) => listed(two, sign));
        return [listed(["a"]), listed([...two, "c"]), ...parted];
    }"""
    assert page.evaluate(said) == lists


def test_the_matrix_stays_in_sight_when_a_cell_is_opened(scored, window):  # noqa: F811
    page = window().tab(scored.address)
    room(page, scored, "&run=old")
    cell = page.locator(".matrix td[data-row='0'][data-column='1']")
    cell.click()
    page.wait_for_selector(".score-card")
    selected = page.locator(".matrix td[aria-selected=true]")
    wait_for(page, selected.count, 1)
    wait_for(page, lambda: is_in_sight(page, selected), True)
    # What comes from the address is in sight, too.
    page.reload()
    page.wait_for_selector(".score-card")
    wait_for(page, lambda: is_in_sight(page, selected), True)


def is_in_sight(page, element):
    box = element.bounding_box()
    return 0 < box["y"] < box["y"] + box["height"] <= page.viewport_size["height"]
