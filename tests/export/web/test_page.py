"""The page of an exported folder in Chromium, as a user opens it on a computer and on a phone."""

import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from convlens.classifier.classifier import Classifier
from convlens.export.folder import open_network
from convlens.export.golden import IMAGES, pattern
from convlens.export.verify import verify
from tests.export.conftest import NAMES
from tests.export.test_verify import change_a_weight
from tests.export.web.conftest import serving, wait

CHINESE = {"locale": "zh-TW"}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# Classes and shares of a result, as the page shows them.
BARS = """element => Object.fromEntries(Array.from(element.querySelectorAll("dt"), (name) =>
  [name.textContent, parseFloat(name.nextSibling.nextSibling.title)]))"""
DROP = """async (names) => {
  const files = new DataTransfer();
  for (const name of names) {
    const content = await (await fetch(`examples/${name}`)).blob();
    files.items.add(new File([content], name));
  }
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true }));
}"""


@pytest.fixture(scope="module")
def web(exported):
    return exported("web")


@pytest.fixture(scope="module")
def address(web):
    with serving(web) as found:
        yield found


@pytest.fixture
def copy(web, tmp_path):
    return shutil.copytree(web, tmp_path / "copied")


@pytest.fixture
def pictures(tmp_path):
    """Image files of odd sizes and several kinds."""
    rng = np.random.default_rng(8)
    paths = []
    for index, kind in enumerate(("jpg", "png", "webp", "jpg", "gif", "png")):
        width, height = (int(side) for side in rng.integers(3, 700, 2))
        paths.append(tmp_path / f"picture-{index}.{kind}")
        image = pattern(rng, width, height)
        if index == 5:
            image.putalpha(pattern(rng, width, height, 1))
        image.save(paths[-1])
    return paths


def results(page, count):
    """Return the results of a page, the newest first, when all images are classified."""
    page.wait_for_function(
        "count => document.querySelectorAll('.result .label, .result .error').length === count",
        arg=count,
    )
    return page.query_selector_all("#results .result")


def test_the_folder_holds_a_page_and_works_in_python_too(web, classifier_file):
    names = {file.name for file in web.iterdir()}
    runtime = {"ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"}
    scripts = {"decode.mjs", "network.mjs", "page.mjs", "png.mjs", "resize.mjs"}
    assert runtime | scripts | {"index.html", "model.onnx", "LICENSE-onnxruntime-web.txt"} <= names
    assert [file.name for file in web.rglob("*.wasm")] == ["ort-wasm-simd-threaded.wasm"]
    assert not [name for name in names if name.endswith(".js")]
    found = verify(web)
    assert found.examples == len(IMAGES)
    assert found.facts["network_files"] == ["model.onnx"]
    assert {"index.html", "page.mjs", *runtime} <= set(found.facts["digests"])
    expected = Classifier.load(classifier_file).predict(web / "examples" / "01-colours.png")
    (prediction,) = open_network(web).predict(web / "examples" / "01-colours.png")
    assert prediction.label == expected[0].label
    assert "http.server" in (web / "README.md").read_text(encoding="utf-8")


def test_the_examples_are_replayed_and_nothing_is_asked_of_others(visit, address):
    page = visit(address)
    said = wait(page)
    count = len(IMAGES)
    assert f"{count} of {count} examples have the recorded probabilities" in said
    assert page.title() == 'a "run": 3'
    assert "貓, dog with hat, c" in page.inner_text("main")
    requested = [one for one in page.requested if not one.startswith(("blob:", "data:"))]
    assert len(requested) > count
    assert [one for one in requested if not one.startswith(address)] == []


def test_chosen_images_get_the_classes_and_probabilities_of_python(
    visit, address, pictures, classifier_file
):
    page = visit(address)
    wait(page)
    page.set_input_files("#files", [str(path) for path in pictures])
    shown = results(page, len(pictures))
    expected = Classifier.load(classifier_file).predict(pictures)
    for result, prediction in zip(shown, expected, strict=True):
        assert result.query_selector(".file").inner_text() == prediction.image.rpartition("/")[2]
        shares = result.evaluate(BARS)
        assert sorted(shares) == sorted(NAMES)
        for name, share in zip(NAMES, prediction.probabilities, strict=True):
            assert shares[name] == pytest.approx(share, abs=1e-3)
        label = result.query_selector(".label").inner_text()
        assert label == (prediction.label if prediction.known else "none of these")
    assert {prediction.known for prediction in expected} == {True, False}


