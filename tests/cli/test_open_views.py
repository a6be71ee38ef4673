"""What `convlens open` prints of a network, a value and a gradient, without the command around."""

import json
from dataclasses import replace

import pytest

from convlens.cli.open_flags import Files, Look
from convlens.cli.open_views import View, show_cell, show_gradient, show_maps, write_html
from tests.explain.networks import look_at, nested


@pytest.fixture(scope="module")
def microscope():
    return look_at(nested, (12, 12, 3), 2)


@pytest.fixture
def view(microscope, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")

    def make(**files):
        return View(microscope, "images/cat.png", tmp_path / "microscope", Files(**files))

    return make


def test_all_layers_are_listed_and_drawn_beside_the_run(view, microscope, capsys, tmp_path):
    show_maps(view(), None)
    out = capsys.readouterr().out
    assert "cat.png, 12 x 12 pixels, as the network takes them" in out
    assert all(layer.name in out for layer in microscope.layers)
    assert out.endswith(f"written  {tmp_path}/microscope/cat.png\n")
    show_maps(view(), microscope.layer("deep"))
    out = capsys.readouterr().out
    assert "DepthwiseConv2D, gives 6 x 6 x 3" in out
    hint = "opens the value of its map that is largest in absolute value; with --at ROW,COL"
    assert f"--filter 0 to 2 {hint}" in out
    assert (tmp_path / "microscope" / "cat-deep.png").exists()


def test_an_image_that_is_none_of_the_classes_says_so_first(view, microscope, capsys):
    prediction = replace(microscope.prediction, known=False)
    doubtful = replace(view(), microscope=replace(microscope, prediction=prediction))
    show_maps(doubtful, None)
    assert f"none of these; most probable: {prediction.label} " in capsys.readouterr().out


def test_json_has_the_standard_output_to_itself(view, microscope, capsys):
    show_maps(view(format="json"), microscope.layer("logits"))
    streams = capsys.readouterr()
    content = json.loads(streams.out)
    assert content["known"] is True
    assert content["output"] == microscope.layer("logits").output.tolist()
    assert sum(content["probabilities"].values()) == pytest.approx(1)
    assert "written" in streams.err


def test_a_value_with_its_worksheet(view, microscope, capsys, tmp_path):
    path = tmp_path / "sheet.pdf"
    show_cell(view(worksheet=path), microscope.layer("conv"), (0, 0, 1))
    assert "conv: filter 1, row 0, column 0" in capsys.readouterr().out
    assert path.read_bytes().startswith(b"%PDF")


def test_a_gradient_of_a_class(view, microscope, capsys):
    show_gradient(view(), microscope.layer("logits"), Look(filter="class 1", true="class 0"))
    out = capsys.readouterr().out
    assert "-ln(probability of class 0)" in out
    assert "one position, so one term" in out


def test_a_page_says_what_it_leaves_out(view, microscope, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("convlens.explain.pages.microscope_html.BUDGET", 8_000)
    write_html(view(), tmp_path / "a.html", [], None)
    assert "left out for its size: " in capsys.readouterr().err
    write_html(view(), tmp_path / "b.html", [microscope.layer("logits")], (1,))
    assert capsys.readouterr().err == ""
