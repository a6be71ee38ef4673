"""The check of the Chinese catalogue: what is missing, fuzzy, stale or foreign fails."""

import pytest
from babel.messages.catalog import Catalog
from tools import catalogue
from tools.catalogue import (
    chinese_files,
    fields,
    find_faults,
    find_foreign_words,
    foreign_words,
)

TEXT = "found {count:,} images in {path}"
CHINESE = "{path} 裡有 {count:,} 張影像"


def faults(chinese: str | None, **options: object) -> list[str]:
    texts = Catalog()
    texts.add(TEXT, locations=[("a.py", 0)])
    known = Catalog(locale="zh_Hant_TW")
    if chinese is not None:
        known.add(TEXT, chinese, **options)
    return list(find_faults(texts, known, ["視頻", "信息"]))


def test_a_right_text_has_no_fault():
    assert faults(CHINESE) == []


@pytest.mark.parametrize(
    ("chinese", "options", "fault"),
    [
        (None, {}, "a.py: there is no Chinese text"),
        ("", {}, "a.py: there is no Chinese text"),
        (CHINESE, {"flags": ["fuzzy"]}, "a.py: the Chinese text is fuzzy"),
        ("{path} 裡有影像", {}, "the fields must be ['count:,', 'path']"),
        ("{path} 裡有 {count} 張影像", {}, "found ['count', 'path']"),
        ("{path} 裡有 {count:, 張影像", {}, 'found ["broken'),
        ("{path}裡有 {count:,} 張影像", {}, "there must be a space within '}裡'"),
        ("{path} 裡有 {count:,} 張JPEG", {}, "there must be a space within '張J'"),
        (CHINESE + "的信息", {}, "信息 is not used in Taiwan"),
    ],
)
def test_a_wrong_text_is_found(chinese, options, fault):
    (found,) = faults(chinese, **options)
    assert fault in found


def test_a_text_that_is_not_used_any_more_is_found():
    known = Catalog(locale="zh_Hant_TW")
    known.add("an old text", "舊的")
    (found,) = find_faults(Catalog(), known, [])
    assert "no file has the text 'an old text' any more" in found


def test_fields_have_their_formats():
    assert fields("{a} {b:.1f} {c!r} {{d}} {a}") == ["a", "b:.1f", "c!r"]


def test_texts_are_found_in_code_pages_and_lessons():
    files = {file for text in catalogue.extract() for file, _ in text.locations}
    assert "src/convlens/language.py" in files
    assert "src/convlens/report/report.html" in files
    assert "docs/lessons/001_mnist.py" in files


def test_the_glossary_names_foreign_words():
    words = foreign_words()
    assert {"視頻", "信息", "默認"} <= set(words)
    assert "不用" not in words  # the head of the table


def test_a_foreign_word_on_a_page_is_found(tmp_path):
    page = tmp_path / "README.zh-TW.md"
    page.write_text("# 影像\n\n一個視頻，一張影像\n", encoding="utf-8")
    assert list(find_foreign_words([page], ["視頻", "信息"])) == [
        "README.zh-TW.md:3: 視頻 is not used in Taiwan"
    ]


def test_the_pages_and_lessons_in_chinese_have_no_foreign_words():
    files = chinese_files()
    assert {"README.zh-TW.md", "options.zh-TW.md", "001_mnist.py"} <= {one.name for one in files}
    assert list(find_foreign_words(files, foreign_words())) == []
