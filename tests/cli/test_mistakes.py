"""Words of the command line that make no sense: what is said of each, in both languages."""

import re

import pytest

from tests.cli.commands import run

MISTAKES = [
    ("trai x", "there is no command 'trai'; did you mean train? (convlens --help)"),
    ("--bogus", "there is no option --bogus. (convlens --help)"),
    ("cache trm", "there is no command 'trm'; did you mean trim? (convlens cache --help)"),
    ("cache x", "there is no command 'x'; known: list, trim. (convlens cache --help)"),
    ("train x --bogus", "there is no option --bogus. (convlens train --help)"),
    ("train x --epoch 3", "there is no option --epoch; did you mean --epochs? (convlens train"),
    ("train x --epochs", "--epochs needs a value. (convlens train --help)"),
    ("train x --budget -5m", "found '-5m', which is read as an option as it begins with a dash."),
    ("explain r i --class -dash", "If it is the value, write --class=-dash. (convlens explain"),
    ("train x --budget --epochs 3", "--budget needs a value. (convlens train --help)"),
    ("train x --epochs many", "--epochs must be a whole number; found 'many'."),
    ("train x --val 0,5", "--val must be a number; found '0,5'."),
    ("train x y", "the command takes no further word; found 'y'."),
    ("cache trim 1 2", "no further words; found '1' '2'. (convlens cache trim --help)"),
    ("train x --epochs 3 --epochs 4", "--epochs must be given once; found it several times."),
    ("train x --gradual=maybe", "--gradual is switched on or off without a value; found 'maybe'."),
    ("train x --epochs 1.5", "--epochs must be a whole number; found '1.5'."),
    ("predict x y --top=2.5", "--top must be a whole number; found '2.5'."),
    ("data x --layout foo", "--layout must be one of auto, classes, splits; found 'foo'."),
    ("evaluate", "RUN is missing. (convlens evaluate --help)"),
    ("open --run a b", "--run is given by its flag, so 'b' must be, too: --image b."),
    ("lesson 001 --notebook a b", "--notebook takes at most 1 value; found 2."),
]


@pytest.mark.parametrize(("words", "said"), MISTAKES)
def test_each_mistake_has_a_message_in_english(words, said, capsys):
    assert run(*words.split()) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("error  ")
    assert said in err


@pytest.mark.parametrize("words", [words for words, _ in MISTAKES])
def test_each_mistake_has_a_message_in_chinese(words, capsys):
    assert run(*words.split(), "--language", "zh") == 2
    err = capsys.readouterr().err
    assert err.startswith("錯誤  ")
    # Apart from names, flags and values there is no English.
    assert re.findall(r"[a-z]+ [a-z]+", re.sub(r"convlens[\w -]*|--\w+ \w+|'[^']*'", "", err)) == []
