"""The microscope page for a browser: the arrays in it, its size, its languages, and clicks."""

import base64
import json
import re

import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain.pages.microscope_html import render_microscope
from convlens.language_choice import using
from tests.explain.networks import look_at, nested


@pytest.fixture(scope="module")
def microscope():
    return look_at(nested, (12, 12, 3), 2)


def test_the_page_holds_the_arrays(microscope):
    text, left_out = render_microscope(microscope, "a <b>.png")
    assert not left_out
    assert "a &lt;b&gt;.png" in text
    content = json.loads(re.search(r'id="content">(.*?)</script>', text, re.DOTALL)[1])
    names = [layer["name"] for layer in content["layers"]]
    assert {
        "conv",
        "relu",
        "both",
        "deep",
        "pool",
        "gelu",
        "flat",
        "logits",
        "probabilities",
    } <= set(names)
    assert names == [layer.name for layer in microscope.layers if layer.name in names]
    assert content["start"] == {"layer": "conv", "index": None}
    kept = content["tensors"]["deep"]
    array = np.frombuffer(base64.b64decode(kept["data"]), "<f4").reshape(kept["shape"])
    np.testing.assert_array_equal(array, microscope.layer("deep").output)
    assert content["tensors"]["deep/kernel"]["shape"] == [3, 3, 1, 3]
    assert "http" not in re.sub(r"data:[^\"')]*", "", text.split("</style>")[0])


def test_the_page_stays_within_its_budget(microscope, monkeypatch):
    monkeypatch.setattr("convlens.explain.pages.microscope_html.BUDGET", 8_000)
    _, left_out = render_microscope(microscope, "a.png")
    assert left_out
    with pytest.raises(ConfigError, match="Name fewer layers"):
        render_microscope(
            microscope, "a.png", [microscope.layer(name) for name in ("conv", "conv-2", "conv-3")]
        )
    split = next(layer for layer in microscope.layers if layer.kind == "Split")
    with pytest.raises(ConfigError, match=r"\(Split\): the page cannot open this class"):
        render_microscope(microscope, "a.png", [split])
    assert {"conv", "conv-2"} - set(left_out)  # convolutions come first


def test_the_page_opens_at_the_cell_that_was_asked_for(microscope):
    layer = microscope.layer("gelu")
    text, _ = render_microscope(microscope, "a.png", [layer], first=(1, 2, 3))
    assert '"start": {"layer": "gelu", "index": [1, 2, 3]}' in text
    text, _ = render_microscope(microscope, "a.png", [microscope.layer("logits")], first=(1,))
    assert '"index": [0, 0, 1]' in text
    with pytest.raises(ConfigError, match="row 9 is outside"):
        render_microscope(microscope, "a.png", [layer], first=(9, 0, 0))


@pytest.mark.parametrize(("language", "tag"), [("zh", "zh-Hant-TW"), ("en", "en")])
def test_the_page_holds_both_languages_and_starts_in_the_chosen_one(microscope, language, tag):
    with using(language):
        text, _ = render_microscope(microscope, "a.png", [microscope.layer("conv")])
    assert f'<html lang="{tag}">' in text
    assert "Click a cell of a map" in text
    words = json.loads(re.search(r'id="content">(.*?)</script>', text, re.DOTALL)[1])["words"]
    assert words["en"]["filter"] == "filter {k}"
    assert set(words["en"]) == set(words["zh-Hant-TW"])
    assert '<meta name="title" lang="en" content="a.png under the microscope">' in text
    assert '<meta name="title" lang="zh-Hant-TW" content="顯微鏡下的 a.png">' in text
    assert text.count("<button") == 1


@pytest.mark.parametrize(("language", "sign"), [("zh", "、"), ("en", ", ")])
def test_the_inputs_of_a_layer_are_listed_as_the_language_does(
    visit, microscope, tmp_path, language, sign
):
    layer = microscope.layer("join")
    with using(language):
        text, _ = render_microscope(microscope, "a.png", [layer])
    page = tmp_path / "page.html"
    page.write_text(text, encoding="utf-8")
    inputs = [one.source for one in layer.inputs]
    assert len(inputs) > 1
    assert sign.join(inputs) in visit(page.as_uri()).inner_text("#title")


CLICKS = """
<script>
window.onload = () => {
  const seen = [];
  for (const layer of document.querySelectorAll("#layers button")) {
    layer.click();
    for (const canvas of [...document.querySelectorAll("#maps canvas")].slice(0, 4))
      for (let n = 0; n < 9; n++) {
        const box = canvas.getBoundingClientRect(), at = (size) => (size * ((n * 7 + 1) % 17)) / 17;
        const place = { clientX: box.left + at(box.width), clientY: box.top + at(box.height) };
        canvas.dispatchEvent(new MouseEvent("click", place));
        seen.push(`${location.hash} ${document.getElementById("sum").dataset.agrees}`);
      }
  }
  const result = document.createElement("pre");
  result.id = "result";
  result.textContent = seen.join("\\n");
  document.body.append(result);
};
</script></body>"""


@pytest.mark.slow
def test_clicks_in_a_browser_open_cells_that_agree(visit, microscope, tmp_path):
    names = (
        "scaling",
        "conv",
        "relu",
        "conv-3",
        "both",
        "deep",
        "norm",
        "pool",
        "gelu",
        "join",
        "flat",
        "logits",
        "probabilities",
    )
    chosen = [microscope.layer(name) for name in names]
    page = tmp_path / "page.html"
    page.write_text(
        render_microscope(microscope, "a.png", chosen)[0].replace("</body>", CLICKS),
        encoding="utf-8",
    )
    seen = visit(page.as_uri()).inner_text("#result").splitlines()
    assert len(seen) == 9 * sum(min(4, one.shape[-1]) for one in chosen)
    assert len(set(seen)) > 150
    assert all(line.endswith(" true") for line in seen)
