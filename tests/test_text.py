"""Names that are not UTF-8 become text that can be encoded, and output is never refused."""

import io
import json
import sys

import pytest

from convlens.text import ESCAPE, make_output_lenient, original, printable, wrapped

LATIN_1 = b"gr\xf6\xdfe.png".decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("name", ["größe", "貓", LATIN_1, "\ud800 alone", "a\\b", "", "a\udcc3"])
def test_every_name_can_be_encoded_and_turned_back(name):
    text = printable(name)
    assert text.encode().decode() == text
    assert printable(text) == text
    assert original(text) == name or "\ud800" in name
    assert json.loads(json.dumps(name, ensure_ascii=False).encode(errors=ESCAPE)) == name


def test_names_that_a_locale_without_utf_8_gives_are_read():
    assert printable("caf\udcc3\udca9") == "café"


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("ascii", "2 x 3 = 6 - ? ?? gr\\udcf6\\udcdfe.png"),
        ("cp1252", "2 × 3 = 6 - é ?? gr\\udcf6\\udcdfe.png"),
        ("utf-8", f"2 × 3 = 6 − é 貓狗 {printable(LATIN_1)}"),
    ],
)
def test_output_replaces_what_its_encoding_lacks(monkeypatch, encoding, expected):
    file = io.BytesIO()
    for errors in ("strict", "surrogateescape"):
        stream = io.TextIOWrapper(file, encoding=encoding, errors=errors)
        monkeypatch.setattr(sys, "stdout", stream)
        make_output_lenient()
        stream.write(f"2 × 3 = 6 − é 貓狗 {LATIN_1}")
        stream.flush()
        assert file.getvalue().decode(encoding) == expected
        file.seek(0)
        file.truncate()
        stream.detach()


def test_a_replacement_that_the_user_chose_stays(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="xmlcharrefreplace")
    monkeypatch.setattr(sys, "stdout", stream)
    make_output_lenient()
    assert stream.errors == "xmlcharrefreplace"


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("extraordinary one", 8, ["extraord", "inary", "one"]),
        ("共 5,000 張影像", 8, ["共 5,000", "張影像"]),
        ("把「影像」分類。", 8, ["把「影", "像」分", "類。"]),
        ("影像（images）三", 10, ["影像", "（images）", "三"]),
        ("三 [預設]", 5, ["三", "[預", "設]"]),
        ("32,64|64；可以", 8, ["32,64|6", "4；可以"]),
        ("32,64|64」；可以", 8, ["32,64|6", "4」；可", "以"]),
        ("1234」，", 6, ["123", "4」，"]),
        ("", 8, [""]),
    ],
)
def test_lines_end_at_blanks_and_between_chinese_characters(text, width, lines):
    assert wrapped(text, width) == lines
