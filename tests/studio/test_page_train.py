"""The room Train in Chromium: from the plan to the result, with kills, tabs and the keyboard."""

import json
import os
import shutil
import signal
import time

import pytest

from convlens.studio.training.process import is_alive
from tests.studio.browsing import (  # noqa: F401 - fixtures
    PHONE,
    served,
    wait_for,
    window,
    write_folder,
)
from tests.studio.test_page_access import complaints

LONG = 240_000  # milliseconds


@pytest.fixture(autouse=True)
def _ended(served):  # noqa: F811
    """End what a test has left, since trainings outlive the studio."""
    yield
    served.kill()
    for one in queue(served):
        if "pid" in one and is_alive(one["pid"], one["mark"]):
            os.kill(one["pid"], signal.SIGKILL)


def queue(studio):
    file = studio.folder / ".studio" / "trainings.json"
    return json.loads(file.read_text(encoding="utf-8"))["trainings"] if file.exists() else []


def enter(tabs, studio):
    """Return a page that shows the room."""
    page = tabs.tab(studio.address)
    page.locator(".tabs button").nth(1).click()
    page.wait_for_selector(".room.train")
    return page


def choose(page, way, epochs):
    """Choose a way, and wait until it is known what will happen, or why that is measured later."""
    page.locator(f"input[name=way][data-way={way}]").check()
    page.locator(".number-field input").first.fill(str(epochs))
    page.locator(".number-field input").first.press("Tab")
    page.wait_for_selector(f".sentence:has-text('{epochs} times')")
    page.wait_for_selector(".plan :is(.facts, .note[role=status])", timeout=LONG)


def state_of(page, run):
    row = page.locator(f".trainings li:has(.name:text-is('{run}'))")
    return row.locator(".state").get_attribute("data-state") if row.count() else ""


def wait_until(page, run, *wanted):
    end = time.monotonic() + LONG / 1000
    while state_of(page, run) not in wanted:
        assert time.monotonic() < end, (state_of(page, run), wanted)
        page.wait_for_timeout(100)


def test_from_the_plan_to_the_result_while_the_studio_is_killed(served, window):  # noqa: F811
    folder = write_folder(served.folder / "images", cat=12, dog=12)
    # Two are labelled wrong, so that there is a mistake to be seen.
    for name in ("00001.png", "00002.png"):
        (folder / "cat" / name).replace(folder / "dog" / f"wrong-{name}")
    tabs = window()
    page = enter(tabs, served)
    page.wait_for_selector("input[data-way=fast]:checked")  # the images are too small for photos
    assert page.locator("label:has(.suits) input").get_attribute("data-way") == "fast"
    page.wait_for_selector(".plan:has-text('cat has 10 images only')")
    choose(page, "small", 999)
    assert "all of them 999 times" in page.inner_text(".sentence")
    assert "It will take about" in page.inner_text(".sentence")
    assert "small_resnet" in page.inner_text(".plan .facts")
    page.get_by_role("button", name="Start the training").click()
    page.wait_for_selector(".curve .key", timeout=LONG)
    page.wait_for_selector(".running .times >> text=left", timeout=LONG)
    served.kill()
    (one,) = queue(served)
    assert is_alive(one["pid"], one["mark"])
    page.wait_for_selector(".banner")
    served.start()
    page.wait_for_selector(".banner", state="detached")
    wait_until(page, "small_resnet", "running")
    said = served.stop()
    assert "The training small_resnet goes on" in said
    assert f"kill -INT {one['pid']}" in said
    served.start()
    page.reload()
    page.wait_for_selector(".curve .key")
    page.get_by_role("button", name="Stop", exact=True).click()
    wait_until(page, "small_resnet", "stopped")
    assert "what it has learned is kept" in page.inner_text(".shown-training")

    # The rest of its epochs is cut, so that the test ends.
    file = served.folder / "runs" / "small_resnet" / "run.toml"
    done = len((served.folder / "runs" / "small_resnet" / "history.csv").read_text().splitlines())
    text = file.read_text(encoding="utf-8")
    assert "epochs = 999" in text
    file.write_text(text.replace("epochs = 999", f"epochs = {done + 2}"), encoding="utf-8")
    (file.parent / "SHA256SUMS").unlink()  # or the run would not go on with other settings
    page.get_by_role("button", name="Continue").click()
    wait_until(page, "small_resnet", "finished")
    page.wait_for_selector(".result .number")
    said = page.inner_text(".result")
    assert "The classifier is correct for" in said
    assert "images (test)" in said
    page.get_by_role("button", name="中文").click()
    page.wait_for_selector(".result:has-text('準確率')")
    page.get_by_role("button", name="English").click()
    page.get_by_text("The numbers of all epochs").click()
    rows = (served.folder / "runs" / "small_resnet" / "history.csv").read_text().splitlines()
    wait_for(page, page.locator("tbody tr").count, len(rows) - 1)
    live = served.folder / "runs" / "small_resnet" / "state" / "live.json"
    content = json.loads(live.read_text(encoding="utf-8"))
    if not content["mistakes"]:
        mistake = {"label": "dog", "predicted": "cat", "probability": 0.9, "of_label": 0.1}
        content |= {"wrong": 1, "mistakes": [mistake | {"file": "dog/wrong-00001.png"}]}
        live.write_text(json.dumps(content), encoding="utf-8")
        page.reload()
    name = content["mistakes"][0]["file"]
    page.locator(".mistakes .frame").first.click()
    page.wait_for_selector(f".details figcaption:has-text('{name}')")
    page.wait_for_selector(".grid:focus")  # which takes the keys
    page.keyboard.press("1")
    wait_for(page, (served.folder / "corrections.csv").exists, True)
    page.go_back()
    page.wait_for_selector(".shown-training")
    tabs.check(served.origin)


