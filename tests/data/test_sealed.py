"""Small files of the cache end in a checksum, and those of earlier releases in none."""

import pytest

from convlens.data import sealed
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


def test_a_large_file_gets_none(tmp_path, monkeypatch):
    monkeypatch.setattr(sealed, "LARGEST", 6)
    for content in (b"small", b"larger"):
        path = tmp_path / content.decode()
        path.write_bytes(content)
        seal(path)
    assert (tmp_path / "small").read_bytes() == b"small" + checksum_of(b"small")
    assert (tmp_path / "larger").read_bytes() == b"larger" + checksum_of(b"larger")
    (tmp_path / "large").write_bytes(b"too large")
    seal(tmp_path / "large")
    assert (tmp_path / "large").read_bytes() == b"too large"
