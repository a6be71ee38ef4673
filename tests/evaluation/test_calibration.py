import numpy as np
import pytest
from scipy.special import logit, softmax
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB

from convlens.evaluation.calibration import (
    FEWEST,
    apply_temperature,
    choose_threshold,
    fit_temperature,
    is_at_end,
)
from convlens.evaluation.metrics import expected_calibration_error


@pytest.fixture(scope="module")
def digits():
    """Real images and the far too confident predictions of naive Bayes."""
    images, labels = load_digits(return_X_y=True)
    model = GaussianNB(var_smoothing=1e-3).fit(images[:800], labels[:800])
    return labels[800:], model.predict_proba(images[800:])


def drawn(n, classes=4, scale=3.0, seed=0):
    """Labels drawn from the probabilities themselves, which are thereby calibrated."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, scale, (n, classes))
    rows = softmax(logits, axis=1)
    labels = (rows.cumsum(axis=1) > random.random((n, 1))).argmax(axis=1)
    return labels, logits


def test_the_temperature_that_was_put_in_comes_out():
    labels, logits = drawn(20_000)
    for sharpened in (0.25, 1.0, 3.0):
        found = fit_temperature(labels, softmax(logits * sharpened, axis=1).astype(np.float32))
        assert found == pytest.approx(sharpened, rel=0.03)


def test_no_other_temperature_has_less_log_loss(digits):
    labels, rows = digits
    found = fit_temperature(labels, rows)
    assert found > 2
    losses = [
        log_loss(labels, apply_temperature(rows, t)) for t in (found, 0.8 * found, 1.25 * found, 1)
    ]
    assert losses[0] == min(losses)


def test_real_predictions_become_calibrated_and_keep_their_class(digits):
    labels, rows = digits
    val, test = slice(500), slice(500, None)
    calibrated = apply_temperature(rows[test], fit_temperature(labels[val], rows[val]))
    assert np.array_equal(calibrated.argmax(1), rows[test].argmax(1))
    before, after = (
        expected_calibration_error(labels[test], one).value for one in (rows[test], calibrated)
    )
    assert after < before / 2


@pytest.mark.parametrize("n", [20, 100, 1000])
@pytest.mark.parametrize("margin", [2.0, 12.0, 60.0])
def test_all_correct_is_as_confident_as_the_rule_of_succession(n, margin):
    """This also holds if the network is more confident: 100 of 100 do not give 99.9994 %."""
    labels = np.arange(n) % 3
    rows = softmax(margin * np.eye(3)[labels], axis=1).astype(np.float32)
    confidence = apply_temperature(rows, fit_temperature(labels, rows)).max(axis=1)
    assert confidence == pytest.approx((n + 1) / (n + 2), abs=1e-4)


def test_two_classes_get_what_platt_s_targets_say():
    """If 90 of 100 are correct at 90 %, the mean target is 0.9 * 101 / 102 + 0.1 / 102."""
    rows = np.tile([0.9, 0.1], (100, 1))
    found = fit_temperature(np.r_[np.zeros(90), np.ones(10)].astype(int), rows)
    assert found == pytest.approx(logit(0.9) / logit((0.9 * 101 + 0.1) / 102), rel=1e-4)


@pytest.mark.parametrize(("spread", "ends"), [(0.01, True), (1.0, False), (300.0, True)])
def test_a_temperature_at_an_end_of_its_range_is_known(spread, ends):
    labels, logits = drawn(400)
    temperature = fit_temperature(labels, softmax(spread * logits, axis=1))
    assert is_at_end(temperature) == ends


def test_a_probability_of_zero_is_no_infinity():
    labels = np.r_[np.zeros(30), np.ones(3)].astype(int)
    # Each of the 3 mistakes gives the true class a probability of 0.
    rows = np.tile([1.0, 0.0], (33, 1)).astype(np.float32)
    assert 1 < fit_temperature(labels, rows) <= 20 * (1 + 1e-6)
    assert np.isfinite(apply_temperature(rows, 0.05)).all()


def test_the_requested_share_of_correct_predictions_reaches_the_threshold(digits):
    labels, rows = digits
    right = rows.argmax(1) == labels
    for accept in (0.5, 0.95, 0.987, 1.0):
        threshold = choose_threshold(labels, rows, accept)
        share = np.mean(rows.max(axis=1)[right] >= threshold)
        assert share >= accept
        above = np.mean(rows.max(axis=1)[right] > threshold + 2e-6)
        assert above < accept  # no larger threshold would do


def test_too_few_correct_predictions_choose_nothing():
    labels = np.r_[np.zeros(FEWEST - 1), np.ones(500)].astype(int)
    rows = np.tile([0.9, 0.1], (len(labels), 1))
    assert fit_temperature(labels, rows) is None
    assert choose_threshold(labels, rows, 0.95) is None
    assert fit_temperature(np.empty(0, int), np.empty((0, 2))) is None
    labels[FEWEST - 1] = 0
    assert fit_temperature(labels, rows) is not None
    assert choose_threshold(labels, rows, 0.95) == pytest.approx(0.9, abs=1e-5)
