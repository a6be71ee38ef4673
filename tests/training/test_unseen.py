"""A network that is trained further is not tested on images that it has learned from."""

from dataclasses import replace

import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.pipeline import prepare_images, train
from convlens.transfer.origin import choose_origin
from tests.conftest import without_charts
from tests.trainings import CONFIG, QUIET

WHOLE = CONFIG.replace(limit=None, epochs=1)


def first(dataset, number):
    """Return the first images of a data set, as if the others came later."""
    return replace(dataset, images=dataset.images[:number], labels=dataset.labels[:number])


@pytest.fixture(scope="module")
def origin(digits, tmp_path_factory):
    """Return the network of a run on the first 300 images."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    with without_charts():
        train(first(digits, 300), WHOLE, run=folder, screen=QUIET)
    return choose_origin(WHOLE, start_from=folder)


def test_images_that_came_later_do_not_hide_those_that_were_learned_from(origin, digits):
    more = first(digits, 360)
    with pytest.raises(ConfigError, match="--seed must be as in the first training"):
        prepare_images(origin, more, WHOLE.replace(seed=9), QUIET)
    splits = np.where(np.arange(360) < 40, "test", "train")
    notes = prepare_images(origin, replace(more, splits=splits), WHOLE, QUIET).notes
    assert any("has learned from" in note and "of the 40 test images" in note for note in notes)


def test_new_images_may_be_split_anyhow(origin, digits):
    others = replace(digits, images=digits.images[400:700], labels=digits.labels[400:700])
    notes = prepare_images(origin, others, WHOLE.replace(seed=9), QUIET).notes
    assert not any("has learned from" in note for note in notes)
