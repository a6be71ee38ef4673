"""The choice of a language: by the environment, by the locale of the system, and by a program."""

import locale

import pytest

from convlens.errors import ConfigError
from convlens.language import set_language
from convlens.language_choice import language, using

VARIABLES = ("CONVLENS_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture
def environment(monkeypatch):
    """Return a function that sets these variables of the locale and no others."""

    def set_variables(**variables: str) -> None:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    monkeypatch.setattr(locale, "getlocale", lambda: (None, None))
    return set_variables


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "zh_Hant_HK"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "zh_TW.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_TW:en"}, "zh"),
        ({"LANG": "C", "LANGUAGE": "zh_TW"}, "en"),
        ({"LANG": "zh_TW.UTF-8", "CONVLENS_LANG": "en"}, "en"),
        ({"LANG": "en_US.UTF-8", "CONVLENS_LANG": "zh"}, "zh"),
        ({"LANG": "zh_TW.UTF-8", "CONVLENS_LANG": ""}, "zh"),
    ],
)
def test_the_environment_chooses_the_language(environment, variables, expected):
    environment(**variables)
    assert language() == expected


def test_windows_names_its_locale_in_words(environment, monkeypatch):
    environment()
    monkeypatch.setattr(locale, "getlocale", lambda: ("Chinese (Traditional)_Taiwan", "950"))
    assert language() == "zh"


def test_a_choice_wins_over_the_environment_and_ends_with_its_context(environment):
    environment(LANG="zh_TW.UTF-8")
    with using("en"):
        assert language() == "en"
    assert language() == "zh"


@pytest.mark.parametrize("wrong", ["fr", "", "z", "chinese"])
def test_an_unknown_language_is_refused(wrong):
    with pytest.raises(ConfigError, match=r"must be one of en, en-US, .* zh-TW, .*; found"):
        set_language(wrong)
