"""Explanations of a network that finds a red mark, and what is refused."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from convlens.classifier.classifier import Classifier
from convlens.classifier.prediction import Prediction
from convlens.errors import ConfigError, ImageError, ModelError
from convlens.maps import evidence, explainer
from convlens.maps.explainer import Explainer, explainer_of
from convlens.maps.heat import METHODS, HeatMap, Target
from convlens.maps.network import chance_note, threshold_note
from convlens.maps.randomisation import randomise
from convlens.preprocess import Preprocessing
from tests.maps.networks import MARK, SIDE, marked, red_finder


@pytest.fixture(scope="module")
def finder():
    return red_finder()


def on_mark(heat):
    row, column = heat.peak
    height, width = (SIDE // size for size in heat.values.shape)
    inside = (slice(row * height, (row + 1) * height), slice(column * width, (column + 1) * width))
    mark = np.zeros((SIDE, SIDE), bool)
    mark[MARK] = True
    return bool(mark[inside].any())


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_mark_and_passes(finder, method):
    found = finder.explain(marked(), methods=[method])
    (one,) = found.maps
    assert one.drawn, one.refusal
    assert on_mark(one.map)
    assert found.label == found.prediction.label == "marked"
    assert {"deletion"} < {check.name for check in one.checks}


def test_best_map_is_exact_and_says_so(finder):
    found = finder.explain(marked())
    (one,) = found.maps
    assert one.map.method == "exact"
    assert [check.name for check in one.checks] == ["additivity", "deletion", "randomisation"]
    assert "add up to the logit" in one.checks[0].meaning
    logit = float(found.logits[1])
    assert one.map.values.mean() + one.map.bias == pytest.approx(logit, rel=1e-5)
    assert found.notes == ()


def test_logit_is_that_before_the_temperature(finder):
    found = finder.explain(marked())
    ratio = np.log(found.prediction.probabilities[1] / found.prediction.probabilities[0])
    assert found.logits[1] - found.logits[0] == pytest.approx(2.0 * ratio, rel=1e-3)


def test_regions_that_decide_lie_on_the_mark(finder):
    found = finder.explain(marked())
    assert found.keeps.label == "marked"
    assert found.flips.label == "plain"
    assert 0 < found.keeps.share < 0.2
    assert 0 < found.flips.share < 0.2
    rows, columns = np.nonzero(found.flips.chosen)
    assert rows.min() >= 3
    assert columns.min() >= 8


def test_map_of_noise_fails_the_deletion_test(finder):
    found = explainer_of(finder)
    pixels = marked()
    exact = found.map(pixels, Target(1), "exact")
    noise = HeatMap("occlusion", Target(1), -exact.values, exact.logit)
    checked = found.check(pixels, noise)
    assert not checked.drawn
    assert "deletion" in checked.refusal
    assert "values" not in checked.to_dict()


@pytest.mark.parametrize("method", METHODS)
def test_map_of_another_network_is_refused(finder, method):
    other = red_finder()
    other.model.weights[-2].assign(other.model.weights[-2] * 1.1)
    pixels = marked()
    foreign = Explainer(other).map(pixels, Target(1), method)
    checked = explainer_of(finder).check(pixels, foreign)
    assert not checked.drawn
    assert not checked.checks[0].passed


def test_map_that_is_not_a_number_is_refused(finder):
    found = explainer_of(finder)
    for method in ("exact", "occlusion"):
        heat = HeatMap(method, Target(1), np.full((8, 8), np.nan), 1.0, bias=0.0, absolute=1.0)
        assert not found.check(marked(), heat).drawn


def test_method_that_ignores_the_weights_fails_the_randomisation(finder):
    found = explainer_of(finder)

    def brightness(network, pixels, target):
        return HeatMap("occlusion", target, pixels.mean(axis=2).astype(np.float64), 0.0)

    result = randomise(found.network.model, "occlusion", brightness, finder.examples, draws=2)
    assert result.correlations == pytest.approx((1.0, 1.0, 1.0, 1.0))
    assert not result.check.passed
    assert "shows the image" in result.check.meaning


def test_randomisation_leaves_the_network_as_it_was(finder):
    before = [np.array(weight) for weight in finder.model.get_weights()]
    explainer_of(finder).randomise("exact", finder.examples)
    for one, other in zip(before, finder.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_several_maps_of_a_page_are_corrected(finder):
    found = finder.explain(marked(), methods=["exact", "occlusion", "gradient"])
    values = [one.checks[1].facts["uncorrected"] for one in found.maps]
    corrected = [one.checks[1].value for one in found.maps]
    assert min(corrected) == pytest.approx(3 * min(values))
    assert all(one.checks[1].facts["maps"] == 3 for one in found.maps)


@pytest.mark.parametrize("hidden", [False, True])
def test_maps_of_several_classes_are_those_of_each_alone_and_share_their_passes(hidden):
    found = Explainer(red_finder(hidden=hidden))
    pixels = marked()
    targets = [Target(1), Target(0), Target(1, 0)]
    expected = [
        found.check(pixels, found.map(pixels, one, found.best_method), choices=50)
        for one in targets
    ]
    compiled = found.network.compiled
    counts = []

    def counted(images):
        counts.append(len(images))
        return compiled(images)

    found.network.__dict__["compiled"] = counted
    together = found.explain_each(pixels, targets, choices=50)
    for one, other in zip(together, expected, strict=True):
        np.testing.assert_array_equal(one.map.values, other.map.values)
        assert one.to_dict() == other.to_dict()
    assert sum(counts) == 50 + len(targets) + (225 + len(targets) if hidden else 0)


def test_contrast_explains_the_difference(finder):
    found = finder.explain(marked(), "marked", "plain")
    difference, label, against = (one.map for one in found.maps)
    assert difference.logit == pytest.approx(found.logits[1] - found.logits[0], rel=1e-5)
    assert difference.logit == pytest.approx(label.logit - against.logit, rel=1e-5)
    np.testing.assert_allclose(difference.values, label.values - against.values, atol=1e-3)
    assert found.against == "plain"
    assert found.maps[0].checks[1].facts["choices"] == 120  # enough for three maps


def test_shares_of_a_sum_add_up(finder):
    (one,) = finder.explain(marked()).maps
    heat = one.map
    assert heat.added.sum() + heat.bias == pytest.approx(heat.logit, rel=1e-5)
    rest = abs(heat.bias) / (np.abs(heat.added).sum() + abs(heat.bias))
    assert heat.shares.sum() + rest == pytest.approx(1)
    (other,) = finder.explain(marked(), methods=["occlusion"]).maps
    assert other.map.added is None
    assert other.map.shares is None


def test_map_that_is_not_drawn_has_no_numbers_in_the_json(finder):
    found = explainer_of(finder)
    exact = found.map(marked(), Target(1), "exact")
    checked = found.check(marked(), replace(exact, bias=exact.bias + 1))
    assert not checked.drawn
    assert not {"values", "mean", "added", "shares"} & set(checked.to_dict())


def test_regions_follow_the_drawn_map_of_the_predicted_class(finder):
    found = finder.explain(marked(), "plain", "marked")
    assert found.leading.target == Target(1)  # the map of "marked", which is predicted
    assert found.keeps.label == "marked"


def test_network_without_exact_map_says_why_and_takes_occlusion():
    found = Explainer(red_finder(hidden=True)).explain(marked())
    assert found.maps[0].map.method == "occlusion"
    assert on_mark(found.maps[0].map)
    assert "hidden (Dense)" in found.notes[0]


def test_content_of_json_is_plain(finder):
    plain = json.loads(json.dumps(finder.explain(marked()).to_dict()))
    assert plain["maps"][0]["drawn"]
    assert plain["explained"] == "marked"


def test_network_at_chance_is_announced():
    classifier = red_finder()
    classifier.provenance["metrics"]["accuracy"]["low"] = 0.48
    said = "no better than guessing: its accuracy is 99.0 % [48.0, 100.0], and guessing among 2 "
    assert said in chance_note(classifier)
    assert said in Explainer(classifier).notes()[0]
    assert "not known" in chance_note(red_finder(metrics=False))
    assert not chance_note(red_finder())


def test_an_image_that_is_none_of_the_classes_says_by_which_threshold(finder):
    doubtful = replace(finder, threshold=1.0)
    found = Explainer(doubtful).explain(marked())
    share = f"{100 * found.prediction.probability:.1f} %"
    said = f"The probability of {found.prediction.label}, {share}, does not reach the threshold of "
    assert said + "the classifier, 100.0 %: the image counts as none" in found.none_of_these
    assert found.to_dict()["notes"] == [found.none_of_these, *found.notes]
    assert Explainer(finder).explain(marked()).none_of_these == ""


@pytest.mark.parametrize(
    ("probability", "said"), [(0.9496, "94.96 %, does not"), (0.94, "94.0 %, does not")]
)
def test_a_probability_just_below_the_threshold_has_two_digits(finder, probability, said):
    doubtful = replace(finder, threshold=0.95)
    found = Prediction("a.png", "marked", probability, np.array([0, 1], np.float32), known=False)
    assert said in threshold_note(doubtful, found)


def test_unknown_class_method_and_image_are_told(finder, tmp_path):
    with pytest.raises(ConfigError, match="did you mean marked"):
        finder.explain(marked(), "Marke")
    with pytest.raises(ConfigError, match="it knows plain, marked"):
        finder.explain(marked(), "zebra")
    with pytest.raises(ConfigError, match="are the same"):
        finder.explain(marked(), "plain", "plain")
    with pytest.raises(ConfigError, match="must be one of exact, occlusion"):
        finder.explain(marked(), methods=["smooth"])
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match="not an image"):
        finder.explain(tmp_path / "a.png")


def test_method_that_a_network_has_not_got_is_refused():
    with pytest.raises(ModelError, match=r"hidden \(Dense\).*this network has: occlusion, rise"):
        Explainer(red_finder(hidden=True)).explain(marked(), methods=["exact"])


def test_network_with_several_inputs_is_refused():
    one, other = keras.Input((8, 8, 3), name="one"), keras.Input((8, 8, 3), name="other")
    features = layers.GlobalAveragePooling2D()(layers.Add()([one, other]))
    model = keras.Model([one, other], layers.Softmax()(layers.Dense(2)(features)))
    classifier = Classifier(model, ("a", "b"), Preprocessing(8, 8, 3))
    with pytest.raises(ModelError, match="has 2 inputs"):
        classifier.explain(marked())


def test_explainer_is_made_once_for_a_classifier(finder):
    assert explainer_of(finder) is explainer_of(finder)
    assert finder in explainer._explainers


def test_holm_is_applied_to_the_deletion_tests_only():
    heat = HeatMap("exact", Target(0), np.zeros((2, 2)), 0.0)
    facts = {"uncorrected": 0.03}
    checks = (
        evidence.Check("additivity", True, 0.0, 1e-5),
        evidence.Check("deletion", True, 0.03, 0.05, facts),
    )
    found = evidence.corrected([evidence.Checked(heat, checks)] * 2)
    assert [one.drawn for one in found] == [False, False]
    assert found[0].checks[0].value == 0.0
    assert found[0].checks[1].value == pytest.approx(0.06)


def test_a_logit_that_rises_is_not_said_to_fall():
    facts = {"fall": -0.04, "random": 0.001, "count": 7, "share": 15.0, "choices": 199, "maps": 1}
    said = evidence.Check("deletion", False, 0.7, 0.05, facts).meaning
    assert "the logit changes by +0.04; without" in said
    assert "chosen at random, by +0.00 in the mean" in said
