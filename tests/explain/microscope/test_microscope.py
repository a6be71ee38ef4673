"""The microscope: what it keeps of a network, the figures, the pages, and the page for a browser."""

import base64
import json
import re
import shutil
import subprocess
from importlib.resources import files

import keras
import numpy as np
import pytest
from keras import layers, ops

from convlens.classifier.assembly import with_precision
from convlens.classifier.classifier import Classifier
from convlens.errors import ConfigError, ModelError
from convlens.explain.microscope.gradient import differentiate
from convlens.explain.microscope.microscope import Microscope
from convlens.explain.microscope.openers import open_cell
from convlens.explain.pages.gradient_views import gradient_page
from convlens.explain.pages.map_figures import (
    LARGEST_STRIP,
    chosen_layers,
    layer_figure,
    most_active,
    strip_figure,
)
from convlens.explain.pages.microscope_html import SCRIPTS, write_microscope
from convlens.explain.pages.microscope_views import cell_data, cell_figure, cell_page, layers_table
from convlens.explain.pages.microscope_words import WORDS
from tests.explain.networks import classifier_of, look_at, look_at_zoo


def nested(x):
    """Two models within each other whose layers have the same names, one of them used twice."""
    inner = keras.Sequential(
        [keras.Input((12, 12, 3)), layers.Conv2D(3, 3, padding="same", name="conv")], name="inner"
    )
    outer = keras.Sequential(
        [keras.Input((12, 12, 3)), inner, layers.ReLU(name="relu")], name="outer"
    )
    x = layers.Conv2D(3, 3, padding="same", name="conv")(x)
    a, b = ops.split(outer(outer(x)), [1], axis=-1)
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", activation="silu", name="deep")(
        layers.Concatenate(name="both")([b, a])
    )
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool")(
        layers.BatchNormalization(name="norm")(x)
    )
    y = layers.Conv2D(4, 3, activation="gelu", padding="same", name="gelu")(x)
    x = layers.Add(name="join")([y, layers.Conv2D(4, 1, name="shortcut")(x)])
    return layers.Dense(2, name="logits")(layers.Flatten(name="flat")(x))


@pytest.fixture(scope="module")
def microscope():
    return look_at(nested, (12, 12, 3), 2)


def test_nested_models_are_opened_and_names_are_unique(microscope):
    names = [layer.name for layer in microscope.layers]
    assert len(set(names)) == len(names)
    assert [name for name in names if name.startswith(("conv", "relu"))] == [
        "conv", "conv-2", "relu", "conv-3", "relu-2",
    ]  # fmt: skip
    halves = [layer for layer in microscope.layers if layer.kind == "Split"]
    assert [one.shape for one in halves] == [(12, 12, 1), (12, 12, 2)]
    assert microscope.layer("conv-3").inputs[0].source == "relu"
    assert [one.source for one in microscope.layer("both").inputs] == [
        halves[1].name,
        halves[0].name,
    ]
    for layer in microscope.layers[1:]:
        assert open_cell(layer, tuple(side - 1 for side in layer.shape)).agrees


def test_the_end_is_the_classifiers_own_prediction(microscope):
    found = microscope.classifier.predict(microscope.pixels)[0]
    np.testing.assert_allclose(microscope.prediction.probabilities, found.probabilities, atol=1e-6)
    assert microscope.prediction.label == found.label


def test_a_network_in_half_precision_is_opened_in_float32(microscope):
    half = with_precision(microscope.classifier.model, "mixed_bfloat16")
    one = Classifier(half, microscope.classifier.class_names, microscope.classifier.preprocessing)
    twin = Microscope.look(one, microscope.pixels)
    assert twin.layer("gelu").output.dtype == np.float32
    np.testing.assert_allclose(
        twin.layer("gelu").output, microscope.layer("gelu").output, atol=1e-6
    )


def test_what_is_no_graph_is_refused(microscope):
    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ModelError, match="functional or sequential"):
        Microscope.look(
            Classifier(Own(), ("a",), microscope.classifier.preprocessing), microscope.pixels
        )


