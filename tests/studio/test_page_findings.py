"""The findings of the data check on the page: side by side, and what a click does with them."""

import re

from tests.studio.browsing import (  # noqa: F401 - fixtures
    served,
    wait_for,
    window,
    write_folder,
)


def test_findings_lie_side_by_side_and_a_click_does_what_is_proposed(served, window, tmp_path):  # noqa: F811
    folder = write_folder(served.folder / "images", cat=6, dog=6)
    copy = folder / "dog" / "copy.png"
    copy.write_bytes((folder / "cat" / "00000.png").read_bytes())
    tabs = window()
    page = tabs.tab(served.address)
    page.get_by_role("button", name="Check the images").click()
    page.wait_for_selector(".code")
    page.locator(".code", has_text="label").first.click()
    card = page.locator(".card").first
    card.locator("figure").nth(1).wait_for()
    page.wait_for_function(
        "() => [...document.querySelectorAll('.card img')].every((one) => one.naturalWidth > 0)"
    )
    card.get_by_role("button", name="Apply").click()
    page.wait_for_selector(".card[data-done=true]")
    rows = (served.folder / "corrections.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) > 1
    assert all("exclude" in row for row in rows[1:])
    page.get_by_role("button", name="As a grid").click()
    page.wait_for_selector(".cell[data-excluded=true]")
    tabs.check(served.origin)


def test_a_label_is_chosen_and_an_image_is_looked_at_with_a_click(served, window, tmp_path):  # noqa: F811
    folder = write_folder(served.folder / "images", cat=6, dog=6)
    (folder / "dog" / "copy.png").write_bytes((folder / "cat" / "00000.png").read_bytes())
    first = min((folder / "dog").glob("0*.png"))
    first.rename(folder / "dog" / "odd.jpg")
    tabs = window()
    page = tabs.tab(served.address)
    page.get_by_role("button", name="Check the images").click()
    page.wait_for_selector(".code")
    page.locator(".code", has_text="label").first.click()
    page.get_by_role("button", name="All are cat").click()
    page.wait_for_selector(".card[data-done=true]")
    rows = (served.folder / "corrections.csv").read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[:3] for row in rows[1:]] == [["dog/copy.png", "relabel", "cat"]]
    page.get_by_role("button", name="All images").click()
    page.locator(".code", has_text="another type").first.click()
    page.locator(".card").get_by_role("button", name="Look at dog/odd.jpg").click()
    page.locator(".details", has_text="odd.jpg").wait_for()
    tabs.check(served.origin)


def test_many_findings_stay_when_the_images_change(served, window):  # noqa: F811
    folder = write_folder(served.folder / "images", cat=6, dog=6)
    (folder / "dog" / "copy.png").write_bytes((folder / "cat" / "00000.png").read_bytes())
    tabs = window()
    page = tabs.tab(served.address)
    limits, stamps, applied = [], set(), []

    def answer(route):
        """Answer as if the finding were there 260 times."""
        asked = {
            key: int(value) for key, value in re.findall(r"(offset|limit)=(\d+)", route.request.url)
        }
        limits.append(asked["limit"])
        one = route.fetch(url=re.sub(r"offset=\d+", "offset=0", route.request.url))
        if not one.ok:
            route.fulfill(response=one)
            return
        (row,) = one.json()["rows"]
        stamps.add(one.json()["stamp"])
        end = min(260, asked["offset"] + asked["limit"])
        rows = [{**row, "number": number} for number in range(asked["offset"], end)]
        route.fulfill(json={**one.json(), "rows": rows, "total": 260})

    def apply(route):
        applied.append(route.request.post_data_json)
        route.continue_()

    page.route("**/api/findings?*", answer)
    page.route("**/api/apply", apply)
    page.get_by_role("button", name="Check the images").click()
    page.locator(".code", has_text="label").first.click()
    cards = page.locator(".card")
    for shown in (50, 100, 150, 200):
        wait_for(page, cards.count, shown)
        page.locator(".cards .more").click()
    wait_for(page, cards.count, 250)
    cards.first.get_by_role("button", name="Apply").click()
    page.wait_for_selector(".card[data-done=true]")
    assert cards.count() == 200
    assert max(limits) == 200  # more than that is refused
    assert applied == [{"finding": 0, "stamp": stamps.pop()}]
    assert not stamps
    tabs.check(served.origin)
