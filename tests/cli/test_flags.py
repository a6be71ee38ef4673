"""The settings as flags, with their help, their page and their values."""

from pathlib import Path

import pytest

from convlens.cli.flags import (
    CompareFlags,
    Flags,
    SearchFlags,
    configure,
    given_flags,
    options_page,
    read_whole_numbers,
    say_what_a_file_sets,
)
from convlens.config import Config, all_settings
from convlens.errors import ConfigError
from convlens.language_choice import using
from tests.cli.commands import run, terminal


def test_help_has_every_setting(capsys, monkeypatch):
    terminal(200, monkeypatch)
    assert run("train", "--help") == 0
    said = capsys.readouterr().out
    for _, item in all_settings():
        assert f"--{item.name.replace('_', '-')}" in said


@pytest.mark.parametrize(("name", "language"), [("options.md", "en"), ("options.zh-TW.md", "zh")])
def test_the_options_page_is_fresh(name, language):
    page = Path(__file__).parents[2] / "docs" / name
    with using(language):
        assert page.read_text(encoding="utf-8") == options_page(), "run `make docs`"


def test_only_flags_that_were_given_change_the_configuration():
    base = Config().replace(epochs=7, filters=(4,))
    assert configure(Flags(), base) == base
    flags = Flags(filters="8, 16,", seed=3)
    assert given_flags(flags) == {"filters": "8, 16,", "seed": 3}
    changed = configure(flags, base)
    assert (changed.model.filters, changed.training.seed, changed.training.epochs) == (
        (8, 16),
        3,
        7,
    )
    with pytest.raises(ConfigError, match="--dense must be whole numbers with commas"):
        configure(Flags(dense="8;16"), base)


def test_what_a_file_sets_because_of_its_own_images_is_said(tmp_path, capsys):
    path = tmp_path / "run.toml"
    decided = Config().replace(size="224x224", fit="crop", channels="rgb", flip=True)
    say_what_a_file_sets(path, decided, ["channels"])
    assert capsys.readouterr().out == (
        f"note  {path} sets --size 224x224, --fit crop, --flip; where this does not suit the "
        "images, give --size auto --fit auto --no-flip\n"
    )
    upright = Config().replace(flip=False, rotate=10)
    say_what_a_file_sets(path, upright, [])
    assert capsys.readouterr().out.endswith(
        "sets --no-flip; where this does not suit the images, give --flip\n"
    )
    say_what_a_file_sets(path, decided, ["size", "fit", "channels", "augment"])
    say_what_a_file_sets(path, Config().replace(epochs=3), [])
    say_what_a_file_sets(None, decided, [])
    assert capsys.readouterr().out == ""


def test_a_command_has_no_flag_for_what_it_decides():
    names = {item.name for _, item in all_settings()}
    assert set(vars(Flags())) == names
    assert names - set(vars(SearchFlags())) == {"snapshots", "workers"}
    decided = {"model", "epochs", "steps_per_epoch", "patience", "snapshots", "workers"}
    assert names - set(vars(CompareFlags())) == decided


def test_the_help_of_a_search_has_its_own_defaults_and_hides_transfer(capsys, monkeypatch):
    terminal(200, monkeypatch)
    assert run("search", "--help") == 0
    said = capsys.readouterr().out
    assert "[custom_cnn]" in said
    assert "--epochs" in said
    assert "--backbone" not in said


@pytest.mark.parametrize(
    ("text", "found"), [("0,3", (0, 3)), (" 2 , 1 ", (2, 1)), ("-1 5", (-1, 5)), ("7", (7,))]
)
def test_commas_and_blanks_separate(text, found):
    assert read_whole_numbers(text, "numbers") == found


@pytest.mark.parametrize(("text", "counts"), [("1.5", ()), ("a,b", ()), ("1", (2,)), ("", (1, 2))])
def test_what_is_wrong_is_told_with_the_flag(text, counts):
    with pytest.raises(ConfigError) as told:
        read_whole_numbers(text, "{flag} must be numbers; found {text!r}.", counts, flag="--at")
    assert str(told.value) == f"--at must be numbers; found {text!r}."