def test_near_names(microscope):
    with pytest.raises(ConfigError, match="did you mean gelu"):
        microscope.layer("gelo")
    with pytest.raises(ConfigError, match="leave --layer out"):
        microscope.layer("zzz")


def test_layers_that_change_nothing_are_not_in_the_strip(microscope):
    assert not microscope.layer("flat").changes
    shown = [layer.name for layer in chosen_layers(microscope)]
    assert "flat" not in shown
    assert "images" not in shown
    assert {"conv", "deep", "pool", "logits"} <= set(shown)


def test_the_most_active_maps_vary_most(microscope):
    layer = microscope.layer("gelu")
    spread = layer.output.reshape(-1, 4).std(axis=0)
    assert set(most_active(layer, 2)) == set(np.argsort(-spread)[:2])


def test_figures_are_drawn_and_name_what_they_show(microscope):
    texts = [text.get_text() for text in strip_figure(microscope, "貓.png").axes[0].texts]
    assert "貓.png" in texts
    assert "Conv2D  3 x 3 x 4" in texts
    figure = layer_figure(microscope, microscope.layer("deep"), "a.png")
    assert [text.get_text() for text in figure.axes[0].texts][-3:] == ["0", "1", "2"]
    assert layer_figure(microscope, microscope.layer("logits"), "a.png").axes


def test_a_deep_network_is_cut_to_what_can_be_read():
    microscope = look_at_zoo("resnet56")
    assert sum(layer.changes for layer in microscope.layers) > LARGEST_STRIP
    assert len(chosen_layers(microscope)) <= LARGEST_STRIP
    said = " ".join(text.get_text() for text in strip_figure(microscope, "a.png").axes[0].texts)
    assert re.search(r"\d+ of the \d+ layers that change values are shown", said)


def test_pages_of_a_cell(microscope):
    layer = microscope.layer("conv")
    cell = open_cell(layer, (0, 0, 1))
    page = cell_page(layer, cell)
    assert page.title == "conv: filter 1, row 0, column 0"
    pool = microscope.layer("pool")
    grid = cell_page(pool, open_cell(pool, (0, 0, 0))).blocks[0].items[0]
    assert grid.values[grid.mark[0], grid.mark[2]] == grid.values.max()
    assert (
        "sees",
        "rows -1 to 1, columns -1 to 1, channels 0 to 2 of scaling, the border being zeros",
    ) in page.facts
    assert page.blocks[-1].lines[-1][1].endswith("is allowed")
    assert len(cell_figure(microscope, layer, cell, page).axes) == 2
    content = json.loads(json.dumps(cell_data(layer, cell)))
    assert content["steps"][-1]["value"] == content["value"]
    assert np.array(content["products"][0]["products"]).sum() == pytest.approx(
        content["products"][0]["total"]
    )
    for name, index in (
        ("pool", (0, 0, 0)),
        ("logits", (1,)),
        ("probabilities", (0,)),
        ("both", (0, 0, 2)),
    ):
        layer = microscope.layer(name)
        cell = open_cell(layer, index)
        assert cell_figure(microscope, layer, cell, cell_page(layer, cell)).axes


def test_a_page_of_a_gradient(microscope):
    layer = microscope.layer("conv-2")
    found = differentiate(microscope, layer, 0, (1, 1, 2))
    page = gradient_page(layer, found)
    assert page.blocks[0].columns == (
        "call, row, column",
        "dLoss/dOutput",
        "input",
        "term",
    )  # it is used twice
    assert float(page.blocks[0].rows[-1][-1]) == pytest.approx(found.total, abs=1e-3 * found.scale)
    assert "automatic differentiation" in page.blocks[1].lines[1][1]


def test_the_table_names_every_layer(microscope):
    assert [row[0] for row in layers_table(microscope).rows] == [
        layer.name for layer in microscope.layers
    ]


