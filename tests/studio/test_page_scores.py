"""The room of the scores: from the matrix to the images, the labels and the other versions."""

import json

import pytest

from convlens.data.sources import load_data
from convlens.pipeline import train
from tests.scored import predicted, write_run
from tests.studio.browsing import (  # noqa: F401 - fixtures
    PHONE,
    served,
    wait_for,
    window,
    write_folder,
)
from tests.studio.test_page_access import WIDTH, complaints
from tests.trainings import CONFIG, QUIET

NAMES = ("cat", "dog")
FILES = [
    f"{name}/{number:05}.png"
    for name, first in (("cat", 0), ("dog", 8))
    for number in range(first, first + 8)
]
LABELS = [0] * 8 + [1] * 8
SAYS = {
    "en": {
        "mistakes": "4 mistakes",
        "dog": "It is dog",
        "undo": "Undo",
        "report": "Open the report",
    },
    "zh": {"mistakes": "4 個錯誤", "dog": "這是 dog", "undo": "復原", "report": "開啟報告"},
}
# What a report of somebody else may try: read the token, ask the studio, and send something.
HOSTILE = """<!doctype html><title>hostile</title><p id="said"></p><script>
const said = [];
const note = (what, look) => {
  try { said.push(what + " " + look()); } catch (error) { said.push("no " + what); }
};
note("storage", () => localStorage.getItem("convlens-token"));
note("cookie", () => document.cookie);
note("opener", () => window.opener.location);
const tries = ["/api/state", "/texts.json", "http://127.0.0.1:9/"].map((path) =>
  fetch(path, { mode: "no-cors" }).then(() => said.push(path), () => said.push("refused")),
);
Promise.all(tries).then(() => {
  document.querySelector("#said").textContent = [...said, "done"].join(" | ");
});
</script>"""


def write(served, name, wrong=(), **more):  # noqa: F811
    answers = [1 - one if place in wrong else one for place, one in enumerate(LABELS)]
    evaluation = predicted(LABELS, answers, NAMES, threshold=0.7)
    return write_run(
        served.folder / "runs" / name, evaluation, FILES, path=served.folder / "images", **more
    )


@pytest.fixture
def scored(served):  # noqa: F811
    """A studio with two versions."""
    write_folder(served.folder / "images", cat=8, dog=8)
    write(served, "old", wrong=(0, 1, 2, 15))
    write(served, "new", wrong=(15,), second=1)
    return served


def room(page, served, fields=""):  # noqa: F811
    page.goto(f"{served.origin}/#room=scores{fields}")
    page.wait_for_selector(".scores-room")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_from_a_cell_to_the_label_to_the_list_and_back(scored, window, language):  # noqa: F811
    says = SAYS[language]
    tabs = window(language)
    page = tabs.tab(scored.address)
    room(page, scored, "&run=old")
    assert page.inner_text(".headline .figure b") == "75.0 %"
    assert [one.inner_text().split()[0] for one in page.locator(".matrix td").all()] == [
        "5",
        "3",
        "1",
        "7",
    ]
    assert page.get_by_role("button", name=says["mistakes"]).is_visible()

    page.locator(".matrix td").nth(1).click()
    page.wait_for_selector(".score-card")
    shown = [one.inner_text() for one in page.locator(".score-card .file").all()]
    assert shown == ["cat/00002.png", "cat/00001.png", "cat/00000.png"]
    assert "true=0&predicted=1" in page.url
    page.locator(".score-card").first.click()
    page.get_by_role("button", name=says["dog"]).click()
    page.wait_for_selector(".score-card .now")
    listed = scored.folder / "corrections.csv"
    assert "cat/00002.png,relabel,dog" in listed.read_text(encoding="utf-8-sig")
    page.locator(".message").get_by_role("button", name=says["undo"]).click()
    wait_for(page, page.locator(".score-card .now").count, 0)
    assert "cat/00002.png" not in listed.read_text(encoding="utf-8-sig")
    page.go_back()
    wait_for(page, page.locator(".score-images").count, 0)
    tabs.check(scored.origin)


