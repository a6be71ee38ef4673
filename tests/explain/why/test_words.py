"""What is said of an explanation names the right class."""

from dataclasses import replace

from convlens.explain.why import words
from convlens.maps.explainer import Explainer
from tests.maps.networks import marked, red_finder


def test_answer_that_never_changes_is_the_predicted_one():
    found = Explainer(red_finder()).explain(marked(), "plain", "marked")
    assert found.leading is not None
    said = words.flips(replace(found, flips=None))
    assert said == "However much of the image is covered, the answer stays marked."
