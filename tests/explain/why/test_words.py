"""What is said of an explanation names the right class."""

from dataclasses import replace

from convlens.explain.why import words
from convlens.maps.explainer import Explainer
from tests.explain.why.made import NEAR
from tests.maps.networks import marked, red_finder


def test_answer_that_never_changes_is_the_predicted_one():
    found = Explainer(red_finder()).explain(marked(), "plain", "marked")
    assert found.leading is not None
    said = words.flips(replace(found, flips=None))
    assert said == "However much of the image is covered, the most probable class stays marked."


def test_of_a_neighbour_it_is_said_that_it_is_the_image_and_that_its_label_is_doubted():
    near = NEAR[1]
    doubt = "the audit doubts this label and suggests marked"
    assert words.neighbour(near) == f"plain (0.877); {doubt}"
    same = "this very image, which the network has learned"
    assert words.neighbour(replace(near, same=True)) == f"plain (0.877); {same}; {doubt}"
