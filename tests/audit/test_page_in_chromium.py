"""The page of an audit in Chromium: its languages, filters, map, and many findings at once."""

import time

import numpy as np
import pytest

from convlens.audit.audit import Audit
from convlens.audit.finding import found
from convlens.audit.page import Measured, write_page
from convlens.data.dataset import Dataset
from tests.audit.made import make_dataset, make_findings
from tests.audit.test_page import measured_of

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
VISIBLE = """() => Array.from(document.querySelectorAll("article"))
  .filter((one) => one.checkVisibility()).map((one) => one.id)"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    dataset = make_dataset(folder / "images")
    audit = Audit(dataset, make_findings(dataset))
    return write_page(folder / "audit.html", audit, measured_of(dataset)).as_uri()


def test_the_button_changes_the_language_of_all_texts(page):
    assert page.inner_text("h2 >> nth=0") == "What was found"
    assert page.inner_text("#by-code option >> nth=0") == "all"
    page.click("#other-language")
    assert page.inner_text("h2 >> nth=0") == "檢查結果"
    assert page.inner_text("#by-code option >> nth=0") == "全部"
    assert "有資料洩漏時" in page.inner_text(".effect .said")


def test_findings_are_filtered_by_kind_class_and_split(page):
    everything = [f"f{number}" for number in range(10)]
    assert page.evaluate(VISIBLE) == everything
    page.select_option("#by-class", "<b>dog")
    assert page.evaluate(VISIBLE) == ["f2", "f3", "f4", "f6", "f7"]
    assert page.inner_text("#chosen b") == "5"
    page.select_option("#by-code", "two_labels")
    assert page.evaluate(VISIBLE) == ["f2"]
    page.select_option("#by-class", "")
    page.select_option("#by-code", "")
    page.select_option("#by-split", "test")
    assert "f5" not in page.evaluate(VISIBLE)  # a dark image of the training set
    page.select_option("#by-split", "")
    assert page.evaluate(VISIBLE) == everything


def test_a_point_of_the_map_shows_its_image_and_leads_to_its_finding(page):
    place = page.evaluate(
        """() => {
          const data = JSON.parse(document.getElementById("map-data").textContent);
          const box = document.getElementById("points").getBoundingClientRect();
          const x = 18 + data.x[4] / data.resolution * (box.width - 36);
          const y = 18 + data.y[4] / data.resolution / data.height * (box.height - 36);
          return { x, y };
        }"""
    )
    page.hover("#points", position=place)
    tip = page.inner_text("#tip")
    assert "image 4.png" in tip
    assert "very dark images" in tip
    assert "bird" in tip
    assert "data:image/jpeg" in page.evaluate(
        "() => document.querySelector('#tip .tile').style.backgroundImage"
    )
    page.evaluate("() => { window.setTimeout = () => 0; }")  # so that the mark stays
    page.click("#points", position=place)
    page.wait_for_selector("#f5.reached")
    page.wait_for_function(
        """() => { const box = document.getElementById("f5").getBoundingClientRect();
          return box.top < innerHeight && box.bottom > 0; }"""
    )


def test_the_legend_filters_and_the_points_have_the_colours_of_their_classes(page):
    assert page.inner_text("#legend").split() == ["貓", "<b>dog", "bird"]
    page.click("#legend button >> nth=1")
    assert page.input_value("#by-class") == "<b>dog"
    assert page.get_attribute("#legend button >> nth=1", "aria-pressed") == "true"
    colours = page.evaluate(
        """() => { const canvas = document.getElementById("points");
          const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          const found = new Set();
          for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3] === 255) found.add([data[i], data[i + 1], data[i + 2]].join());
          }
          return [...found]; }"""
    )
    assert "224,138,0" in colours  # the second colour of `CLASS_COLOURS`
    assert "0,114,178" not in colours  # the first one, which is dimmed


@pytest.mark.parametrize("window", [PHONE, {"viewport": {"width": 1280, "height": 900}}])
def test_the_page_fits_into_the_window(visit, address, window):
    page = visit(address, **window)
    for _language in range(2):
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= window["viewport"]["width"]
        page.click("#other-language")


def test_cards_that_are_not_yet_drawn_do_not_widen_a_narrow_window(visit, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16), np.uint8)
    dataset = Dataset("made", "made", images, np.arange(40) % 2, ("a", "b"))
    findings = tuple(found("dark", dataset, [n], {"value": 12.0}) for n in range(24))
    path = write_page(tmp_path / "dark.html", Audit(dataset, findings), Measured())
    page = visit(path.as_uri(), viewport={"width": 360, "height": 500})
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_narrow_window_has_each_score_beside_its_name(visit, address):
    page = visit(address, viewport={"width": 360, "height": 700})
    tops = page.evaluate(
        """() => Array.from(document.querySelector(".scores").children).map((one) => [
          one.className.split(" ")[0], Math.round(one.getBoundingClientRect().bottom)])"""
    )
    names = [bottom for kind, bottom in tops if not kind]
    numbers = [bottom for kind, bottom in tops if kind == "number"]
    assert len(names) == len(numbers) >= 2
    assert max(abs(a - b) for a, b in zip(names, numbers, strict=True)) < 8


def test_five_thousand_findings_stay_responsive(visit, tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (400, 16, 16), np.uint8)
    dataset = Dataset("made", "made", images, np.arange(400) % 4, ("a", "b", "c", "d"))
    codes = ("near_duplicate", "two_labels", "dark", "blurred", "doubtful_label")
    findings = [found(codes[n % 5], dataset, [n % 400, (7 * n + 1) % 400]) for n in range(5000)]
    path = write_page(tmp_path / "many.html", Audit(dataset, tuple(findings)), Measured())
    page = visit(path.as_uri())
    seconds = []
    for label in "acb":
        began = time.perf_counter()
        page.select_option("#by-class", label)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 2  # other work may hold one of them up
    assert page.inner_text("#chosen b") == "2,500"
