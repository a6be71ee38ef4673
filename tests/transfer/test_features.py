"""Features are kept under a name that stands for what is computed and nothing else."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from convlens.data.dataset import Dataset
from convlens.transfer.backbone import body_of
from convlens.transfer.features import features_key, key_of
from tests.transfer.backbones import SEEN, assembled

pytestmark = pytest.mark.usefixtures("own_cache")


def test_the_key_stands_for_what_is_computed_and_nothing_else(file):
    def key(model, preprocessing=SEEN, arithmetic="float32 on tensorflow"):
        return features_key(body_of(model), preprocessing, arithmetic)

    first = key(assembled(file))
    assert key(assembled(file)) == first
    assert key(assembled(file, unfreeze="all", head=(4,))) == first
    changed = assembled(file)
    changed.get_layer("block1_conv1").bias.assign(np.full(4, 1e-6))
    others = {
        key(changed),
        key(assembled(file, pooling="max")),
        key(assembled(file), replace(SEEN, fit="crop")),
        key(assembled(file), arithmetic="bfloat16 on tensorflow"),
    }
    assert len(others - {first}) == 4


def test_the_same_bytes_of_another_unit_have_other_features(file):
    body = body_of(assembled(file))
    seen = replace(SEEN, unit=(0.0, 4095.0))
    compiled = SimpleNamespace(engine="tensorflow", precision="float32")
    images = np.zeros((2, 8, 8), np.uint8)

    def key(unit):
        dataset = Dataset("x", "x", images, np.array([0, 1]), ("a", "b"), unit=unit)
        return key_of(body, SimpleNamespace(dataset=dataset, preprocessing=seen), compiled)

    assert len({key(None), key((0.0, 4095.0))}) == 1
    assert key((0.0, 4095.0)) != key((0.0, 65535.0))
