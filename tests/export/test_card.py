import json

from convlens.export.card import render_card
from convlens.language import using
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
    assert "| milliseconds for an image, here and in convlens | 1.0, 2.0 |" in card


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
