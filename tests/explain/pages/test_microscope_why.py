"""The maps in the microscope page: their numbers, their size, both languages, and the keyboard."""

import base64
import json
import re

import numpy as np
import pytest

from convlens.explain.microscope import classes
from convlens.explain.microscope.classes import ExplainedClasses, explain_classes
from convlens.explain.microscope.microscope import Microscope
from convlens.explain.pages import microscope_why
from convlens.explain.pages.microscope_html import render_microscope
from tests.maps.networks import marked, red_finder


@pytest.fixture(scope="module")
def microscope():
    return Microscope.look(red_finder(), marked())


@pytest.fixture(scope="module")
def explained(microscope):
    return explain_classes(microscope)


@pytest.fixture(scope="module")
def page(microscope, explained):
    return render_microscope(microscope, "a.png", explained=explained)[0]


def content_of(page):
    return json.loads(re.search(r'id="content">(.*?)</script>', page, re.DOTALL)[1])


def test_page_holds_the_numbers_of_the_maps_and_their_sum(page, explained):
    why = content_of(page)["why"]
    drawn, refused = why["maps"]
    heat = explained.maps[0].map
    values = np.frombuffer(base64.b64decode(drawn["data"]), "<f4").reshape(drawn["shape"])
    np.testing.assert_array_equal(values[..., 0], heat.values.astype(np.float32))
    assert values.mean(dtype=np.float64) + drawn["bias"] == pytest.approx(drawn["logit"], rel=1e-5)
    assert why["largest"] == np.abs(heat.values).max()
    assert refused is None


def test_map_that_fails_is_not_in_the_page_and_its_sentence_is(page, explained):
    assert [one.drawn for one in explained.maps] == [True, False]
    assert page.count('<div class="map"') == 1
    assert page.count('<p class="refused">') == 1
    assert explained.maps[1].refusal.replace(" %", "\N{NO-BREAK SPACE}%") in page


def test_both_languages_are_in_the_page(page):
    english = re.findall(r'<span lang="en">(.*?)</span>', page)
    chinese = re.findall(r'<span lang="zh-Hant-TW">(.*?)</span>', page)
    assert len(english) == len(chinese)
    assert "Why these classes" in english
    assert chinese[english.index("Why these classes")] != "Why these classes"
    words = content_of(page)["words"]
    assert words["en"]["why_added"] != words["zh-Hant-TW"]["why_added"]


def test_page_states_the_size_of_the_maps_and_which_have_no_room(microscope, page, monkeypatch):
    said = "The numbers of the maps take 0.5 kB of this page, which holds 1,000 kB of them at most."
    assert said in page
    assert "there is no room" not in page
    monkeypatch.setattr(classes, "BUDGET", 4 * 64)
    limited = render_microscope(microscope, "a.png", explained=explain_classes(microscope))[0]
    assert len(content_of(limited)["why"]["maps"]) == 1
    assert "so that there is no room for plain; convlens explain shows their maps." in limited
    monkeypatch.setattr(classes, "BUDGET", 10)
    empty = render_microscope(microscope, "a.png", explained=explain_classes(microscope))[0]
    assert "The maps of this network are too large for a page" in empty
    assert content_of(empty)["why"]["maps"] == []


def test_network_that_cannot_be_explained_says_why(microscope):
    refused = ExplainedClasses(notes=("It has two inputs.",))
    text = render_microscope(microscope, "a.png", explained=refused)[0]
    assert "It has two inputs." in text
    assert '<div class="map"' not in text


def test_occlusion_has_no_sum():
    hidden = Microscope.look(red_finder(hidden=True), marked())
    text = render_microscope(hidden, "a.png", explained=explain_classes(hidden))[0]
    assert content_of(text)["why"]["maps"][0]["bias"] is None
    assert str(microscope_why.MEANINGS["occlusion"]) in text


KEYS = """
<script>
window.onload = () => {
  const map = document.querySelector("#why .map"), told = map.nextElementSibling, seen = [];
  const note = () => seen.push(told.textContent);
  note();
  for (const key of ["ArrowDown", "ArrowRight", "ArrowUp"]) {
    const before = location.hash;
    map.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    seen.push(String(location.hash === before));
    note();
  }
  const box = map.getBoundingClientRect();
  map.dispatchEvent(new MouseEvent("click", { clientX: box.left + 1, clientY: box.bottom - 1 }));
  note();
  document.getElementById("other-language").click();
  note();
  seen.push(told.nextElementSibling.dataset.agrees);
  const result = document.createElement("pre");
  result.id = "result";
  result.textContent = seen.join("\\n");
  document.body.append(result);
};
</script></body>"""


@pytest.mark.slow
def test_cells_are_read_with_the_keyboard_and_the_mouse(visit, page, explained, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page.replace("</body>", KEYS), encoding="utf-8")
    seen = visit(path.as_uri()).inner_text("#result").splitlines()
    heat = explained.maps[0].map
    row, column = heat.peak
    assert seen[0].startswith(f"row {row}, column {column}: {heat.values.max():.4g}; divided by 64")
    assert seen[2].startswith(f"row {row + 1}, column {column}: ")
    assert seen[4].startswith(f"row {row + 1}, column {column + 1}: ")
    assert seen[6].startswith(f"row {row}, column {column + 1}: ")
    assert seen[1] == seen[3] == seen[5] == "true"  # the opened cell of the layer stays
    assert seen[7].startswith("row 7, column 0: ")
    assert "7" in seen[8]
    assert seen[8] != seen[7]
    assert seen[9] == "true"
