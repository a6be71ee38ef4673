"""The page of the studio: the ways through the room of the images, with mouse and camera."""

import json
import re
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.studio.browsing import (  # noqa: F401 - fixtures
    names,
    served,
    wait_for,
    window,
    write_folder,
)

SAYS = {
    "en": {
        "begin": "Show what you want to tell apart.",
        "open": "Open the webcam",
        "add": "Add",
        "out": "Leave out",
        "other": "中文",
    },
    "zh": {
        "begin": "讓電腦看看要分辨什麼。",
        "open": "開啟網路攝影機",
        "add": "新增",
        "out": "排除",
        "other": "English",
    },
}
SHOWN = ".cell .frame img"


def hold(page):
    """Hold the button of the webcam until it has recorded some; return how many are safe then."""
    button = page.locator(".hold")
    page.wait_for_selector(".hold:enabled")
    before = recorded(page)
    button.hover()
    page.mouse.down()
    wait_for(page, lambda: recorded(page) > before + 1, True)
    page.mouse.up()
    page.wait_for_selector(".recording", state="hidden")
    wait_for(page, lambda: page.get_attribute(".safety", "data-waiting"), "0")
    return recorded(page)


def recorded(page):
    """Return how many images of the webcam are safe, as the page says."""
    return int(re.search(r"\d+", page.inner_text(".recorded b"))[0])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_from_an_empty_page_to_labelled_images(served, window, language):  # noqa: F811
    says = SAYS[language]
    first, second = {"en": ("cat", "dog"), "zh": ("狗", "貓")}[language]
    tabs = window(language)
    page = tabs.tab(served.address)
    assert page.inner_text(".begin h2") == says["begin"]
    wait_for(page, page.locator(".way").count, 3)
    assert "token" not in page.url
    asked = [url.removeprefix(served.origin) for url in tabs.requested]
    assert asked.count("/texts.json") == 1  # it is asked for before the scripts need it
    assert asked.index("/texts.json") < asked.index("/api/state")

    webcam = page.locator(".way").first
    webcam.locator("input").fill(first)
    button = webcam.get_by_role("button", name=says["open"])
    colour = "button => getComputedStyle(button).backgroundColor"
    shown = button.evaluate(colour)
    button.hover()
    page.wait_for_timeout(200)  # the colour changes within 0.12 seconds
    assert button.evaluate(colour) == shown  # the white text can be read under the mouse, too
    button.click()
    cats = hold(page)
    assert cats > 1
    page.locator(".maker .name-field input").fill(second)
    page.locator(".maker").get_by_role("button", name=says["add"]).click()
    page.wait_for_selector(f".chip:has(:checked):has-text('{second}')")
    dogs = hold(page)
    wait_for(page, lambda: names(page), [f"{first} {cats}", f"{second} {dogs - cats}"])
    assert len(served.files) == dogs
    assert {file.split("/")[0] for file in served.files} == {first, second}

    page.locator(".maker > header > .icon-button").click()
    page.wait_for_selector(SHOWN)
    page.locator(".cell").first.click()
    page.keyboard.press("2")
    wait_for(page, lambda: names(page), [f"{first} {cats - 1}", f"{second} {dogs - cats + 1}"])
    page.get_by_role("button", name=says["out"]).click()
    page.wait_for_selector(".cell[data-excluded=true]")
    page.reload()
    page.wait_for_selector(".cell[data-excluded=true]")
    page.locator(".grid").focus()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    wait_for(page, lambda: names(page), [f"{first} {cats}", f"{second} {dogs - cats}"])

    other = "zh" if language == "en" else "en"
    page.get_by_role("button", name=says["other"]).click()
    page.wait_for_selector(f".safety:has-text('{'影像都已存好' if other == 'zh' else 'saved'}')")
    assert page.get_attribute("html", "lang") == {"en": "en", "zh": "zh-Hant-TW"}[other]
    tabs.check(served.origin)


def test_a_drawing_is_white_on_black_and_its_last_stroke_can_be_taken_back(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    card = page.locator(".way").nth(2)
    card.locator("input").fill("one")
    card.get_by_role("button").click()
    box = page.locator(".board canvas").bounding_box()

    def stroke(x):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + 0.2 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + x * box["width"], box["y"] + 0.8 * box["height"], steps=8)
        page.mouse.up()

    stroke(0.25)
    stroke(0.75)
    page.get_by_role("button", name="Undo stroke").click()
    page.get_by_role("button", name="Add to one").click()
    wait_for(page, lambda: names(page), ["one 1"])
    (file,) = served.files
    pixels = np.asarray(Image.open(served.folder / "images" / file).convert("L"))
    assert pixels.shape == (256, 256)
    assert pixels[128, 64] == 255
    assert pixels[128, 192] == 0  # where the stroke was that was taken back
    tabs.check(served.origin)