@pytest.mark.usefixtures("no_charts")
def test_real_trainings_also_older_ones(served, window):  # noqa: F811
    images = write_folder(served.folder / "images", cat=20, dog=20)
    tiny = CONFIG.replace(epochs=2, limit=None, size="16")
    for name, seed in (("first", 1), ("second", 2)):
        settings = tiny.replace(seed=seed)
        train(load_data(str(images)), settings, run=served.folder / "runs" / name, screen=QUIET)
    (served.folder / "runs" / "first" / "predictions.csv").unlink()  # as earlier versions did
    report = json.loads((served.folder / "runs" / "first" / "report.json").read_text("utf-8"))
    tabs = window()
    page = tabs.tab(served.address)
    room(page, served, "&compare=first/second")
    page.get_by_role("button", name="Predict the test images").click()
    page.wait_for_selector(".notice progress")
    said = ".verdict, .verdicts .problem, .notice .problem"
    page.wait_for_selector(said, timeout=120_000)  # the engine starts first
    assert "images differ (first 8, second 8)" in page.inner_text(".verdicts")
    room(page, served, "&run=first")
    page.wait_for_selector(".matrix")
    shown = [
        int(one.inner_text().split()[0].replace("·", "0"))
        for one in page.locator(".matrix b").all()
    ]
    assert shown[:4] == [number for row in report["confusion"] for number in row]
    value = report["metrics"]["accuracy"]["value"]
    assert page.inner_text(".headline .figure b") == f"{100 * value:.1f} %"
    tabs.check(served.origin)


