"""The words of a worksheet: both languages say the same, and the English fit on the page."""

from string import Formatter

from convlens.explain.pages.worksheet_words import WORDS


def fields(text):
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def test_both_languages_have_the_same_texts_and_fields():
    assert set(WORDS["en"]) == set(WORDS["zh"])
    for key, text in WORDS["en"].items():
        assert fields(text) == fields(WORDS["zh"][key]), key


def test_notes_fit_on_a_line():
    for key in ("rounding", "one_channel", "some_inputs", "some_places", "some_classes"):
        values = dict.fromkeys(fields(WORDS["en"][key]), "1,234")
        assert len(WORDS["en"][key].format(**values)) <= 112, key
