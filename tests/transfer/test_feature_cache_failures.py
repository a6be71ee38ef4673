"""Features survive a kill, damage and a full disk: what was not whole is computed anew."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from convlens.errors import StorageError
from convlens.transfer import feature_cache
from convlens.transfer.feature_cache import FeatureCache
from tests.data.damage import DAMAGES
from tests.transfer.small_features import WIDTH, Network, store_of, wanted

pytestmark = pytest.mark.usefixtures("own_cache")


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


def test_a_killed_process_loses_no_more_than_the_batch_under_way():
    code = """
        import os, sys
        sys.path.insert(0, sys.argv[1])
        from convlens.transfer.feature_cache import FeatureCache
        from tests.transfer.small_features import WIDTH, Network, store_of
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
    monkeypatch.setattr(feature_cache, "IN_MEMORY", 0)
    real = feature_cache.tempfile.TemporaryFile
    monkeypatch.setattr(
        feature_cache.tempfile, "TemporaryFile", lambda **options: Full(real(**options), 0)
    )
    with pytest.raises(StorageError, match=r"features of 100 images \(0 MB\) .*; No space left"):
        cache.gather(store, np.arange(100))


def test_a_folder_that_cannot_be_made(own_cache):
    own_cache.mkdir()
    (own_cache / "features").write_text("a file")
    with pytest.raises(
        StorageError, match=r"the features of 10 images \(0 MB\) cannot be written; "
    ):
        FeatureCache("key", WIDTH).compute(Network(), store_of(10), np.arange(10))


@pytest.mark.parametrize("moment", ["fromfile", "memmap"])
def test_a_pair_that_another_process_removes_while_it_is_opened_is_passed_over(moment, monkeypatch):
    store, cache = store_of(10), FeatureCache("key", WIDTH)
    cache.compute(Network(), store, np.arange(10))
    real = getattr(np, moment)

    def removed(path, *rest, **options):
        for file in cache.folder.iterdir():
            file.unlink()
        return real(path, *rest, **options)

    monkeypatch.setattr(np, moment, removed)
    assert len(FeatureCache("key", WIDTH).missing(store, np.arange(10))) == 10
