"""The report says why the most confident mistakes were made, by maps with their evidence."""

import json
import re

import numpy as np
import pytest

from convlens.evaluation.evaluate import evaluate
from convlens.language import again
from convlens.language_choice import using
from convlens.maps import checking, explainer, methods, network
from convlens.maps.deletion import choices_for
from convlens.maps.evidence import corrected
from convlens.maps.explainer import Explainer
from convlens.maps.heat import Target
from convlens.report import why as why_module
from convlens.report.page import write_report
from convlens.report.stored import RANDOMISATION, read_randomised
from convlens.report.why import affordable, explain_mistakes
from convlens.run import Run
from tests.maps.networks import NAMES, marked, red_finder

COUNT = 2  # mistakes


def run_of(folder, classifier):
    run = Run(folder)
    classifier.save(run.classifier_path)
    return run


def mistaken(count=COUNT):
    """Return an evaluation of images with a mark that are said to be plain, and two others."""
    labels = np.array([0] * count + [1, 1])
    rows = np.tile([[0.01, 0.99]], (count + 2, 1))
    return evaluate(labels, rows, NAMES)


@pytest.fixture(scope="module")
def finder():
    return red_finder()


@pytest.fixture(scope="module")
def run(finder, tmp_path_factory):
    return run_of(tmp_path_factory.mktemp("run"), finder)


@pytest.fixture(scope="module")
def why(finder, run):
    return explain_mistakes(run, finder, mistaken(), marked)


@pytest.fixture
def page(why, tmp_path, no_charts):
    path = write_report(
        tmp_path, mistaken(), title="run", images=marked, image_names=list("abcd"), why=why
    )
    return path.read_text(encoding="utf-8"), json.loads((tmp_path / "report.json").read_text())


def test_numbers_are_those_of_the_explainer(finder, run, why):
    alone = Explainer(finder, read_randomised(run))
    assert [one.index for one in why.mistakes] == [0, 1]
    expected = corrected(
        [
            alone.check(pixels, alone.map(pixels, target, "exact"), choices=choices_for(4))
            for pixels in map(marked, (0, 1))
            for target in (Target(1), Target(0))
        ]
    )
    found = [one for mistake in why.mistakes for one in mistake.maps]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.map.values, other.map.values)
        assert one.to_dict() == other.to_dict()
    assert {check.name for check in found[0].checks} == {"additivity", "deletion", "randomisation"}
    assert found[0].checks[1].facts["maps"] == 4


def test_page_and_json_say_the_same(why, page):
    html, facts = page
    assert facts["why"]["scale"] == pytest.approx(why.scale)
    for mistake, one in zip(why.mistakes, facts["why"]["mistakes"], strict=True):
        assert one["index"] == mistake.index
        assert [found["class"] for found in one["maps"]] == ["marked", "plain"]
        predicted = one["maps"][0]
        assert np.mean(predicted["values"]) + predicted["bias"] == pytest.approx(predicted["logit"])
        assert f"logit {predicted['logit']:.3f}: mean of the map" in html
    assert f"<span>{why.scale:+.3g}</span>" in html
    assert f"<span>{-why.scale:+.3g}</span>" in html


def test_map_that_fails_is_replaced_by_its_sentence(why, page):
    html, facts = page
    drawn = [one.drawn for mistake in why.mistakes for one in mistake.maps]
    assert drawn == [True, False, True, False]  # nothing in the image speaks for "plain"
    assert html.count('<image class="colours"') == 2
    assert html.count('<p class="refused">') == 2
    refused = facts["why"]["mistakes"][0]["maps"][1]
    assert "values" not in refused
    assert refused["refusal"].startswith("The map (exact class activation map) is not drawn")
    assert refused["refusal"].replace(" %", "\N{NO-BREAK SPACE}%") in html


def test_both_languages_are_in_the_page_and_it_stays_offline(page):
    html = page[0]
    assert "Why these mistakes were made" in html
    english = re.findall(r'<span lang="en">(.*?)</span>', html)
    chinese = re.findall(r'<span lang="zh-Hant-TW">(.*?)</span>', html)
    assert len(english) == len(chinese)
    said = chinese[english.index("Why these mistakes were made")]
    assert said != "Why these mistakes were made"
    assert not re.search(r"https?:|<script|<link|@import|<iframe", html)


