"""Catalogue: the Chinese texts of convlens, as `make check` and `make catalogue` use them.

python tools/catalogue.py update    add the texts of the code to the catalogue, remove others
python tools/catalogue.py check     fail if a text is missing or wrong
"""

import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
CATALOGUE = ROOT / "src/convlens/locale/zh_Hant_TW/LC_MESSAGES/convlens.po"
GLOSSARY = ROOT / "docs/glossary.md"
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**/card.md", "jinja2")]
# A lesson prints its sentences by `lesson.say` and names axes by `lesson.text`.
LESSON_KEYWORDS = {"say": None, "text": None}
PAGE_KEYWORDS = {"both": None}  # a page has a text in both languages
# A word, a number or a field beside a Chinese character. Fields have a space, too, since
# `convlens.language` takes it away where the value is Chinese.
GLUED = re.compile(r"[\u4e00-\u9fff][A-Za-z0-9{]|[A-Za-z0-9}][\u4e00-\u9fff]")
FOREIGN = "不用的詞"  # in the heading of the table of words that are not used in Taiwan


def main(words: list[str]) -> int:
    """Carry out a command and return the exit code."""
    if words == ["update"]:
        catalogue = read_catalogue()
        catalogue.update(extract(), no_fuzzy_matching=True, update_creation_date=False)
        catalogue.obsolete.clear()
        write_catalogue(catalogue)
        print(f"{CATALOGUE.relative_to(ROOT)}: {len(catalogue)} texts")
        return 0
    if words == ["check"]:
        foreign = foreign_words()
        faults = [
            *find_faults(extract(), read_catalogue(), foreign),
            *find_foreign_words(chinese_files(), foreign),
        ]
        print("\n".join(faults) if faults else "the catalogue has every text")
        return bool(faults)
    print(__doc__)
    return 2


def extract() -> Catalog:
    """Return the English texts of the code, the templates of the pages and the lessons."""
    texts = Catalog(fuzzy=False)
    places = (
        ("src/convlens", DEFAULT_KEYWORDS | PAGE_KEYWORDS),
        ("docs/lessons", DEFAULT_KEYWORDS | LESSON_KEYWORDS),
    )
    for folder, keywords in places:
        for file, _, text, comments, _ in extract_from_dir(
            ROOT / folder, METHODS, keywords=keywords, comment_tags=("Translators:",)
        ):
            texts.add(text, locations=[(f"{folder}/{file}", 0)], auto_comments=comments)
    return texts


def read_catalogue(path: Path = CATALOGUE) -> Catalog:
    """Return the Chinese texts."""
    with path.open("rb") as file:
        return read_po(file, locale="zh_Hant_TW")


def write_catalogue(catalogue: Catalog) -> None:
    """Write the Chinese texts, in the order of the files that have them."""
    for message in catalogue:
        message.locations = sorted({(file, 0) for file, _ in message.locations})
    with CATALOGUE.open("wb") as file:
        write_po(file, catalogue, width=100, sort_by_file=True, include_lineno=False)


def foreign_words() -> list[str]:
    """Return the words that Chinese texts must not have, from the second table of the glossary."""
    page = GLOSSARY.read_text(encoding="utf-8")
    table = page.partition(FOREIGN)[2].partition("\n## ")[0]
    _, *words = re.findall(r"^\| ([\u4e00-\u9fff]+) \|", table, re.MULTILINE)  # without its head
    return words


def chinese_files() -> list[Path]:
    """Return the pages and the lessons, whose Chinese the catalogue does not hold."""
    pages = [ROOT / "README.zh-TW.md", *ROOT.glob("docs/**/*.zh-TW.md")]
    return sorted([*pages, *ROOT.glob("docs/lessons/*.py")])


def find_foreign_words(files: list[Path], foreign: list[str]) -> Iterator[str]:
    """Yield a line for each place of a file that has a word which is not used in Taiwan."""
    for file in files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            for word in foreign:
                if word in line:
                    yield f"{file.name}:{number}: {word} is not used in Taiwan"


def find_faults(texts: Catalog, catalogue: Catalog, foreign: list[str]) -> Iterator[str]:
    """Yield a line for each text that is missing from the catalogue or wrong in it."""
    for text in texts:
        if not text.id:
            continue
        known = catalogue.get(text.id)
        where = ", ".join(sorted({file for file, _ in text.locations}))
        if known is None or not all(_strings(known)):
            yield f"{where}: there is no Chinese text for {text.id!r}"
        elif known.fuzzy:
            yield f"{where}: the Chinese text is fuzzy for {text.id!r}"
        else:
            yield from (f"{where}: {fault}" for fault in _wrong(known, foreign))
    for known in catalogue:
        if known.id and texts.get(known.id) is None:
            yield f"{CATALOGUE.name}: no file has the text {known.id!r} any more"


def _strings(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def _wrong(message: Message, foreign: list[str]) -> Iterator[str]:
    """Yield what is wrong with the Chinese text of a message."""
    wanted = fields(message.id[-1] if isinstance(message.id, tuple) else message.id)
    for text in _strings(message):
        if fields(text) != wanted:
            yield f"the fields must be {wanted} in {text!r}; found {fields(text)}"
        for glued in GLUED.findall(text):
            yield f"there must be a space within {glued!r} in {text!r}"
        for word in foreign:
            if word in text:
                yield f"{word} is not used in Taiwan; found in {text!r}"


def fields(text: str) -> list[str]:
    """Return the fields of a template with their formats, as ["k", "share:.1f"], sorted."""
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        return [f"broken: {error}"]
    return sorted(
        {
            name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
            for _, name, form, conversion in parsed
            if name is not None
        }
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
