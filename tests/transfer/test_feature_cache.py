"""Features are computed once for each image, kept by content, and read by every process."""

from pathlib import Path

import numpy as np
import pytest

from convlens.data.digests import digests_of
from convlens.data.store import Store
from convlens.transfer import feature_cache
from convlens.transfer.feature_cache import FeatureCache
from tests.transfer.small_features import WIDTH, Network, store_of, wanted

pytestmark = pytest.mark.usefixtures("own_cache")


def test_kept_features_are_the_networks_own_in_the_order_asked_for():
    store, cache, reports = store_of(150), FeatureCache("key", WIDTH), []
    order = np.random.default_rng(2).permutation(150)
    assert cache.compute(Network(), store, order, lambda *report: reports.append(report)) == 150
    assert np.allclose(cache.gather(store, order), wanted(store)[order], rtol=1e-6)
    assert reports == [(64, 150), (128, 150), (150, 150)]
    kept = FeatureCache("key", WIDTH).gather(store, order[:7])  # another process
    assert np.array_equal(kept, cache.gather(store, order)[:7])
    assert kept.flags.owndata  # the caller may change it in place
    assert kept.flags.writeable


def test_another_split_costs_nothing_and_more_images_only_themselves():
    store, network = store_of(40), Network()
    cache = FeatureCache("key", WIDTH)
    cache.compute(network, store, np.arange(30))
    assert cache.compute(network, store, np.arange(29, 4, -1)) == 0
    assert network.seen == 30
    assert cache.missing(store, np.arange(40)).tolist() == list(range(30, 40))
    assert FeatureCache("key", WIDTH).compute(network, store, np.arange(40)) == 10
    assert network.seen == 40


def test_copies_are_computed_once():
    once, network = store_of(6), Network()
    twice = np.concatenate([once.images, once.images[::-1]])
    store = Store(twice, digests_of(twice), {})
    cache = FeatureCache("key", WIDTH)
    assert cache.compute(network, store, np.arange(12)) == network.seen == 6
    assert np.allclose(cache.gather(store, np.arange(12)), wanted(store), rtol=1e-6)


def test_features_of_a_network_may_be_infinite():
    store, cache = store_of(10), FeatureCache("key", WIDTH)

    def infinite(images: np.ndarray) -> np.ndarray:
        return np.full((len(images), WIDTH), np.inf, np.float32)

    assert cache.compute(infinite, store, np.arange(10)) == 10
    FeatureCache("key", WIDTH)  # of another process, which leaves alone what it takes for damaged
    assert cache.compute(infinite, store, np.arange(10)) == 0
    assert np.isinf(cache.gather(store, np.arange(10))).all()


def test_digests_with_zeros_are_told_apart():
    store = store_of(3)
    store.digests[:] = 0
    store.digests[1, 3] = 1
    store.digests[2, 15] = 1
    cache = FeatureCache("key", WIDTH)
    assert cache.compute(Network(), store, np.arange(3)) == 3
    assert np.allclose(cache.gather(store, np.arange(3)), wanted(store), rtol=1e-6)


def test_opening_the_cache_reads_no_features(monkeypatch):
    store = store_of(100)
    FeatureCache("key", WIDTH).compute(Network(), store, np.arange(100))
    read = []
    fromfile = np.fromfile
    monkeypatch.setattr(
        np, "fromfile", lambda path, *rest: read.append(path.suffix) or fromfile(path, *rest)
    )
    cache = FeatureCache("key", WIDTH)
    assert read == [".digests"]
    assert [type(part.base) for part in cache._parts] == [np.memmap]


def test_two_at_once_write_side_by_side():
    store, one, other = store_of(20), FeatureCache("key", WIDTH), FeatureCache("key", WIDTH)
    one.compute(Network(), store, np.arange(12))
    other.compute(Network(), store, np.arange(8, 20))
    assert len(list(one.folder.glob("*.features"))) == 2
    assert (
        one.missing(store, np.arange(20)).size == 0
    )  # what was computed since it was opened is seen too
    both = FeatureCache("key", WIDTH)
    assert both.missing(store, np.arange(20)).size == 0
    assert np.allclose(both.gather(store, np.arange(20)), wanted(store), rtol=1e-6)


def test_what_another_process_goes_on_to_write_is_seen():
    store, reader, writer = store_of(30), FeatureCache("key", WIDTH), FeatureCache("key", WIDTH)
    rows = wanted(store)
    seen = []

    def parts():
        for start in range(0, 30, 10):
            some = slice(start, start + 10)
            yield store.digests[some], rows[some]
            seen.append(30 - reader.missing(store, np.arange(30)).size)

    writer.add(30, parts())
    assert seen == [10, 20, 30]
    found = reader.gather(store, np.arange(30)[::-1])
    assert np.array_equal(found, rows[::-1])


def test_a_file_that_another_process_removes_is_passed_over(monkeypatch):
    store, cache = store_of(9), FeatureCache("key", WIDTH)
    cache.compute(Network(), store, np.arange(9))
    files = [*cache.folder.glob("*.digests"), cache.folder / "gone.digests"]
    monkeypatch.setattr(Path, "glob", lambda *_arguments: iter(files))
    assert not cache.missing(store, np.arange(9)).size
    assert not FeatureCache("key", WIDTH).missing(store, np.arange(9)).size


def test_networks_do_not_share_features():
    store = store_of(3)
    FeatureCache("key", WIDTH).compute(Network(), store, np.arange(3))
    assert FeatureCache("other", WIDTH).missing(store, np.arange(3)).size == 3


def test_many_features_are_gathered_in_a_file_that_leaves_with_them(monkeypatch):
    store, cache = store_of(100), FeatureCache("key", WIDTH)
    cache.compute(Network(), store, np.arange(100))
    order = np.random.default_rng(2).permutation(100)
    expected = cache.gather(store, order)
    monkeypatch.setattr(feature_cache, "IN_MEMORY", 0)
    found = cache.gather(store, order)
    assert isinstance(found, np.memmap)
    assert np.array_equal(found, expected)
    assert cache.gather(store, np.empty(0, np.int64)).shape == (0, WIDTH)
    assert {path.suffix for path in cache.folder.iterdir()} == {".features", ".digests"}
