"""Every code has its texts, and stands in the documentation with its level."""

import re
from pathlib import Path

import pytest

from convlens.audit.codes import ACTIONS, CODES, LEVELS

DOCS = Path(__file__).parents[2] / "docs"


def test_every_code_is_a_word_with_a_known_level_and_action():
    assert all(code.islower() and code.isidentifier() for code in CODES)
    assert {code.level for code in CODES.values()} == set(LEVELS)
    assert {code.action for code in CODES.values()} == set(ACTIONS)
    titles = [code.title for code in CODES.values()]
    assert len(set(titles)) == len(titles)
    assert all(code.meaning.endswith(".") and code.advice.endswith(".") for code in CODES.values())


@pytest.mark.parametrize(
    ("page", "names"), [("audit.md", LEVELS), ("audit.zh-TW.md", ("錯誤", "警告", "提醒"))]
)
def test_the_documentation_has_every_code_with_its_level(page, names):
    text = (DOCS / page).read_text(encoding="utf-8")
    levels = dict(zip(names, LEVELS, strict=True))
    told = {}
    for row in re.findall(r"^\| (`[a-z_` ]+) \| ([^|]+) \|", text, re.MULTILINE):
        codes = re.findall(r"`(\w+)`", row[0])
        found = re.split(r"[,、] ?", row[1].strip())
        # A row has one level for all of its codes, or one for each.
        of_codes = found if len(found) > 1 else found * len(codes)
        told |= dict(zip(codes, (levels[one] for one in of_codes), strict=True))
    assert told == {code: one.level for code, one in CODES.items()}