def test_two_tabs_a_queue_and_a_training_that_is_killed(served, window):  # noqa: F811
    write_folder(served.folder / "images", cat=12, dog=12)
    tabs = window()
    page = enter(tabs, served)
    choose(page, "small", 999)
    page.locator(".start-training").click()
    page.wait_for_selector(".curve .key", timeout=LONG)
    for name, epochs in (("fast_cnn", 2), ("fast_cnn-2", 3)):
        choose(page, "fast", epochs)
        assert "when no other training is running" in page.inner_text(".plan")
        page.get_by_role("button", name="Add to the queue").click()
        wait_until(page, name, "waiting")
    other = enter(tabs, served)
    wait_until(other, "fast_cnn-2", "waiting")
    other.get_by_role("button", name="Let fast_cnn-2 come earlier").click()
    for tab in (page, other):
        wait_for(
            tab, lambda tab=tab: tab.locator(".trainings .name").all_inner_texts()[1], "fast_cnn-2"
        )
    page.locator(".trainings .row:has(.name:text-is('fast_cnn'))").click()
    page.wait_for_selector("#shown-title:text-is('fast_cnn')")
    page.get_by_role("button", name="Take fast_cnn out of the list").click()
    for tab in (page, other):
        wait_for(tab, tab.locator(".trainings li").count, 2)
    assert page.locator(".vanished").count() == 0  # nobody misses it
    (long, _second) = sorted(queue(served), key=lambda one: one["state"])
    os.kill(long["pid"], signal.SIGKILL)
    wait_until(page, "small_resnet", "killed")
    page.locator(".trainings .row", has_text="small_resnet").click()
    page.wait_for_selector(".ended >> text=It can be continued")
    assert page.get_by_role("button", name="Continue").is_enabled()
    wait_until(other, "fast_cnn-2", "running", "finished")
    # What is asked for by then meets images that are gone.
    choose(other, "fast", 4)
    other.locator(".start-training").click()
    wait_until(other, "fast_cnn", "waiting", "running")
    for file in (served.folder / "images" / "dog").iterdir():
        file.unlink()
    page.wait_for_selector(".cannot >> text=one class only")
    wait_until(page, "fast_cnn", "failed", "finished")
    if state_of(page, "fast_cnn") == "failed":
        page.locator(".trainings li:has([data-state=failed]) .row").first.click()
        page.wait_for_selector(".problem.ended")
    tabs.check(served.origin)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_the_phone_needs_no_second_way(served, window, theme):  # noqa: F811
    tabs = window(color_scheme=theme)
    page = enter(tabs, served)
    assert complaints(page) == []  # without images
    write_folder(served.folder / "images", cat=8, dog=8)
    page.reload()
    page.wait_for_selector(".way-of-training")
    write_run(served.folder / "runs" / "made")
    page.wait_for_selector(".curve .key")
    page.wait_for_selector(".mistakes .frame")
    page.get_by_text("The numbers of all epochs").click()
    assert complaints(page) == []
    page.set_viewport_size(PHONE)
    assert complaints(page) == []
    for language in ("中文", "English"):
        page.get_by_role("button", name=language).click()
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        wide = """[...document.querySelectorAll(".room.train *")].filter((one) =>
            !one.closest(".scroll, pre, .hidden") && one.getBoundingClientRect().right > 361)
            .map((one) => one.className)"""
        assert page.evaluate(wide) == []
    tabs.check(served.origin)


