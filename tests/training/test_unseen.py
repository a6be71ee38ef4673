"""A network that is trained further is not tested on images that it has learned from."""

from dataclasses import replace

import numpy as np
import pytest

from convlens.data.digests import digests_of
from convlens.data.prepared import prepare_data
from convlens.errors import ConfigError
from convlens.pipeline import prepare_again, prepare_images, train
from convlens.run import Run
from convlens.run_images import are_among, learned_by
from convlens.studies import cross_validation
from convlens.studies.cross_validation import cross_validate
from convlens.training.setup import Setup
from convlens.training.unseen import with_learned_in_training
from convlens.transfer.origin import choose_origin
from tests.conftest import without_charts
from tests.trainings import CONFIG, QUIET

SAID = "the classifier that this begins with has learned from"
WHOLE = CONFIG.replace(limit=None, epochs=1)


def first(dataset, number):
    """Return the first images of a data set, as if the others came later."""
    return replace(dataset, images=dataset.images[:number], labels=dataset.labels[:number])


def common(origin, digits):
    """Return an image that the network has learned from."""
    contents = digests_of(digits.images[:300])
    return digits.images[np.flatnonzero(are_among(contents, origin.learned))[0]]


@pytest.fixture(scope="module")
def origin(digits, tmp_path_factory):
    """Return the network of a run on the first 300 images."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    with without_charts():
        train(first(digits, 300), WHOLE, run=folder, screen=QUIET)
    return choose_origin(WHOLE, start_from=folder)


def test_images_that_came_later_do_not_hide_those_that_were_learned_from(origin, digits):
    splits = np.where(np.arange(360) < 40, "test", "train")
    more = replace(first(digits, 360), splits=splits)
    notes = prepare_images(origin, more, WHOLE.replace(seed=9), QUIET).notes
    assert any(SAID in note and "of the 40 images that will be scored" in note for note in notes)


def test_images_that_were_learned_from_stay_in_the_training_if_others_are_added(origin, digits):
    prepared = prepare_images(origin, first(digits, 360), WHOLE, QUIET)
    splits = prepared.splits
    learned = are_among(prepared.store.contents, origin.learned)
    assert len(splits.test) > 0
    assert not learned[splits.test].any()
    parts = np.concatenate([splits.train, splits.val, splits.test])
    assert np.sort(parts).tolist() == list(range(360))
    assert (np.diff(splits.train) > 0).all()
    drawn = len(prepare_data(first(digits, 360), WHOLE).splits.test)
    said = f"training instead, which leaves {len(splits.test)} of {drawn} images for the test"
    assert any(said in note for note in prepared.notes)
    assert not any("scores will be too high" in note for note in prepared.notes)


def test_a_test_set_is_not_made_much_smaller_by_another_seed(origin, digits):
    config = WHOLE.replace(seed=9)
    drawn = prepare_data(first(digits, 360), config).splits.test
    prepared = prepare_images(origin, first(digits, 360), config, QUIET)
    assert prepared.splits.test.tolist() == drawn.tolist()
    said = f"of the {len(drawn)} images that will be scored, so that the scores will be too high"
    assert any(said in note for note in prepared.notes)


@pytest.mark.parametrize("learned", ["more than half", "a class", "a few"])
def test_a_test_set_keeps_half_of_its_images_and_all_classes(origin, digits, learned):
    prepared = prepare_data(first(digits, 360), WHOLE)
    test = prepared.splits.test
    labels = prepared.dataset.labels[test]
    of_one = test[labels == labels[0]]
    assert 2 < len(of_one) < len(test) / 2
    chosen = {
        "more than half": np.delete(test, np.unique(labels, return_index=True)[1]),
        "a class": of_one,
        "a few": of_one[:-1],
    }[learned]
    before = replace(origin, learned=prepared.store.contents[chosen])
    left = with_learned_in_training(before, prepared).splits.test
    assert len(test) - len(left) == (len(chosen) if learned == "a few" else 0)


def test_the_same_images_must_be_split_as_before(origin, digits):
    with pytest.raises(ConfigError, match="--seed must be as in the first training"):
        prepare_images(origin, first(digits, 300), WHOLE.replace(seed=9), QUIET)


def test_one_image_in_common_is_noted_and_nothing_is_refused(origin, digits):
    images = digits.images[400:701].copy()
    images[0] = common(origin, digits)
    splits = np.where(np.arange(301) < 40, "test", "train")
    others = replace(digits, images=images, labels=digits.labels[400:701], splits=splits)
    notes = prepare_images(origin, others, WHOLE.replace(seed=9, val=0.3), QUIET).notes
    assert sum(f"{SAID} 1 of the 40 images" in note for note in notes) == 1


def test_folds_are_refused_for_the_same_images_and_noted_for_others(origin, digits, monkeypatch):
    seen = []
    monkeypatch.setattr(cross_validation, "choose_origin", lambda *_: origin)
    monkeypatch.setattr(cross_validation, "_Folds", lambda whole, *_: seen.append(whole))
    with pytest.raises(ConfigError, match="from these very images"):
        cross_validate(first(digits, 300), WHOLE, 3, start_from="first", screen=QUIET)
    with pytest.raises(AttributeError):  # what would carry them out is not there
        cross_validate(first(digits, 360), WHOLE, 3, start_from="first", screen=QUIET)
    learned = len(origin.learned)
    (whole,) = seen
    assert any(f"{SAID} {learned} of the 360 images" in note for note in whole.notes)


def test_what_was_learned_before_the_first_run_is_known_too(origin, digits, tmp_path):
    others = replace(digits, images=digits.images[400:700], labels=digits.labels[400:700])
    prepared = prepare_images(origin, others, WHOLE, QUIET)
    run = Run.create(tmp_path / "second", "")
    Setup.create(prepared, WHOLE, origin).describe(run)
    learned = learned_by(run.folder)
    assert are_among(origin.learned, learned).all()
    assert are_among(prepared.store.contents[prepared.splits.train], learned).all()
    assert not are_among(prepared.store.contents[prepared.splits.test], learned).any()


def test_a_resumed_run_says_again_what_was_learned(origin, digits, tmp_path):
    splits = np.where(np.arange(360) < 40, "test", "train")
    more = replace(first(digits, 360), splits=splits)
    run = Run.create(tmp_path / "run", "")
    run.record(prepare_images(origin, more, WHOLE, QUIET))
    _origin, again = prepare_again(run, more, WHOLE, QUIET)
    assert sum(SAID in note for note in again.notes) == 1


def test_new_images_may_be_split_anyhow(origin, digits):
    others = replace(digits, images=digits.images[400:700], labels=digits.labels[400:700])
    notes = prepare_images(origin, others, WHOLE.replace(seed=9), QUIET).notes
    assert not any("has learned from" in note for note in notes)