def test_versions_stand_side_by_side_with_the_paired_test(scored, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(scored.address)
    room(page, scored, "&run=old")
    page.locator(".version", has_text="new").locator("input").check()
    page.wait_for_selector(".verdict")
    assert page.inner_text(".verdict").startswith("new and old cannot be told apart (p = 0.25)")
    assert [one.inner_text() for one in page.locator(".two .link").all()] == ["12", "0", "3", "1"]
    page.locator(".beside", has_text="16 images (test)").wait_for()
    assert "18.8 percentage points" in page.inner_text(".difference")
    page.locator(".two .link").nth(2).click()
    page.wait_for_selector(".score-card")
    assert page.locator(".score-card").count() == 3
    cards = page.locator(".score-card")
    chosen = page.locator(".score-card[aria-selected=true]")
    cards.nth(0).click()
    cards.nth(2).click()
    wait_for(page, chosen.count, 1)  # as in the room Images
    cards.nth(0).click(modifiers=["Control"])
    wait_for(page, chosen.count, 2)
    cards.nth(1).click()
    cards.nth(2).click(modifiers=["Shift"])
    wait_for(page, chosen.count, 2)
    assert "Only new is right" in page.inner_text(".score-images h2")
    assert page.locator(".guess").first.inner_text().startswith("old dog")
    page.reload()
    page.wait_for_selector(".score-card")
    page.get_by_role("button", name="Leave out old").click()
    page.wait_for_selector(".matrix")
    assert page.locator(".version-name[aria-current]").inner_text().startswith("new")
    tabs.check(scored.origin)


def test_the_keyboard_alone_suffices(scored, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(scored.address)
    room(page, scored, "&run=old")
    page.locator(".matrix td[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    assert page.inner_text(".reading") == (
        "cat, predicted as dog: 3 images are wrong, 37.5 % of all cat"
    )
    page.keyboard.press("Enter")
    page.wait_for_selector(".score-images h2:focus")
    page.wait_for_selector(".score-card")
    page.keyboard.press("Tab")  # the button that closes
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "score-card"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("x")
    page.wait_for_selector(".score-card[data-excluded=true]")
    assert "cat/00001.png,exclude" in (scored.folder / "corrections.csv").read_text(
        encoding="utf-8-sig"
    )
    page.keyboard.press("Control+z")
    wait_for(page, page.locator(".score-card[data-excluded=true]").count, 0)
    page.keyboard.press("Enter")
    page.wait_for_selector(".cell[aria-selected=true]")
    assert page.locator(".cell").count() == 16  # among all images
    assert "cat/00001.png" in page.inner_text(".details")
    page.go_back()
    page.wait_for_selector(".score-card")
    page.keyboard.press("Escape")
    tabs.check(scored.origin)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(scored, window, theme):  # noqa: F811
    tabs = window(color_scheme=theme)
    page = tabs.tab(scored.address)
    (write(scored, "stopped", second=2) / "report.json").unlink()
    found = {}
    for fields, seen in (
        ("&run=old", ".matrix"),
        ("&run=old&only=mistakes", ".score-card"),
        ("&compare=old/new", ".verdict"),
        ("&run=stopped", ".unfinished"),
    ):
        room(page, scored, fields)
        page.wait_for_selector(seen)
        page.locator(".score-card").first.click() if "only" in fields else None
        found[fields] = complaints(page)
    assert found == {fields: [] for fields in found}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_width_of_360_pixels_is_enough(scored, window, language):  # noqa: F811
    page = window(language, PHONE).tab(scored.address)
    room(page, scored)
    page.locator(".version-name").first.click()
    page.wait_for_selector(".matrix")
    assert page.evaluate(WIDTH) == PHONE["width"]
    room(page, scored, "&compare=old/new")
    page.wait_for_selector(".verdict")
    assert page.evaluate(WIDTH) == PHONE["width"]
    room(page, scored, "&run=old&true=0&predicted=1")
    page.wait_for_selector(".score-card")
    assert page.evaluate(WIDTH) == PHONE["width"]
    page.locator(".score-images header button").click()
    page.locator(".back").click()
    page.wait_for_selector(".versions")


def test_a_report_in_its_sandbox_reaches_nothing_of_the_studio(scored, window):  # noqa: F811
    (scored.folder / "runs" / "old" / "report.html").write_text(HOSTILE, encoding="utf-8")
    tabs = window()
    page = tabs.tab(scored.address)
    room(page, scored, "&run=old")
    with tabs.context.expect_page() as opened:
        page.get_by_role("link", name=SAYS["en"]["report"]).click()
    report = opened.value
    report.wait_for_selector("#said:has-text('done')")
    said = report.inner_text("#said").split(" | ")
    assert said == ["no storage", "no cookie", "no opener", "refused", "refused", "refused", "done"]


def test_a_run_that_is_removed_or_damaged_meanwhile_is_said(scored, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(scored.address)
    room(page, scored, "&run=old")
    page.wait_for_selector(".matrix")
    (scored.folder / "runs" / "old" / "report.json").write_text("{", encoding="utf-8")
    page.wait_for_selector(".score-main .problem")
    assert "report.json: this file of the run cannot be read" in page.inner_text(".score-main")
    folder = scored.folder / "runs" / "old"
    folder.rename(scored.folder / "moved")
    wait_for(page, lambda: "has no run 'old'" in page.inner_text(".score-main"), True)
    wait_for(page, page.locator(".version").count, 1)  # the list is loaded by itself
    tabs.check(scored.origin)


def test_an_empty_room_says_what_will_stand_here(served, window):  # noqa: F811
    page = window().tab(served.address)
    room(page, served)
    page.wait_for_selector(".score-empty")
    assert "There is no training yet." in page.inner_text(".score-empty")


def test_a_name_of_a_run_or_a_class_is_text_and_nothing_else(served, window):  # noqa: F811
    names = ("<img src=x onerror=alert(1)>", "貓 & 狗 %20")
    evaluation = predicted([0, 1], [0, 0], names)
    folder = served.folder / "runs" / "a b & 貓 #1"
    write_run(folder, evaluation, ["1.png", "2.png"], path="gone")
    tabs = window()
    page = tabs.tab(served.address)
    room(page, served)
    page.locator(".version-name").first.click()
    page.wait_for_selector(".matrix")
    assert names[0] in page.inner_text(".matrix")
    page.locator(".matrix td").nth(2).click()
    page.wait_for_selector(".score-card .gone")
    assert json.loads(page.evaluate("JSON.stringify([...document.images].map((i) => i.src))")) == [
        f"{served.origin}/page/icon.svg"
    ]
    tabs.check(served.origin)
