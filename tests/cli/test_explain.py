"""`convlens explain` as a user types it: what it prints and keeps, and what it says of mistakes."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from convlens.cli import main
from convlens.run import Run
from tests.maps.networks import marked, red_finder


def convlens(*words):
    with pytest.raises(SystemExit) as stopped:
        main([str(word) for word in words])
    return int(stopped.value.code or 0)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "marked.png"
    Image.fromarray(marked()).save(path)
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("classifiers") / "finder.keras"
    red_finder().save(path)
    return path


@pytest.fixture(scope="module")
def digit(digits, tmp_path_factory):
    path = tmp_path_factory.mktemp("digit") / "digit.png"
    values = np.asarray(digits.images[0])
    Image.fromarray(np.squeeze(values)).save(path)
    return path


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")


def test_map_is_printed_with_its_evidence(file, image, capsys):
    assert convlens("explain", file, image, "--class", "marked", "--against", "plain") == 0
    said = capsys.readouterr().out
    assert "marked against plain, difference of the logits" in said
    assert "exact class activation map" in said
    assert "additivity     The mean of the map and the bias add up to the logit" in said
    assert "corrected for the number of maps, 3" in said
    assert "of the image are enough" in said


def test_json_has_every_number(file, image, capsys):
    words = ("--method", "exact", "--method", "occlusion", "--format", "json")
    assert convlens("explain", file, image, *words) == 0
    (found,) = json.loads(capsys.readouterr().out)
    exact, occlusion = found["maps"]
    assert np.mean(exact["values"]) + exact["bias"] == pytest.approx(exact["logit"], rel=1e-5)
    assert occlusion["drawn"]
    assert found["flips"]["label"] == "plain"


def test_image_that_is_none_of_the_classes_says_so_first(image, tmp_path, capsys):
    replace(red_finder(), threshold=1.0).save(tmp_path / "doubtful.keras")
    assert convlens("explain", tmp_path / "doubtful.keras", image) == 0
    said = capsys.readouterr().out
    assert "prediction  none of these; most probable: marked (" in said


def test_image_that_cannot_be_read_is_skipped_among_others(file, image, tmp_path, capsys):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    page = tmp_path / "page.html"
    assert convlens("explain", file, broken, image, "--html", page) == 3
    assert "broken.png" in page.read_text("utf-8")
    told = capsys.readouterr()
    assert "broken.png" in told.err
    assert "prediction  marked" in told.out
    assert convlens("explain", file, broken) == 3
    assert "not an image" in capsys.readouterr().err


def test_run_names_near_training_images_and_doubts(finished_run, digit, capsys):
    names = finished_run.data["class_names"]
    from convlens.report.stored import write_doubts

    train = finished_run.data["splits"]["train"]
    write_doubts(finished_run, dict.fromkeys(train, names[1]))
    words = ("--method", "occlusion", "--format", "json")
    assert convlens("explain", finished_run.folder, digit, *words) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert len(found["neighbours"]) == 3
    assert found["neighbours"][0]["similarity"] >= found["neighbours"][2]["similarity"]
    assert {one["doubt"] for one in found["neighbours"]} == {names[1]}
    # The image is the first one of the data set, which the network has learned or not.
    assert [one["same"] for one in found["neighbours"]] == [0 in train, False, False]
    kept = finished_run.folder / "explanations" / "randomisation.json"
    first = kept.stat().st_mtime_ns
    assert convlens("explain", finished_run.folder, digit, *words) == 0
    assert kept.stat().st_mtime_ns == first


def test_methods_are_measured_on_test_images(finished_run, capsys):
    words = ("--check", "--images", "3", "--method", "occlusion")
    assert convlens("explain", finished_run.folder, *words) == 0
    said = capsys.readouterr().out
    assert "measured on 3 images" in said
    assert "n=3" in said
    assert "3 images are few" in said
    assert convlens("explain", finished_run.folder, *words, "--format", "json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["drawn"]["n"] == 3
    assert len(row["rank_correlations"]) == 4


def test_check_that_is_stopped_keeps_what_is_done_and_goes_on(finished_run, monkeypatch, capsys):
    from convlens.maps.explainer import Explainer

    (finished_run.folder / "explanations" / "checked.json").unlink(missing_ok=True)
    check = Explainer.check
    checked = []

    def stop_at_third(self, pixels, heat, **options):
        if len(checked) == 2:
            raise KeyboardInterrupt
        checked.append(pixels)
        return check(self, pixels, heat, **options)

    monkeypatch.setattr(Explainer, "check", stop_at_third)
    words = ("--check", "--images", "4", "--method", "occlusion", "--format", "json")
    assert convlens("explain", finished_run.folder, *words) == 130
    told = capsys.readouterr()
    assert "the same command goes on with the rest" in told.err
    (row,) = json.loads(told.out)
    assert row["drawn"]["n"] == 2

    def count(self, pixels, heat, **options):
        checked.append(pixels)
        return check(self, pixels, heat, **options)

    monkeypatch.setattr(Explainer, "check", count)
    assert convlens("explain", finished_run.folder, *words) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["drawn"]["n"] == 4
    assert len(checked) == 4
    assert convlens("explain", finished_run.folder, *words) == 0
    assert len(checked) == 4  # everything is known


def test_check_opens_its_network_once(finished_run, monkeypatch, capsys):
    from convlens.maps.network import OpenedNetwork

    opened = []
    first = OpenedNetwork.of.__func__

    def of(kind, classifier):
        opened.append(classifier)
        return first(kind, classifier)

    monkeypatch.setattr(OpenedNetwork, "of", classmethod(of))
    words = ("--check", "--images", "2", "--method", "occlusion", "--format", "json")
    assert convlens("explain", finished_run.folder, *words) == 0
    assert len(opened) == 1
    assert len(json.loads(capsys.readouterr().out)) == 1


def test_stored_results_of_another_training_are_forgotten(finished_run, tmp_path):
    from convlens.report import stored

    other = tmp_path / "run"
    other.mkdir()
    for name in ("classifier.keras", "run.toml"):
        os.link(finished_run.folder / name, other / name)
    run = Run(other)
    stored.write_doubts(run, {3: "b"})
    assert stored.read_doubts(run) == {3: "b"}
    (other / "classifier.keras").unlink()
    (other / "classifier.keras").write_bytes(b"another one")
    assert stored.read_doubts(run) == {}


MISTAKES = {
    ("--class", "markde"): "did you mean marked?",
    ("--class", "marked", "--against", "marked"): "are the same",
    ("--method", "smooth"): "--method must be one of exact, occlusion, rise",
    ("--images", "3"): "--images needs --check",
    ("--check",): "left over",
    ("--model", "lenet5"): "lenet5 has no trained weights",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes_are_told_in_one_line(file, image, capsys, words):
    given = (image,) if words[0] == "--model" else (file, image)
    assert convlens("explain", *given, *words) > 0
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1
    assert MISTAKES[words] in told[0]


def test_missing_words_are_told(file, capsys):
    assert convlens("explain", file) == 2
    assert "say which images" in capsys.readouterr().err


def test_figure_has_the_map_or_what_its_check_means(file, image, tmp_path, capsys):
    path = tmp_path / "maps.png"
    assert convlens("explain", file, image, "--png", path) == 0
    assert Image.open(path).size[0] > 300
    assert "written" in capsys.readouterr().out
    assert convlens("explain", file, image, "--png", tmp_path / "maps.jpg") == 2
    assert "--png writes a file that ends in .png" in capsys.readouterr().err


def test_page_has_the_images_that_can_be_read(file, image, tmp_path, capsys):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    path = tmp_path / "new folder" / "why.html"
    words = ("--html", path, "--against", "plain", "--format", "json")
    assert convlens("explain", file, broken, image, *words) == 3
    told = capsys.readouterr()
    (found,) = json.loads(told.out)
    assert [one["against"] for one in found["maps"]] == ["plain", None, None]
    assert "written" in told.err
    page = path.read_text()
    assert page.count("<article") == 1
    assert "finder.keras" in page
    assert f"{found['maps'][0]['logit']:.4f}".rstrip("0") in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--html", "why.txt"), "--html writes a file that ends in .html or .htm; found why.txt"),
        (("--html", "why.html", "--check"), "--html"),
    ],
)
def test_page_that_cannot_be_asked_for_is_told_in_one_line(file, image, words, said, capsys):
    given = () if "--check" in words else (image,)
    assert convlens("explain", file, *given, *words) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert said in line
    assert "exclude each other" in line or "ends in" in line


def test_page_that_cannot_be_written_is_told_in_one_line(file, image, tmp_path, capsys):
    (tmp_path / "a file").write_text("")
    (tmp_path / "folder.html").mkdir()
    folder = tmp_path / "locked"
    folder.mkdir(0o555)
    paths = [tmp_path / "a file" / "why.html", tmp_path / "folder.html"]
    if not os.access(folder, os.W_OK):  # root may write anywhere
        paths.append(folder / "why.html")
    for path in paths:
        assert convlens("explain", file, image, "--format", "json", "--html", path) == 9
        told = capsys.readouterr()
        assert len(json.loads(told.out)) == 1
        (line,) = told.err.strip().splitlines()
        assert f"{path}: the page cannot be written" in line