def test_the_probabilities_are_within_a_thousandth(visit, address, web):
    page = visit(address)
    wait(page)
    recorded = json.loads((web / "examples.json").read_text(encoding="utf-8"))
    found = page.evaluate(
        """async (names) => {
          const network = await (await import("./network.mjs")).Network.open();
          const rows = {};
          for (const name of names) {
            const file = await (await fetch(`examples/${name}`)).blob();
            rows[name] = (await network.classifyFile(file)).probabilities;
          }
          return rows;
        }""",
        list(recorded),
    )
    for name, row in recorded.items():
        assert found[name] == pytest.approx(row, abs=1e-3)
        assert np.argmax(found[name]) == np.argmax(row)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_lower_precisions_are_the_same_in_the_browser(visit, exported, precision):
    said, works = said_by(visit, exported("web", precision))
    assert works
    # A large JPEG is decoded at a fraction elsewhere; int8 makes a step of the level between them.
    equal = int(re.search(r"(\d+) of 14 examples have the recorded probabilities", said)[1])
    assert equal >= {"float16": 14, "int8": 13}[precision]


def test_dropped_images_are_listed_with_the_newest_above(visit, address):
    page = visit(address)
    wait(page)
    page.evaluate(DROP, ["00-colours.jpg", "03-grey.png"])
    results(page, 2)
    page.evaluate(DROP, ["01-colours.png"])
    names = [one.query_selector(".file").inner_text() for one in results(page, 3)]
    assert names == ["01-colours.png", "00-colours.jpg", "03-grey.png"]


