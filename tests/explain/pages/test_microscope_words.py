"""The words of the microscope page: its scripts use those of the table, and no others."""

import re
from importlib.resources import files

from convlens.explain.microscope.layer import NOUNS
from convlens.explain.pages.microscope_words import WORDS


def test_the_scripts_use_the_words_of_the_table():
    folder = files("convlens.explain.pages")
    scripts = "".join(
        folder.joinpath(one).read_text(encoding="utf-8")
        for one in ("microscope.js", "microscope_cells.js", "microscope_why.js")
    )
    found = re.findall(r"words\.(\w+)|say\(\"(\w+)\"", scripts)
    used = {a or b for a, b in found} | {"kernel", "weights"}  # by words[...]
    assert used | set(NOUNS) == set(WORDS)


def test_maps_and_numbers_are_called_the_same_in_the_page_and_elsewhere():
    nouns = [noun for noun in NOUNS if noun != "class"]  # a class has a name besides its number
    assert [WORDS[noun] for noun in nouns] == [NOUNS[noun][2] for noun in nouns]