def test_a_budget_that_was_too_short_offers_a_longer_one(served, window):  # noqa: F811
    write_folder(served.folder / "images", cat=8, dog=8)
    served.kill()
    hidden = served.folder / ".studio"
    row = {"run": "budget-1m", "choice": {"way": "budget", "seconds": 60}, "asked": "2026-01-02"}
    row |= {"id": "0123456789abcdef", "state": "failed", "message": "--budget must be longer."}
    lost = row | {"run": "lost", "id": "fedcba9876543210", "state": "finished"}
    content = json.dumps({"format": 1, "trainings": [lost, row]})
    (hidden / "trainings.json").write_text(content, encoding="utf-8")
    (hidden / "logs").mkdir(exist_ok=True)
    needed = json.dumps({"needed": {"used": 50, "more": 90, "seconds": 175}})
    (hidden / "logs" / f"{row['id']}.progress").write_text(needed, encoding="utf-8")
    served.start()
    tabs = window()
    page = enter(tabs, served)
    page.wait_for_selector(".problem.ended")
    said = page.inner_text(".shown-training")
    assert "1 minute was not enough for these images" in said
    assert "--" not in said
    assert page.get_by_role("button", name="Continue").count() == 0
    # A wrong number is said at its field until another one is chosen.
    page.locator("input[data-way=budget]").check()
    field = page.locator(".numbers .number-field input")
    field.fill("1e9")
    field.press("Tab")
    page.wait_for_selector(".number-field .problem")
    page.locator(".numbers").get_by_role("button", name="3", exact=True).click()
    page.wait_for_selector(".number-field .problem", state="detached")
    assert field.input_value() == "3"
    assert complaints(page) == []
    page.get_by_role("button", name="Give it 3 minutes").click()
    wait_until(page, "budget-3m", "running")
    wait_for(page, page.locator(".trainings li").count, 2)
    assert [one["choice"]["seconds"] for one in queue(served)] == [60, 180]
    assert state_of(page, "lost") == "gone"
    # A run whose folder is removed while it is known goes with a word.
    write_run(served.folder / "runs" / "made")
    (served.folder / "runs" / "made" / "classifier.keras").touch()
    page.locator(".trainings .row", has_text="made").click()
    page.wait_for_selector("#shown-title:has-text('made')")
    shutil.rmtree(served.folder / "runs" / "made")
    page.wait_for_selector(".vanished >> text=made is no longer there")
    assert page.locator(".message", has_text="made").count() == 0  # once is enough
    page.locator(".vanished").get_by_role("button", name="Close").click()
    page.wait_for_selector(".vanished", state="detached")
    tabs.check(served.origin)


def write_run(folder):
    """Write a run that was begun at a terminal and stopped after three epochs."""
    from convlens.config import Config

    (folder / "state").mkdir(parents=True)
    (folder / "run.toml").write_text(Config().replace(epochs=9).to_toml(), encoding="utf-8")
    began = {"began": "2026-01-02T03:04:05+00:00", "images": 16}
    (folder / "data.json").write_text(json.dumps(began), encoding="utf-8")
    rows = [f"{epoch},1.5,{1 / epoch},0.{4 + epoch},{1.2 / epoch},0.5,0.001" for epoch in (1, 2, 3)]
    heading = "epoch,seconds,loss,accuracy,val_loss,val_accuracy,learning_rate"
    (folder / "history.csv").write_text("\n".join([heading, *rows]) + "\n", encoding="utf-8")
    mistake = {"label": "cat", "predicted": "dog", "probability": 0.98, "of_label": 0.02}
    files = ("cat/00001.png", "cat/gone.png")
    mistakes = [mistake | {"file": file} for file in files]
    live = {"epoch": 3, "images": 4, "wrong": 2, "mistakes": mistakes}
    (folder / "state" / "live.json").write_text(json.dumps(live), encoding="utf-8")


def test_the_keyboard_alone_starts_a_training(served, window):  # noqa: F811
    write_folder(served.folder / "images", cat=8, dog=8)
    tabs = window()
    page = enter(tabs, served)
    page.locator("input[name=way]:checked").focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_selector("input[data-way=small]:checked")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.way") == "fast"
    page.wait_for_selector("input[data-way=fast]:checked")
    page.keyboard.press("Tab")
    is_in_field = "document.activeElement.matches('.number-field input')"
    wait_for(page, lambda: page.evaluate(is_in_field), True)
    page.keyboard.press("Control+a")
    page.keyboard.type("0")
    assert page.locator(".number-field input").first.input_value() == "0"
    page.keyboard.press("Tab")
    page.wait_for_selector(".number-field .problem")
    page.locator(".number-field input").first.fill("1")
    # What is typed stays when the page is drawn again before one goes on.
    for language in ("zh", "en"):
        page.evaluate(
            f"import('/page/words.js').then((words) => words.chooseLanguage('{language}'))"
        )
        page.wait_for_selector(f"html[lang^={language}]")
        assert page.locator(".number-field input").first.input_value() == "1"
    page.keyboard.press("Tab")
    page.wait_for_selector(".number-field .problem", state="detached")
    for _step in range(12):
        if "start-training" in page.evaluate("document.activeElement.className"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_until(page, "fast_cnn", "running", "finished")
    assert queue(served)[0]["choice"] == {"way": "fast", "epochs": 1}
    tabs.check(served.origin)
