"""`convlens cache` as a user types it."""

from pathlib import Path

from convlens.data.cache import cache_folder
from tests.cli.commands import run

KEY = 32 * "a"


def refuse(*_arguments, **_options):
    raise PermissionError(13, "Permission denied")


def test_the_cache_is_listed_and_trimmed(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path))
    assert run("cache", "list") == 0
    assert "0.0 MB in 0 entries of at most 20,000.0 MB" in capsys.readouterr().out
    (cache_folder() / "store").mkdir()
    (cache_folder() / "store" / f"{KEY}.npy").write_bytes(bytes(2_500_000))
    assert run("cache", "list") == 0
    said = capsys.readouterr().out
    assert "2.5 MB in 1 entry" in said
    assert KEY in said
    assert run("cache", "trim") == 0
    assert "removed    0.0 MB in 0 entries" in capsys.readouterr().out
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        assert run("cache", "trim", "--to", "1MB") == 0
    said = "".join(capsys.readouterr())
    assert "removed    0.0 MB in 0 entries" in said
    assert f"could not be removed: {tmp_path} must be a folder that can be written to" in said
    assert run("cache", "trim", "--to", "1MB") == 0
    assert "removed    2.5 MB in 1 entry" in capsys.readouterr().out
    assert not list((cache_folder() / "store").iterdir())
    assert run("cache", "trim", "--to", "all") == 2