def test_the_file_of_the_webcam_is_not_mirrored(served, window):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    page.locator(".way").first.locator("input").fill("cat")
    page.locator(".way").first.get_by_role("button").click()
    page.wait_for_selector(".hold:enabled")
    matrix = page.evaluate("getComputedStyle(document.querySelector('.stage video')).transform")
    assert matrix.startswith("matrix(-1,")
    # The camera is replaced by a picture whose left half is white.
    page.evaluate(
        """async () => {
          const canvas = document.createElement("canvas");
          [canvas.width, canvas.height] = [64, 48];
          const context = canvas.getContext("2d");
          const paint = () => {
            context.fillStyle = "black";
            context.fillRect(0, 0, 64, 48);
            context.fillStyle = "white";
            context.fillRect(0, 0, 32, 48);
          };
          paint();
          setInterval(paint, 30);
          const video = document.querySelector(".stage video");
          video.srcObject = canvas.captureStream(30);
          await video.play();
          do await new Promise((seen) => video.requestVideoFrameCallback(seen));
          while (video.videoWidth !== canvas.width);
        }"""
    )
    page.locator(".hold").click()
    wait_for(page, lambda: len(served.files) > 0, True)
    pixels = np.asarray(Image.open(served.folder / "images" / served.files[-1]).convert("L"))
    assert pixels[24, 8] > 200
    assert pixels[24, 56] < 50
    tabs.check(served.origin)


def test_images_that_were_opened_are_never_changed(served, window, tmp_path):  # noqa: F811
    folder = write_folder(tmp_path / "photos", cat=3, dog=3)
    before = {path: path.read_bytes() for path in folder.rglob("*.png")}
    served.kill()
    served.folder = tmp_path / "photos-studio"
    served.start(folder)
    tabs = window()
    page = tabs.tab(served.address)
    wait_for(page, page.locator(".class-tools, .add, .safety").count, 0)
    page.locator(".cell").first.click()
    page.keyboard.press("x")
    page.wait_for_selector(".cell[data-excluded=true]")
    page.wait_for_selector(".command pre:has-text('corrections.csv')")
    assert {path: path.read_bytes() for path in folder.rglob("*.png")} == before
    assert "exclude" in (served.folder / "corrections.csv").read_text(encoding="utf-8")
    tabs.check(served.origin)


def test_every_text_of_the_page_is_there_in_both_languages(served):  # noqa: F811
    with urllib.request.urlopen(f"{served.origin}/texts.json") as answer:
        texts = json.load(answer)
    folder = Path("src/convlens/studio/page")
    source = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.js"))
    used = set(re.findall(r'\bt\(\s*"(\w+)"', source))
    numbers = set(re.findall(r'\bcount\(\s*"(\w+)"', source))
    used |= {f"{name}_{form}" for name in numbers for form in ("one", "many")}
    assert used - set(texts["en"]) == set()
    assert set(texts["en"]) == set(texts["zh"])


def test_no_script_joins_a_list_with_english_signs():
    folder = Path("src/convlens/studio/page")
    english = re.compile(r'join\("[,;] "\)|\}, \$\{')
    found = {path.name for path in folder.rglob("*.js") if english.search(path.read_text("utf-8"))}
    assert found == {"weight_at.js"}  # which has places such as 1, 2, 0, as they are typed there


def test_the_browser_is_told_at_once_of_every_module_that_it_needs_at_first():
    folder = Path("src/convlens/studio/page").resolve()
    page = (folder / "index.html").read_text(encoding="utf-8")
    told = {(folder / name).resolve() for name in re.findall(r'href="/page/(\S+\.js)"', page)}
    needed: set[Path] = set()
    waiting = [folder / "main.js"]
    while waiting:
        path = waiting.pop()
        imported = re.findall(
            r'^} from "(\..+?)"|^import .* from "(\..+?)"', path.read_text(), re.M
        )
        found = {(path.parent / "".join(names)).resolve() for names in imported} - needed
        needed |= found
        waiting += found
    assert told == needed


def test_the_mouse_selects_with_keys_and_with_a_rectangle(served, window):  # noqa: F811
    write_folder(served.folder / "images", cat=12, dog=12)
    tabs = window()
    page = tabs.tab(served.address)
    cells = page.locator(".cell")
    chosen = page.locator(".cell[aria-selected=true]")
    cells.nth(1).click()
    cells.nth(3).click(modifiers=["Shift"])
    wait_for(page, chosen.count, 3)
    cells.nth(5).click(modifiers=["Control"])
    cells.nth(2).click(modifiers=["Control"])
    wait_for(page, chosen.count, 3)
    first, last = cells.nth(0).bounding_box(), cells.nth(4).bounding_box()
    page.mouse.move(first["x"] - 4, first["y"] - 4)
    page.mouse.down()
    page.mouse.move(last["x"] + 20, last["y"] + 20, steps=5)
    wait_for(page, page.locator(".rubber").count, 1)
    page.mouse.up()
    wait_for(page, page.locator(".rubber").count, 0)
    picked = [int(one.get_attribute("data-index")) for one in chosen.all()]
    assert picked == [0, 1, 3, 4]  # three columns
    page.get_by_role("button", name="To the trash").click()
    wait_for(page, lambda: len(served.files), 20)
    page.locator(".message .link").click()
    wait_for(page, lambda: len(served.files), 24)
    tabs.check(served.origin)
