"""PO file: every text of the catalogue as Babel reads it, signs that are escaped, plural forms."""

import time

import pytest
from babel.messages.pofile import read_po as read_with_babel

from convlens.language import CATALOGUE
from convlens.po_file import read_po

WRITTEN = r"""
msgid ""
msgstr "Language: zh_Hant_TW\n"

#: src/a.py
msgid ""
"a \"{name}\" of\n"
"two\tlines and a \\n"
msgstr "兩行的 \"{name}\"\n"
"與 \\n"

msgid "{n} image"
msgid_plural "{n} images"
msgstr[0] "{n} 張影像"

msgid "not translated"
msgstr ""

#~ msgid "an old text"
#~ msgstr "舊的"
"""


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.po"
    path.write_text(WRITTEN, encoding="utf-8")
    return read_po(path)


def test_escaped_signs_and_texts_of_several_lines(texts):
    assert texts.gettext('a "{name}" of\ntwo\tlines and a \\n') == '兩行的 "{name}"\n與 \\n'


@pytest.mark.parametrize("count", [0, 1, 2])
def test_singular_and_plural_have_one_form(texts, count):
    assert texts.ngettext("{n} image", "{n} images", count) == "{n} 張影像"


def test_a_text_without_a_translation_stays_english(texts):
    for english in ("not translated", "an old text", "unknown"):
        assert texts.gettext(english) == english
    assert [texts.ngettext("{n} cat", "{n} cats", n) for n in (1, 2)] == ["{n} cat", "{n} cats"]


def test_the_catalogue_is_read_as_babel_reads_it():
    with CATALOGUE.open("rb") as file:
        known = read_with_babel(file, locale="zh_Hant_TW")
    texts = read_po(CATALOGUE).texts
    del texts[""]  # the head, which Babel keeps apart
    expected = {}
    for message in known:
        english, *_ = message.id if isinstance(message.id, tuple) else (message.id,)
        chinese, *_ = message.string if isinstance(message.string, tuple) else (message.string,)
        expected[english] = chinese
    del expected[""]
    assert texts == expected
    assert len(texts) > 1500


def test_it_takes_little_time():
    began = time.process_time()
    read_po(CATALOGUE)
    assert time.process_time() - began < 0.1
