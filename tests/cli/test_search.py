"""`convlens search` as a user types it."""

import pytest

from convlens.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    with pytest.raises(SystemExit) as stop:
        main(list(words))
    return stop.value.code


def test_search_and_what_it_says(folder, capsys):
    words = ("search", "digits", "--trials", "2", "--epochs", "1", "--vary", "dropout=0..0.5", "--filters", "4")
    assert run(*words, "--run", "s") == 0
    out = capsys.readouterr().out
    assert "varied    dropout: 0 to 0.5" in out
    assert "custom_cnn" in out
    assert "cannot be told apart" in out or "is better than" in out
    assert "tensorboard --logdir" in out
    assert (folder / "runs" / "s" / "plots" / "trials.png").exists()
    assert run("search", "--run", "s", "--resume") == 5
    assert "this search is finished" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("search",), 2, "say what to search on"),
        (("search", "digits", "--vary", "nothing=1,2"), 2, "must name a field"),
        (("search", "digits", "--trials", "1"), 2, "--trials must be at least 2"),
        (("search", "nowhere", "--trials", "2"), 3, "nowhere"),
        (("search", "--resume"), 5, "name the search"),
        (("search", "--run", "x", "--resume", "--trials", "3"), 2, "keeps its configuration"),
    ],
)
def test_mistakes(words, code, message, capsys):
    assert run(*words) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
