"""Features are computed once for each image, kept by content, and survive a kill."""

import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convlens.data.digests import digests_of
from convlens.data.store import Store
from convlens.errors import StorageError
from convlens.transfer import features
from convlens.transfer.backbone import body_of
from convlens.transfer.features import FeatureCache, features_key
from tests.data.damage import DAMAGES
from tests.transfer.backbones import SEEN, assembled

WIDTH = 5
KERNEL = np.random.default_rng(1).normal(size=(12, WIDTH)).astype(np.float32)


class Network:
    """Twelve pixels times a kernel; counts the images it is shown."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.seen += len(images)
        return images.reshape(len(images), -1).astype(np.float32) @ KERNEL


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path))


def store_of(count: int, seed: int = 0) -> Store:
    images = np.random.default_rng(seed).integers(0, 256, (count, 3, 4, 1), np.uint8)
    return Store(images, digests_of(images), {})


def wanted(store: Store) -> np.ndarray:
    return store.images.reshape(len(store.images), -1).astype(np.float32) @ KERNEL


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


@pytest.mark.parametrize("suffix", [".features", ".digests"])
def test_features_that_were_cut_off_are_the_only_ones_lost(suffix):
    store, cache = store_of(10), FeatureCache("key", WIDTH)
    cache.compute(Network(), store, np.arange(10))
    (path,) = cache.folder.glob(f"*{suffix}")
    path.write_bytes(path.read_bytes()[:-3])
    again, network = FeatureCache("key", WIDTH), Network()
    assert again.missing(store, np.arange(10)).tolist() == [9]
    assert again.compute(network, store, np.arange(10)) == network.seen == 1
    assert np.allclose(again.gather(store, np.arange(10)), wanted(store), rtol=1e-6)


@pytest.mark.parametrize("damage", DAMAGES)
def test_features_whose_digests_are_damaged_are_computed_anew(damage):
    store, cache = store_of(10), FeatureCache("key", WIDTH)
    cache.compute(Network(), store, np.arange(10))
    (path,) = cache.folder.glob("*.digests")
    damage(path)
    again = FeatureCache("key", WIDTH)
    again.compute(Network(), store, np.arange(10))
    assert np.allclose(again.gather(store, np.arange(10)), wanted(store), rtol=1e-6)


def test_features_that_garbage_has_replaced_are_computed_anew():
    store, cache = store_of(10), FeatureCache("key", WIDTH)
    cache.compute(Network(), store, np.arange(10))
    (path,) = cache.folder.glob("*.features")
    path.write_bytes(b"\xff" * path.stat().st_size)
    again = FeatureCache("key", WIDTH)
    assert again.compute(Network(), store, np.arange(10)) == 10
    assert np.allclose(again.gather(store, np.arange(10)), wanted(store), rtol=1e-6)


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


def test_a_killed_process_loses_no_more_than_the_batch_under_way(tmp_path):
    code = """
        import os, sys
        sys.path.insert(0, sys.argv[1])
        from tests.transfer.test_features import Network, FeatureCache, WIDTH, store_of
        import numpy as np

        class Killed(Network):
            def __call__(self, images):
                if self.seen == 128:
                    os.kill(os.getpid(), 9)
                return super().__call__(images)

        FeatureCache("key", WIDTH).compute(Killed(), store_of(200), np.arange(200))
    """
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), root], capture_output=True, check=False
    )
    assert done.returncode == -9, done.stderr
    store = store_of(200)
    assert FeatureCache("key", WIDTH).missing(store, np.arange(200)).tolist() == list(
        range(128, 200)
    )


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
    monkeypatch.setattr(features, "IN_MEMORY", 0)
    found = cache.gather(store, order)
    assert isinstance(found, np.memmap)
    assert np.array_equal(found, expected)
    assert cache.gather(store, np.empty(0, np.int64)).shape == (0, WIDTH)
    assert {path.suffix for path in cache.folder.iterdir()} == {".features", ".digests"}


class Full:
    """A file on a disk that takes so many batches and then no more."""

    def __init__(self, file, batches):
        self.file, self.left = file, batches

    def write(self, content):
        if not self.left:
            self.file.write(content[: len(content) // 2])
            raise OSError(28, "No space left on device")
        self.left -= 1
        return self.file.write(content)

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


def test_a_full_disk_keeps_what_there_is_and_names_the_folder(monkeypatch):
    store, cache = store_of(200), FeatureCache("key", WIDTH)
    real = Path.open
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda path, *mode: Full(real(path, *mode), 2))
        with pytest.raises(
            StorageError,
            match=r"No space left on device\. Free some space .*, or set CONVLENS_CACHE",
        ) as full:
            cache.compute(Network(), store, np.arange(200))
    assert str(cache.folder) in str(full.value)
    for one in (cache, FeatureCache("key", WIDTH)):
        left = one.missing(store, np.arange(200))
        assert left[-1] == 199
        assert 200 - 3 * 64 <= len(left) <= 200 - 2 * 64  # half a batch may be whole records


def test_a_full_disk_is_told_when_features_are_gathered(monkeypatch):
    store, cache = store_of(100), FeatureCache("key", WIDTH)
    cache.compute(Network(), store, np.arange(100))
    monkeypatch.setattr(features, "IN_MEMORY", 0)
    real = features.tempfile.TemporaryFile
    monkeypatch.setattr(
        features.tempfile, "TemporaryFile", lambda **options: Full(real(**options), 0)
    )
    with pytest.raises(StorageError, match=r"features of 100 images \(0 MB\) .*; No space left"):
        cache.gather(store, np.arange(100))


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "features").write_text("a file")
    with pytest.raises(
        StorageError, match=r"the features of 10 images \(0 MB\) cannot be written; "
    ):
        FeatureCache("key", WIDTH).compute(Network(), store_of(10), np.arange(10))


def test_the_key_stands_for_what_is_computed_and_nothing_else(file, tmp_path):
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
