"""A limit leaves some images before any is decoded."""

import numpy as np
import pytest

from convlens.config import Config
from convlens.data import limited as module
from convlens.data.limited import limited
from convlens.data.prepared import prepare_data
from convlens.errors import ConfigError
from tests.data.damage import DAMAGES


def test_only_the_images_that_the_limit_leaves_are_decoded(digits):
    config = Config().replace(size="20", limit=53, audit=False)
    seen: list[tuple[int, int]] = []
    prepared = prepare_data(digits, config, progress=lambda done, of: seen.append((done, of)))
    assert seen[-1] == (53, 53)
    assert prepared.store.images.shape == (53, 20, 20, 1)
    assert sum(len(getattr(prepared.splits, name)) for name in ("train", "val", "test")) == 53
    whole = prepare_data(digits, config.replace(limit=None))
    assert prepared.whole is not None
    drawn = prepared.whole.drawn
    assert np.array_equal(prepared.store.images, whole.store.images[drawn])
    assert prepared.dataset.file_name(3) == str(drawn[3])
    # Both are known to be of the same images, and a run records them.
    assert prepared.fingerprint == whole.fingerprint
    assert prepared.to_dict()["images"] == len(digits)
    again = prepare_data(digits, config.replace(seed=7), drawn=drawn)
    assert np.array_equal(again.store.images, prepared.store.images)


def test_a_limit_that_is_no_limit_leaves_the_data_set_as_it_is(digits):
    for limit in (None, len(digits), 10**6):
        assert limited(digits, Config().replace(limit=limit)) == (digits, None)
    every = np.arange(len(digits))
    assert limited(digits, Config().replace(limit=50), every) == (digits, None)


def test_a_limit_that_is_too_low_for_the_classes_is_refused(digits):
    with pytest.raises(ConfigError, match=r"at least 20, so that each of the 10 .*found 19"):
        limited(digits, Config().replace(limit=19))
    # Classes that only a classifier knows have no image to draw.
    more = digits.with_classes((*digits.class_names, "a", "b"))
    assert len(limited(more, Config().replace(limit=20))[0]) == 20


def test_a_mapped_array_is_not_read_into_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "IN_MEMORY", 0)
    monkeypatch.setattr(module, "CHUNK", 3)
    np.save(tmp_path / "images.npy", np.arange(10 * 4, dtype=np.uint8).reshape(10, 2, 2))
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    kept = np.array([0, 2, 3, 7, 9])
    chosen = module._pixels_of(images, kept)
    assert isinstance(chosen, np.memmap)
    assert np.array_equal(chosen, images[kept])


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_array_is_written_anew(damage, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "IN_MEMORY", 0)
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    np.save(tmp_path / "images.npy", np.arange(10 * 4, dtype=np.uint8).reshape(10, 2, 2))
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    kept = np.array([0, 2, 3, 7, 9])
    module._pixels_of(images, kept)
    (file,) = (tmp_path / "cache").iterdir()
    damage(file)
    assert np.array_equal(module._pixels_of(images, kept), images[kept])