def test_the_page_holds_the_arrays(microscope):
    text, left_out = write_microscope(microscope, "a <b>.png")
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
    _, left_out = write_microscope(microscope, "a.png")
    assert left_out
    with pytest.raises(ConfigError, match="Name fewer layers"):
        write_microscope(
            microscope, "a.png", [microscope.layer(name) for name in ("conv", "conv-2", "conv-3")]
        )
    split = next(layer for layer in microscope.layers if layer.kind == "Split")
    with pytest.raises(ConfigError, match=r"\(Split\): the page cannot open this class"):
        write_microscope(microscope, "a.png", [split])
    assert {"conv", "conv-2"} - set(left_out)  # convolutions come first


def test_the_page_opens_at_the_cell_that_was_asked_for_in_either_language(microscope):
    layer = microscope.layer("gelu")
    text, _ = write_microscope(microscope, "a.png", [layer], first=(1, 2, 3), language="zh")
    assert '"start": {"layer": "gelu", "index": [1, 2, 3]}' in text
    assert 'lang="zh-Hant-TW"' in text
    assert "濾鏡" in text
    assert "Click a cell" not in text
    text, _ = write_microscope(microscope, "a.png", [microscope.layer("logits")], first=(1,))
    assert '"index": [0, 0, 1]' in text
    with pytest.raises(ConfigError, match="row 9 is outside"):
        write_microscope(microscope, "a.png", [layer], first=(9, 0, 0))


def test_the_page_says_the_same_things_in_both_languages():
    assert set(WORDS["en"]) == set(WORDS["zh"])
    for key, text in WORDS["en"].items():
        assert sorted(re.findall(r"{(\w+)}", text)) == sorted(
            re.findall(r"{(\w+)}", WORDS["zh"][key])
        ), key
    scripts = [
        files("convlens.explain.pages").joinpath(one).read_text(encoding="utf-8") for one in SCRIPTS
    ]
    used = set(re.findall(r"words\.(\w+)|say\(\"(\w+)\"", "".join(scripts)))
    assert {a or b for a, b in used} <= set(WORDS["en"])


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
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_clicks_in_a_browser_open_cells_that_agree(microscope, tmp_path):
    names = ("scaling", "conv", "relu", "conv-3", "both", "deep", "norm", "pool", "gelu", "join", "flat", "logits",
             "probabilities")  # fmt: skip
    chosen = [microscope.layer(name) for name in names]
    page = tmp_path / "page.html"
    page.write_text(
        write_microscope(microscope, "a.png", chosen)[0].replace("</body>", CLICKS),
        encoding="utf-8",
    )
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom",
             f"--user-data-dir={tmp_path}/chromium", f"file://{page}"]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    seen = re.search(r'<pre id="result">(.*?)</pre>', done.stdout, re.DOTALL)[1].splitlines()
    assert len(seen) == 9 * sum(min(4, one.shape[-1]) for one in chosen)
    assert len(set(seen)) > 150
    assert all(line.endswith(" true") for line in seen)


def test_classifiers_of_one_logit():
    """Two classes with one logit: zeros and the logit side by side, then the softmax."""
    found = Microscope.look(
        classifier_of(lambda x: layers.Dense(1)(layers.Flatten()(x)), (6, 6, 1), 2),
        np.zeros((9, 7), np.uint8),
    )
    assert found.size == (9, 7)
    assert [layer.kind for layer in found.layers[-3:]] == ["ZerosLike", "Concatenate", "Softmax"]
    for layer in found.layers[-3:]:
        assert "softmax of [0, z] is [1 - sigmoid(z), sigmoid(z)]" in open_cell(layer, (0,)).rule
    assert "border" not in open_cell(found.layers[-3], (0,)).steps[0].name
    assert [layer.class_names for layer in found.layers[-4:]] == [
        (),
        (),
        ("class 0", "class 1"),
        ("class 0", "class 1"),
    ]
    assert open_cell(found.layers[-2], (0,)).agrees
    assert open_cell(found.layers[-1], (1,)).agrees
