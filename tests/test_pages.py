"""The pages name commands, flags, files and headings that exist, and count the networks."""

import re
from functools import cache
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from convlens.cli.app import app
from convlens.cli.commands import COMMANDS
from convlens.zoo.names import NAMES

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("README*.md"), *ROOT.glob("docs/**/*.md")]
LESSONS = [*ROOT.glob("docs/lessons/*.py")]
CODE = re.compile(r"```\w*\n(.*?)```|`([^`]+)`", re.DOTALL)
CALL = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?convlens ([a-z]+)( [a-z]+)?([^#]*)")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
OF_ALL = {"--help", "--language"}
GROUPS = {"cache", "run", "show"}  # commands that have commands of their own


@cache
def flags_of(*command):
    """Return the flags that the help of a command names."""
    screen = StringIO()
    app.help_print(list(command), console=Console(file=screen, width=200))
    return set(FLAG.findall(screen.getvalue()))


def read(page):
    return page.read_text(encoding="utf-8")


def calls(page):
    """Yield the command, its second word and the rest of each call of convlens on a page."""
    for block, span in CODE.findall(read(page)):
        for line in block.splitlines() or [re.sub(r"\n#? *", " ", span)]:
            yield from CALL.findall(line)


def slug(heading):
    """Return the anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", [*PAGES, *LESSONS], ids=str)
def test_every_command_and_flag_on_a_page_exists(page):
    wrong = []
    for command, part, rest in calls(page):
        if command not in COMMANDS:
            wrong.append(command)
            continue
        words = (command, part.strip()) if command in GROUPS and part else (command,)
        unknown = set(FLAG.findall(rest)) - OF_ALL - flags_of(*words)
        wrong += [f"{command} {flag}" for flag in unknown]
    assert wrong == []


def test_the_beginning_of_a_flag_is_no_flag():
    assert "--epochs" in flags_of("train")
    assert "--epoch" not in flags_of("train")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_on_a_page_leads_somewhere(page):
    wrong = []
    for link in re.findall(r"\]\(([^)\s]+)\)", read(page)):
        path, _, anchor = link.partition("#")
        file = page.parent / path if path else page
        if not link.startswith("http") and not file.exists():
            wrong.append(link)
        elif anchor and not link.startswith("http"):
            headings = re.findall(r"^#+ (.*)$", read(file), re.MULTILINE)
            wrong += [] if anchor in map(slug, headings) else [link]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "words"), [("README.md", "networks"), ("README.zh-TW.md", "個網路")]
)
def test_the_readme_counts_the_networks(name, words):
    assert re.search(rf"# {len(NAMES)} {words}", read(ROOT / name))