def test_report_in_chinese_has_the_same_numbers(why, tmp_path, no_charts):
    with using("zh"):
        write_report(tmp_path, mistaken(), title="run", images=marked, why=why)
    facts = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert facts["why"]["mistakes"][0]["maps"][0]["logit"] == why.mistakes[0].maps[0].map.logit
    assert "圖" in facts["why"]["mistakes"][0]["maps"][1]["refusal"]


def test_network_without_exact_map_costs_no_pass(tmp_path, monkeypatch):
    """Else each training of such a network would take longer."""

    def refuse(*_args, **_kwargs):
        raise AssertionError

    for module in (network, methods, checking):
        monkeypatch.setattr(module, "compute", refuse)
    monkeypatch.setattr(network, "compile_model", refuse)
    monkeypatch.setattr(explainer, "randomise", refuse)
    hidden = red_finder(hidden=True)
    found = explain_mistakes(run_of(tmp_path, hidden), hidden, mistaken(), refuse)
    assert found.mistakes == ()
    (note,) = found.notes
    assert "hidden (Dense)" in note
    assert f"convlens explain {tmp_path} IMAGE" in note
    with using("zh"):
        assert "hidden（Dense）位於" in again(note)


def test_large_network_costs_no_pass_and_the_page_says_what_shows_its_maps(
    finder, run, tmp_path, monkeypatch, no_charts
):
    monkeypatch.setattr(why_module, "WORK", 1000)
    found = explain_mistakes(run, finder, mistaken(), marked)
    assert found.mistakes == ()
    path = write_report(tmp_path, mistaken(), title="run", images=marked, why=found)
    html = path.read_text(encoding="utf-8")
    assert "The maps of a network of this size take too long" in html
    assert f"convlens explain {run.folder} IMAGE" in html


def test_number_of_mistakes_follows_the_size_of_the_network():
    counts = [affordable(millions * 10**6) for millions in (1, 10, 50, 100, 200, 300, 400)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == why_module.MOST
    assert counts[-1] == 0


def test_large_network_may_take_a_share_of_the_passes_of_its_training():
    lite0, resnet50 = 384_000_000, 4_000_000_000
    counts = [affordable(lite0, learned) for learned in (100, 1019, 1020, 3240, 7260, 10**6)]
    assert counts == [0, 0, 1, 2, 3, 4]
    assert affordable(resnet50, 10_000) == 1
    assert affordable(10 * resnet50, 10**6) == 0
    small = 48_000_000
    assert affordable(small, 10**6) == affordable(small)


def test_mistakes_of_a_large_network_are_explained_where_many_images_were_learned(
    finder, run, monkeypatch
):
    monkeypatch.setattr(why_module, "WORK", 1000)
    found = explain_mistakes(run, finder, mistaken(), marked, 1020)
    assert len(found.mistakes) == 1
    assert not explain_mistakes(run, finder, mistaken(), marked, 1019).mistakes


def test_check_by_shuffled_weights_is_made_once_for_a_run(finder, run, why, monkeypatch):
    assert (run.folder / RANDOMISATION).exists()

    def refuse(*_args, **_kwargs):
        raise AssertionError

    monkeypatch.setattr(explainer, "randomise", refuse)
    again = explain_mistakes(run, finder, mistaken(), marked)
    assert again.to_dict(NAMES) == why.to_dict(NAMES)


def test_folder_that_cannot_be_written_to_keeps_no_check(finder, tmp_path):
    run = run_of(tmp_path, finder)
    (tmp_path / "explanations").write_text("in the way")
    found = explain_mistakes(run, finder, mistaken(), marked)
    assert len(found.mistakes) == COUNT
    assert "randomisation" in {check.name for check in found.mistakes[0].maps[0].checks}


def test_report_is_written_whatever_goes_wrong_with_the_maps(finder, run):
    def broken(index):
        raise RuntimeError("no memory")

    found = explain_mistakes(run, finder, mistaken(), broken)
    assert not found.mistakes
    assert found.notes == ("The maps of the mistakes could not be made: RuntimeError: no memory",)


def test_ctrl_c_is_not_taken_for_a_failure(finder, run):
    def pressed(index):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explain_mistakes(run, finder, mistaken(), pressed)


def test_without_mistakes_nothing_is_said(finder, run, tmp_path, no_charts):
    right = evaluate([1, 1], np.tile([[0.1, 0.9]], (2, 1)), NAMES)
    assert explain_mistakes(run, finder, right, marked) is None
    write_report(tmp_path, right, title="run", images=marked, why=None)
    assert "why" not in json.loads((tmp_path / "report.json").read_text())
