"""Small files of the cache end in a checksum, and those of earlier releases in none."""

import pytest

from convlens.data.sealed import checksum_of, read_sealed, seal


def test_a_digit_that_changed_is_noticed(tmp_path):
    path = tmp_path / "facts.json"
    path.write_bytes(b'{"coloured": 10}' + checksum_of(b'{"coloured": 10}'))
    assert read_sealed(path) == b'{"coloured": 10}'
    path.write_bytes(path.read_bytes().replace(b"10}", b"70}"))
    with pytest.raises(ValueError, match=r"facts\.json"):
        read_sealed(path)


def test_a_file_without_a_checksum_gets_one_behind_its_content(tmp_path):
    path = tmp_path / "list.npz"
    path.write_bytes(b"content")
    assert read_sealed(path) == b"content"
    seal(path)
    assert path.read_bytes() == b"content" + checksum_of(b"content")
    assert read_sealed(path) == b"content"
