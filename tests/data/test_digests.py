"""Equal content has equal digests, and what cannot be read has one that nothing else has."""

import hashlib

import numpy as np

from convlens.data.digests import BATCH, digest_of, digest_of_unreadable, digests_of


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path):
    contents = [b"one", b"two", b"one", b""]
    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    found = digests_of(paths)
    assert found.shape == (4, 16)
    for digest, content in zip(found, contents, strict=True):
        assert digest.tobytes() == hashlib.blake2b(content, digest_size=16).digest()


def test_files_that_cannot_be_read_differ_from_each_other(tmp_path):
    (tmp_path / "folder.png").mkdir()
    paths = [tmp_path / "none.png", tmp_path / "folder.png", tmp_path / "zero\0byte.png"]
    found = digests_of(paths)
    assert len(np.unique(found, axis=0)) == 3
    assert [row.tobytes() for row in found] == [digest_of_unreadable(place) for place in range(3)]


def test_images_of_an_array_keep_their_order_over_many_batches():
    images = np.random.default_rng(0).integers(0, 256, (2 * BATCH + 3, 2, 2), np.uint8)
    images[-1] = images[0]
    found = digests_of(images)
    assert found.shape == (len(images), 16)
    for index in (0, BATCH - 1, BATCH, 2 * BATCH + 1):
        assert found[index].tobytes() == digest_of(images[index].tobytes(), index)
    assert (found[-1] == found[0]).all()
    assert len(np.unique(found, axis=0)) == len(images) - 1


def test_digests_can_be_changed_and_no_images_have_none():
    assert digests_of(np.zeros((2, 1, 1), np.uint8)).flags.writeable
    assert digests_of([]).shape == (0, 16)
