"""`convlens open` as a user types it: what it prints and writes."""

import contextlib
import io
import json

import numpy as np
import pytest
from PIL import Image

from convlens.cli import main
from tests.conftest import draw_shape, without_charts


def convlens(*words: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main([str(word) for word in words])
    return int(stopped.value.code or 0)


@pytest.fixture(scope="module")
def run(shapes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("opened") / "run"
    words = (
        "--model",
        "custom_cnn",
        "--filters",
        "4,6",
        "--dense",
        "8",
        "--size",
        "24",
        "--epochs",
        "1",
    )
    with without_charts():
        assert convlens("train", shapes, *words, "--run", folder) == 0
    return folder


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "disc.png"
    draw_shape("disc", np.random.default_rng(3), (50, 40)).save(path)
    return path


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture(scope="module")
def opened(run, image):
    """What the command says of the whole network: its layers and its prediction."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert convlens("open", run, image, "--format", "json") == 0
    return json.loads(said.getvalue())


def of_kind(found, kind):
    return next(layer["name"] for layer in found["layers"] if layer["class"] == kind)


def test_all_layers_are_listed_and_drawn(run, image, opened, capsys):
    assert convlens("open", run, image) == 0
    said = capsys.readouterr().out
    assert "50 x 40 pixels, stretched to 24 x 24 as in prediction" in said
    assert "Conv2D" in said
    assert "--layer NAME" in said
    with Image.open(run / "microscope" / "disc.png") as drawn:
        assert drawn.width > 1000
    found = opened
    assert convlens("predict", run, image, "--format", "json", "--top", "2") == 0
    predicted = json.loads(capsys.readouterr().out)[0]
    assert found["label"] == predicted["label"]
    assert found["probabilities"] == pytest.approx(predicted["probabilities"], abs=1e-6)


def test_a_classifier_file_is_opened_too(run, image, capsys, tmp_path):
    assert (
        convlens("open", run / "classifier.keras", image, "--png", tmp_path / "new" / "a.png") == 0
    )
    assert (tmp_path / "new" / "a.png").stat().st_size > 10_000


def test_one_value(run, image, opened, capsys, tmp_path):
    layer = of_kind(opened, "Conv2D")
    words = ("open", run, image, "--layer", layer, "--filter", "2", "--at", "0,3")
    assert convlens(*words, "--png", tmp_path / "cell.png") == 0
    said = capsys.readouterr().out
    assert f"{layer}: filter 2, row 0, column 3" in said
    assert "is the network's own value" in said
    assert "the border being zeros" in said
    assert (tmp_path / "cell.png").exists()
    assert convlens(*words, "--format", "json") == 0
    cell = json.loads(capsys.readouterr().out)
    assert cell["agrees"]
    assert abs(cell["value"] - cell["network"]) <= 1e-5 * cell["scale"]


def test_without_at_the_largest_value_is_opened(run, image, opened, capsys):
    layer = of_kind(opened, "Conv2D")
    assert (
        convlens(
            "open", run, image, "--layer", layer, "--format", "json", "--png", run / "maps.png"
        )
        == 0
    )
    maps = np.array(json.loads(capsys.readouterr().out)["output"])
    assert convlens("open", run, image, "--layer", layer, "--filter", "1", "--format", "json") == 0
    cell = json.loads(capsys.readouterr().out)
    assert abs(cell["network"]) == pytest.approx(abs(maps[..., 1]).max())
    assert cell["network"] == pytest.approx(maps[tuple(cell["index"])])


def test_random_cells_of_every_layer_agree(run, image, opened, capsys):
    found, rng = opened, np.random.default_rng(0)
    for layer in found["layers"][1:]:
        *place, unit = (int(rng.integers(side)) for side in layer["shape"])
        at = ("--at", ",".join(map(str, place))) if place else ()
        words = (
            "open",
            run,
            image,
            "--layer",
            layer["name"],
            "--filter",
            unit,
            *at,
            "--format",
            "json",
        )
        assert convlens(*words) == 0
        assert json.loads(capsys.readouterr().out)["agrees"], layer


def test_a_gradient(run, image, opened, capsys, tmp_path):
    layer = of_kind(opened, "Conv2D")
    words = ("open", run, image, "--layer", layer, "--filter", "1", "--gradient")
    assert convlens(*words, "--true", "bar", "--weight", "0,1,0", "--png", tmp_path / "g.png") == 0
    said = capsys.readouterr().out
    assert "-ln(probability of bar)" in said
    assert "weight 0,1,0 of filter 1" in said
    assert "automatic differentiation" in said
    assert (tmp_path / "g.png").exists()
    assert convlens(*words, "--weight", "bias", "--format", "json") == 0
    bias = json.loads(capsys.readouterr().out)
    assert bias["weight"] == "bias"
    assert bias["agrees"]
    assert set(np.unique(bias["inputs"])) == {1.0}  # what a bias is multiplied with
    assert convlens(*words, "--weight", "gamma") == 2
    assert f"{layer} (Conv2D) has no gamma" in capsys.readouterr().err
    assert convlens(*words, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["agrees"]


def test_json_is_the_same_in_every_language(run, image, opened, capsys):
    layer = of_kind(opened, "Conv2D")
    words = ("open", run, image, "--layer", layer, "--filter", "0", "--format", "json")
    printed = []
    for language in ("en", "zh"):
        assert convlens(*words, "--language", language) == 0
        printed.append(json.loads(capsys.readouterr().out))
    assert printed[0] == printed[1]
    assert printed[0]["rule"] == "patch × kernel, summed up"


def test_files(run, image, opened, capsys, tmp_path):
    layer = of_kind(opened, "Conv2D")
    words = (
        "--html",
        tmp_path / "page.html",
        "--worksheet",
        tmp_path / "sheet.pdf",
        "--language",
        "zh",
    )
    assert (
        convlens("open", run, image, "--layer", layer, "--filter", "0", "--at", "5,5", *words) == 0
    )
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")
    assert "<!DOCTYPE html>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert convlens("open", run, image, "--html", tmp_path / "all.html") == 0
    assert "left out" not in capsys.readouterr().err


def test_the_page_opens_at_the_cell_that_was_asked_for(run, image, opened, capsys, tmp_path):
    layer = of_kind(opened, "Conv2D")
    words = (
        "--layer",
        layer,
        "--filter",
        "2",
        "--at",
        "3,4",
        "--language",
        "zh",
        "--html",
        tmp_path / "a.html",
    )
    assert convlens("open", run, image, *words) == 0
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert f'"start": {{"layer": "{layer}", "index": [3, 4, 2]}}' in page
    assert '<html lang="zh-Hant-TW">' in page


def test_classes_have_their_names(run, image, capsys):
    for layer in ("logits", "probabilities"):
        assert (
            convlens("open", run, image, "--layer", layer, "--filter", "disc", "--format", "json")
            == 0
        )
        assert json.loads(capsys.readouterr().out)["index"] == [1]
        assert convlens("open", run, image, "--layer", layer, "--filter", "0") == 0
        assert f"{layer}: class bar (0)" in capsys.readouterr().out


def test_a_dense_layer_has_units_and_its_gradient_one_term(run, image, opened, capsys):
    words = ("open", run, image, "--layer", "logits", "--filter", "disc", "--gradient")
    assert convlens(*words) == 0
    said = capsys.readouterr().out
    assert "of class disc (1), the one with the largest derivative of this class" in said
    assert "one position, so one term" in said
    assert "all positions" not in said
    assert convlens(*words, "--weight", "bias") == 0
    dense = of_kind(opened, "Dense")
    assert convlens("open", run, image, "--layer", dense, "--filter", "3") == 0
    assert f"{dense}: unit 3" in capsys.readouterr().out


def test_a_network_with_trained_weights(capsys, tmp_path, image):
    words = (
        "open",
        "--model",
        "efficientnet_lite0",
        image,
        "--layer",
        "stem_conv",
        "--filter",
        "3",
        "--at",
        "9,9",
    )
    assert convlens(*words, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["agrees"]
