"""The page of explanations in Chromium: its cells, its keys, its languages, and narrow windows."""

from dataclasses import replace

import pytest

from convlens.explain.why.page import render
from convlens.language_choice import using
from tests.explain.why.made import explained

MARKED = "() => [...document.querySelectorAll('.marked')].map((one) => one.textContent)"
SAID = ".said >> nth={}"


@pytest.fixture(scope="module")
def contrast():
    return explained(["exact"], "plain")


@pytest.fixture(scope="module")
def address(tmp_path_factory, contrast):
    path = tmp_path_factory.mktemp("page") / "why.html"
    with using("en"):
        path.write_text(render([contrast, explained(["exact", "occlusion"])], "finder"))
    return path.as_uri()


def test_pointing_at_a_map_shows_the_same_cell_of_the_maps_beside_it(page, contrast):
    difference, label, against = contrast.maps
    drawn = [one.map for one in (label, against, difference) if one.drawn]
    assert len(drawn) == 2  # covering what speaks for "plain" does not lower its logit
    rows, columns = difference.map.values.shape
    box = page.locator(".map >> nth=0").bounding_box()
    at = {"x": box["width"] * 5.5 / columns, "y": box["height"] * 2.5 / rows}
    page.hover(".map >> nth=0", position=at)
    for number, heat in enumerate(drawn):
        said = page.inner_text(SAID.format(number))
        assert said.startswith("row 2, column 5: ")
        value = float(said.split(": ")[1].split(";")[0])
        assert value == pytest.approx(heat.values[2, 5], abs=0.5)
        assert "% of all that is added or taken away" in said.replace("\xa0", " ")
    assert len(page.evaluate(MARKED)) == 2  # in the tables of numbers


def test_arrow_keys_go_from_cell_to_cell(page, contrast):
    row, column = contrast.maps[0].map.peak  # which is the largest number in absolute value, too
    page.focus(".map >> nth=0")
    assert page.inner_text(SAID.format(0)).startswith(f"row {row}, column {column}: ")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text(SAID.format(0)).startswith(f"row {row - 1}, column {column - 1}: ")
    for _step in range(20):
        page.keyboard.press("ArrowLeft")
    assert page.inner_text(SAID.format(0)).startswith(f"row {row - 1}, column 0: ")


def test_every_map_is_reached_with_the_tab_key(page):
    reached = set()
    for _step in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('aria-labelledby') || ''"))
    assert len(reached - {""}) == page.locator(".map").count() == 4


def test_button_changes_the_language_of_all_texts(page):
    assert page.inner_text("h1") == "Why did the network say that?"
    page.focus(".map >> nth=0")
    page.click("#other-language")
    assert page.inner_text("h1") != "Why did the network say that?"
    assert "row" not in page.inner_text(SAID.format(0))
    assert "加總檢查" in page.inner_text(".checks >> nth=0")


@pytest.mark.parametrize("width", [360, 1280])
def test_page_fits_into_the_window(visit, address, width):
    page = visit(address, viewport={"width": width, "height": 800})
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => one.open = true)")
    for _language in range(2):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.click("#other-language")


def test_long_names_are_broken_in_a_narrow_window(visit, contrast, tmp_path):
    names = ("plain", "a_name_without_a_blank" * 4)
    named = replace(
        contrast,
        class_names=names,
        prediction=replace(contrast.prediction, label=names[1]),
        keeps=replace(contrast.keeps, label=names[1]),
        image=f"{names[1]}.png",
    )
    path = tmp_path / "why.html"
    path.write_text(render([named], names[1]))
    page = visit(path.as_uri(), viewport={"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_dark_theme_has_light_letters_and_readable_numbers(visit, address):
    page = visit(address, color_scheme="dark")
    colour = "(one) => getComputedStyle(document.querySelector(one)).{}"
    assert page.evaluate(colour.format("backgroundColor"), "body") == "rgb(22, 25, 29)"
    assert page.evaluate(colour.format("color"), "body") == "rgb(236, 236, 236)"
    assert page.evaluate(colour.format("color"), ".numbers td") == "rgb(34, 34, 34)"
