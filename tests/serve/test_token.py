"""A token file that is missing, empty or open to others is refused in one line."""

import os

import pytest

from convlens.errors import ConfigError
from convlens.serve.token import read_token


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "token"
    path.write_text("0123abcd\n")
    path.chmod(0o600)
    return path


def test_the_token_is_the_word_in_the_file(file):
    assert read_token(file) == "0123abcd"
    file.chmod(0o400)
    assert read_token(file) == "0123abcd"


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o602, 0o620])
def test_others_may_not_read_it(file, mode):
    file.chmod(mode)
    with pytest.raises(ConfigError, match=f"its mode is {mode:o}.*chmod 600"):
        read_token(file)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
def test_the_group_may_read_what_systemd_gives_to_the_service(file, tmp_path, monkeypatch):
    file.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_token(file) == "0123abcd"
    for mode in (0o444, 0o460, 0o450):
        file.chmod(mode)
        with pytest.raises(ConfigError, match=f"its mode is {mode:o}"):
            read_token(file)
    file.chmod(0o440)
    (tmp_path / "credentials").mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    with pytest.raises(ConfigError, match="its mode is 440"):  # it lies elsewhere
        read_token(file)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    if file.stat().st_uid != 0:
        with pytest.raises(ConfigError, match="its mode is 440"):  # it is another user's
            read_token(file)
    else:
        assert read_token(file) == "0123abcd"


@pytest.mark.parametrize("content", [b"", b"\n \n", b"two words", b"two\nlines", "鑰匙".encode()])
def test_it_must_hold_one_word(file, content):
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="must hold one word"):
        read_token(file)


def test_it_must_be_readable(file, tmp_path):
    with pytest.raises(ConfigError, match="cannot be read; No such file"):
        read_token(tmp_path / "missing")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_token(tmp_path)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_token(file)
