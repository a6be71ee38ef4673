import json
from dataclasses import replace

from convlens.export.card import render_card
from convlens.export.cost import Cost
from convlens.language_choice import using
from tests.export.conftest import NAMES, SCORES
from tests.export.test_proof import GOOD

FACTS = {"name": 'a "run": 3', "format": "onnx", "engine": "onnxruntime", "convlens": "0.2.0"}


def facts(names=NAMES):
    return FACTS | {"class_names": list(names)}


def front_matter(card):
    start, matter, _rest = card.split("---\n", 2)
    assert start == ""
    return matter


def test_the_numbers_are_those_of_the_report():
    card = render_card(facts(), SCORES, GOOD)
    assert "Scores of 40 images (test)" in card
    assert "| Accuracy | 87.5 % | [73.9 %, 94.5 %] |" in card
    assert "| Log loss | 0.346 | [0.200, 0.500] |" in card
    matter = front_matter(card)
    assert "      value: 0.8750\n" in matter
    (name,) = [line for line in matter.splitlines() if line.startswith("- name:")]
    assert json.loads(name.removeprefix("- name:")) == 'a "run": 3'


def test_the_numbers_are_those_of_the_proof():
    card = render_card(facts(), {}, GOOD)
    assert "on 3 example files" in card
    assert "on 10 validation images" in card
    assert "| changed classes | 0 |" in card
    assert "| largest difference of a probability | 1.0e-06 |" in card
    assert "| allowed difference | 1.0e-04 |" in card
    assert "| milliseconds for an image, here and in convlens | 1.00, 2.00 |" in card


def test_a_classifier_without_a_report_has_no_scores():
    card = render_card(facts(), {}, GOOD)
    assert "Scores" not in card
    assert "accuracy" not in card
    assert "  results:\n  []\n" in front_matter(card)


def test_long_lists_of_classes_are_cut():
    card = render_card(facts(map(str, range(1000))), {}, GOOD)
    assert "An image classifier of 1,000 classes" in card
    assert "38, 39, …\n" in card
    assert ", 40" not in card


def test_the_card_speaks_the_chosen_language_and_its_front_matter_does_not():
    english = render_card(facts(), SCORES, GOOD)
    with using("zh"):
        chinese = render_card(facts(), SCORES, GOOD)
    assert front_matter(chinese) == front_matter(english)
    assert "87.5 %" in chinese
    assert "貓" in chinese


def test_the_card_tells_what_a_lower_precision_costs():
    cost = Cost(1000, True, 0.95, 0.93, 25, 5, 0.0091, 0.0308, 0.0003)
    proof = replace(
        GOOD, precision="int8", cost=cost, float32_size=13_500_000, float32_milliseconds=5.2
    )
    known = facts() | {"calibration": {"training_images": 300, "seed": 0}}
    card = render_card(known, SCORES, proof)
    assert "as onnx in int8." in card
    assert "These are the scores of the classifier in float32. What int8 changes" in card
    assert "allowed difference" not in card
    assert "| size of the network in float32 | 13.5 MB |" in card
    assert "| milliseconds for an image in float32, on the same engine | 5.20 |" in card
    assert "95.0 % of 1,000 validation images correctly in float32, this network 93.0 %" in card
    assert "-2.0 points [-3.1, -0.9], p = 0.0003 (McNemar)" in card
    assert "calibrated on 300 training images" in card
    unlabelled = render_card(
        known | {"calibration": None}, {}, replace(proof, cost=replace(cost, labelled=False))
    )
    assert "gives 93.0 % of 1,000 images the class that the classifier gives them" in unlabelled
    assert "calibrated" not in unlabelled


def test_the_card_tells_what_the_engine_does_by_itself():
    assert "OpenVINO" not in render_card(facts(), {}, replace(GOOD, default_type="f32"))
    proof = replace(GOOD, default_type="bf16", default_largest=0.0123, default_changed=4)
    card = render_card(facts(), {}, proof)
    assert "if OpenVINO is not told to compute in float32 | 1.2e-02 |" in card
    assert "| changed classes then | 4 |" in card
