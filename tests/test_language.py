"""The language of texts: plural forms, and the same text in another language."""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from convlens import language
from convlens.errors import ConfigError
from convlens.language import again, listed, ngettext, recalled, recorded
from convlens.language_choice import ACCEPTED, using

TEMPLATE = "the language must be one of {known}; found {found!r}."
CHINESE = "語言必須是 en 其中之一，但是指定的是 '法文'。"


def test_a_text_is_translated_when_it_is_made():
    with using("zh_TW"):
        assert language._(TEMPLATE).format(known="en", found="法文") == CHINESE


def test_a_text_is_said_again_in_another_language():
    with using("zh"):
        inner = language._(TEMPLATE).format(known="en", found="法文")
        outer = language._("{text} More.").format(text=inner)
    with using("en"):
        english = "the language must be one of en; found '法文'."
        assert again(inner) == english
        assert again(outer) == english + " More."
        assert again({"notes": [inner, "a note of a user"], "n": 3}) == {
            "notes": [english, "a note of a user"],
            "n": 3,
        }


@pytest.mark.parametrize("kept", [copy.deepcopy, lambda text: pickle.loads(pickle.dumps(text))])
def test_copies_are_said_again_as_well(kept):
    text = kept(language._(TEMPLATE).format(known="en", found="法文"))
    with using("zh"):
        assert again(text) == CHINESE


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (np.int64(3), 3),
        (np.array([1, 2]), [1, 2]),
        ([Path("a"), "b"], ["a", "b"]),
        ((0.5, None), [0.5, None]),
        ({Path("a"): 1}, str({Path("a"): 1})),
    ],
)
def test_what_a_text_holds_is_recorded_as_json_can_hold_it(value, kept):
    said = language._("{value} More.").format(value=value)
    found = recalled(json.loads(json.dumps(recorded(said))))
    assert found.fields["value"] == kept


def test_texts_in_a_list_are_recalled_in_any_language():
    with using("zh"):
        inner = language._(TEMPLATE).format(known="en", found="法文")
        outer = recorded(language._("{text} More.").format(text=[inner]))
    (said,) = recalled(json.loads(json.dumps(outer))).fields["text"]
    assert said == "the language must be one of en; found '法文'."


def test_english_has_two_forms():
    said = [ngettext("{n} image", "{n} images", n).format(n=n) for n in (0, 1, 2)]
    assert said == ["0 images", "1 image", "2 images"]


def test_a_wheel_has_the_catalogue_compiled(tmp_path, monkeypatch):
    with language.CATALOGUE.open("rb") as file:
        known = read_po(file, locale="zh_Hant_TW")
    with (tmp_path / "convlens.mo").open("wb") as file:
        write_mo(file, known)
    monkeypatch.setattr(language, "CATALOGUE", tmp_path / "convlens.po")
    texts = language._translations.__wrapped__("zh")
    assert texts.gettext(TEMPLATE).format(known="en", found="法文") == CHINESE


def test_a_chinese_name_in_a_chinese_text_has_no_space_around_it():
    with using("zh"):
        said = language._("the language must be one of {known}; found {found!r}.")
        assert said.format(known="英文", found="法文").startswith("語言必須是英文其中之一，")
        assert said.format(known="en", found="法文") == CHINESE


def test_a_list_of_a_thousand_names_is_said_again():
    names = [str(number) for number in range(2000)]
    with using("zh"):
        said = listed(names)
        assert said == "、".join(names)
    assert again(said) == ", ".join(names)
    assert (listed([]), listed(["one"])) == ("", "one")


@pytest.mark.parametrize(
    ("template", "fields", "expected"),
    [
        ("以 {name} 代替。", {"name": "digits（手寫數字）"}, "以 digits（手寫數字）代替。"),
        ("以 {name} 代替。", {"name": "digits"}, "以 digits 代替。"),
        ("{one} 與 {other}", {"one": "試驗 0", "other": "試驗 1"}, "試驗 0 與試驗 1"),
        ("共 {n:,} 張", {"n": 5000}, "共 5,000 張"),
        ("找到 {name!r} 檔", {"name": "貓 狗"}, "找到 '貓 狗' 檔"),
        ("類別 {name} 的", {"name": "貓 狗"}, "類別貓 狗的"),
        ("{x[0]} 與 {{}} {share:.1f}", {"x": ["甲"], "share": 0.25}, "甲與 {} 0.2"),
    ],
)
def test_no_blank_stays_between_two_chinese_characters(template, fields, expected):
    text = language._message(template, "an English text")
    assert text.format(**fields) == expected


def test_blanks_of_english_texts_stay():
    with using("en"):
        assert language._("{one} {other}").format(one="貓", other="狗") == "貓 狗"
        assert ngettext("{n} image", "{n} {images}", 2).format(n="二", images="貓") == "二 貓"


def test_a_language_that_is_refused_comes_with_all_names_that_are_accepted():
    with pytest.raises(ConfigError) as error:
        language.known_language("fr")
    assert "must be one of en, en-US, en_US, zh, zh-TW, zh_TW, zh-Hant-TW; found 'fr'" in str(
        error.value
    )
    for name in ACCEPTED:
        assert language.known_language(name) == name[:2]
