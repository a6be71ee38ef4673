"""What is said of an effect has all of its numbers, and no more certainty than they allow."""

from dataclasses import replace

import pytest

from convlens.audit.effect import Effect
from convlens.audit.effect_words import explanation, headline
from convlens.evaluation.paired import Pair
from convlens.evaluation.scores import Score
from convlens.language_choice import using

LEAK = Effect(
    kind="leak",
    learned=Score(0.95, 0.91, 0.97, 200),
    without=Score(0.85, 0.79, 0.89, 200),
    difference=Score(0.1, 0.05, 0.15, 200),
    pair=Pair("with", "without", 24, 4, 0.0002, 0.0002, 200),
    train=300,
    removed=80,
    copied=Score(0.99, 0.93, 1.0, 80),
    others=Score(0.92, 0.86, 0.96, 120),
)
CHANCE = replace(LEAK, pair=replace(LEAK.pair, p=0.3, p_corrected=0.3))


def test_the_headline_has_both_scores_with_their_intervals():
    assert headline(LEAK) == (
        "95.0 % [91.0, 97.0] with the leak, 85.0 % [79.0, 89.0] without, both on the same "
        "200 test images."
    )
    assert "with the wrong labels" in headline(replace(LEAK, kind="labels"))
    with using("zh"):
        assert "200 張" in headline(LEAK)


def test_the_explanation_has_every_number():
    said = explanation(LEAK)
    for text in (
        "learned from 300 images",
        "without the 80 in question",
        "+10.0 percentage points, with a 95 % interval from +5.0 to +15.0",
        "only the first head classifies 24 images correctly, and only the second one 4",
        "p = 0.0002",
        "80 of the 200 test images have a copy",
        "92.0 % [86.0, 96.0] of the other 120",
    ):
        assert text in said


@pytest.mark.parametrize(("effect", "doubtful"), [(LEAK, False), (CHANCE, True)])
def test_a_difference_that_may_be_chance_is_called_so(effect, doubtful):
    assert ("So small a difference may be chance." in explanation(effect)) is doubtful


def test_where_all_test_images_have_a_copy_nothing_is_said_of_others():
    nobody = Score(float("nan"), float("nan"), float("nan"), 0)
    said = explanation(replace(LEAK, others=nobody))
    assert "All 200 test images have a copy" in said
    assert "not defined" not in said


def test_of_wrong_labels_nothing_is_said_of_copies():
    said = explanation(replace(LEAK, kind="labels", copied=None, others=None))
    assert "a copy" not in said
    assert "almost surely wrong" in said
