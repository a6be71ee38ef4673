"""The words of the microscope page: both languages have the same, and its scripts use no others."""

import re
from importlib.resources import files

from convlens.explain.pages.microscope_words import WORDS


def test_the_page_says_the_same_things_in_both_languages():
    assert set(WORDS["en"]) == set(WORDS["zh"])
    for key, text in WORDS["en"].items():
        assert sorted(re.findall(r"{(\w+)}", text)) == sorted(
            re.findall(r"{(\w+)}", WORDS["zh"][key])
        ), key
    scripts = [
        files("convlens.explain.pages").joinpath(one).read_text(encoding="utf-8")
        for one in ("microscope.js", "microscope_cells.js")
    ]
    used = set(re.findall(r"words\.(\w+)|say\(\"(\w+)\"", "".join(scripts)))
    assert {a or b for a, b in used} <= set(WORDS["en"])