def test_what_is_no_image_is_one_line_and_the_others_are_classified(visit, address, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    (tmp_path / "empty.png").write_bytes(b"")
    IMAGES["cmyk.jpg"](tmp_path / "cmyk.jpg", np.random.default_rng(0))
    Image.new("RGB", (9, 9)).save(tmp_path / "good.png")
    page = visit(address)
    wait(page)
    files = [tmp_path / name for name in ("broken.jpg", "empty.png", "cmyk.jpg", "good.png")]
    page.set_input_files("#files", files)
    shown = results(page, 4)
    said = [one.inner_text().splitlines()[-1] for one in shown]
    assert said[0] == "broken.jpg: this browser cannot read the file as an image."
    assert said[1] == "empty.png: this browser cannot read the file as an image."
    assert said[2].startswith("cmyk.jpg: a JPEG in CMYK looks different in each browser")
    assert said[3].endswith(" ms")


def test_the_page_is_in_the_language_of_the_browser_and_a_button_changes_all(visit, address):
    page = visit(address, **CHINESE)
    assert "已在這個瀏覽器檢查" in wait(page)
    assert "貓、dog with hat、c" in page.inner_text("main")
    assert page.inner_text("#drop p") == "把影像拖曳到這裡，或者"
    page.evaluate(DROP, ["00-colours.jpg"])
    (result,) = results(page, 1)
    assert "毫秒" in result.inner_text()
    page.click("#other-language")
    assert page.inner_text("#status").startswith("Checked in this browser")
    assert page.inner_text("#drop p") == "Drop images here, or"
    assert "毫秒" not in result.inner_text()


def test_a_phone_without_a_secure_address_takes_photos(visit, address, pictures):
    insecure = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })"
    page = visit(address, before=insecure, **PHONE)
    wait(page)
    assert page.is_hidden("#start")
    assert page.get_attribute("#photo", "capture") == "environment"
    page.set_input_files("#photo", pictures[0])
    results(page, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_camera_is_classified_until_it_is_stopped(visit, address):
    page = visit(address, permissions=["camera"])
    wait(page)
    page.click("#start")
    page.wait_for_selector("#seen .bars")
    assert sorted(page.query_selector("#seen").evaluate(BARS)) == sorted(NAMES)
    track = page.evaluate_handle("document.getElementById('video').srcObject.getTracks()[0]")
    assert track.evaluate("track => track.readyState") == "live"
    page.click("#stop")
    assert track.evaluate("track => track.readyState") == "ended"
    assert page.is_hidden("#camera")
    assert page.is_visible("#start")


def test_a_camera_that_is_asked_for_twice_is_opened_once(visit, address):
    slowly = """
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      window.streams = [];
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        await new Promise((done) => setTimeout(done, 300));
        window.streams.push(await open(wanted));
        return window.streams.at(-1);
      };"""
    page = visit(address, before=slowly, permissions=["camera"])
    wait(page)
    page.dblclick("#start")
    page.wait_for_selector("#seen .bars")
    assert page.evaluate("window.streams.length") == 1
    page.click("#stop")
    tracks = "window.streams.flatMap((one) => one.getTracks())"
    assert page.evaluate(f"{tracks}.every((one) => one.readyState === 'ended')")
    page.click("#start")
    page.wait_for_selector("#camera:not([hidden])")


def test_a_camera_that_is_refused_is_one_line(visit, address):
    refused = "navigator.mediaDevices.getUserMedia = async () => { throw new Error('no camera') }"
    page = visit(address, before=refused)
    wait(page)
    page.click("#start")
    page.wait_for_selector("#seen .error")
    assert page.inner_text("#seen") == (
        "The camera cannot be used (no camera). A photo or a file can be chosen."
    )


def test_the_keyboard_reaches_everything(visit, address):
    page = visit(address)
    wait(page)
    reached = []
    for _step in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    assert reached == ["other-language", "files", "photo", "start"]


def test_a_page_that_is_opened_as_a_file_names_the_command(visit, web):
    page = visit((web / "index.html").as_uri())
    assert "A browser does not load a network from a file." in wait(page)
    command = f'python -m http.server 8000 --bind 127.0.0.1 --directory "{web}"'
    assert page.inner_text("#command") == command
    assert page.is_hidden("#tools")
    page.click("#other-language")
    assert "瀏覽器無法直接從檔案載入網路" in page.inner_text("#status")


def said_by(visit, folder):
    with serving(folder) as found:
        page = visit(found)
        said = wait(page)
        return said, page.is_visible("#tools")


def test_a_changed_network_is_not_used(visit, copy):
    change_a_weight(copy)
    said, works = said_by(visit, copy)
    assert said.startswith("This page does not classify images in this browser: only 1 of")
    assert not works


def test_a_missing_or_damaged_file_is_named(visit, copy):
    network = copy / "model.onnx"
    network.write_bytes(network.read_bytes()[:500])
    said, works = said_by(visit, copy)
    assert said.startswith("The network of this page could not be loaded (")
    assert not works
    network.unlink()
    assert "could not be loaded (model.onnx: 404)" in said_by(visit, copy)[0]
    (copy / "page.mjs").unlink()
    assert said_by(visit, copy)[0].startswith("The scripts of this page could not be loaded.")


@pytest.mark.parametrize(
    ("name", "change", "works", "says"),
    [
        ("00-colours.jpg", 0.01, True, "The browser decodes the others in its own way"),
        ("00-colours.jpg", 0.2, False, "does not classify"),
        ("01-colours.png", 0.01, False, "does not classify"),
        ("01-colours.png", float("nan"), False, "could not be loaded"),  # JSON has no NaN
    ],
)
def test_examples_that_differ(visit, copy, name, change, works, says):
    recorded = json.loads((copy / "examples.json").read_text(encoding="utf-8"))
    recorded[name][0] += change
    (copy / "examples.json").write_text(json.dumps(recorded), encoding="utf-8")
    said, found = said_by(visit, copy)
    assert says in said
    assert found is works


@pytest.mark.parametrize(("change", "works"), [(0.03, True), (0.07, False)])
def test_examples_may_differ_as_far_as_the_folder_allows(visit, copy, change, works):
    for name, place in (("convlens.json", "tolerance"), ("examples.json", "01-colours.png")):
        content = json.loads((copy / name).read_text(encoding="utf-8"))
        if place == "tolerance":
            content[place] = 0.05  # as in int8
        else:
            content[place][0] += change
        (copy / name).write_text(json.dumps(content), encoding="utf-8")
    assert said_by(visit, copy)[1] is works
