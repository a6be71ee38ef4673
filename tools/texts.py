"""Texts: find those of the code that cannot be translated, as `make check` does.

    python tools/texts.py [FILE...]

Every string that a user may read is the argument of `_`, `N_` or `ngettext`. A string counts as a
text if it has two words, or if it goes where texts go: into an error, a note, a help or a chart.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROSE = re.compile(r"[A-Za-z]{2,}[,;:.)]* \(?[A-Za-z]{2,}")
WORD = re.compile(r"[A-Za-z]{2,}")
FIELD = re.compile(r"\{[^}]*\}")
MARKED = {"_", "N_", "ngettext"}
# Methods and functions whose strings a user reads, and arguments of any function.
SHOWN = {"note", "say", "counter", "warn", "annotate"}
SHOWN |= {"set_title", "set_xlabel", "set_ylabel", "suptitle", "supxlabel", "supylabel"}
ARGUMENTS = {"help", "title", "xlabel", "ylabel", "supxlabel", "supylabel"}
# Words of matplotlib and of HTML.
OTHERS = {"offset points", "axes fraction", "lower right", "outside lower center"}
TAG = re.compile(r"<[a-z/][^>]*>")
# A comment that says why a string is not translated, at the end of its line or on the line above.
EXEMPT = re.compile(r"# not translated: \w+")


def main(files: list[str]) -> int:
    """Print a line for each text that is not marked, and return the exit code."""
    paths = [Path(file) for file in files] or sorted((ROOT / "src/convlens").rglob("*.py"))
    found = [f"{path}:{line}: {text!r}" for path in paths for line, text in find(path)]
    print("\n".join(found) if found else "every text can be translated")
    if found:
        print("A text must be the argument of _(), N_() or ngettext(), with named fields.")
    return bool(found)


def find(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each string that is a text and is not marked."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    tree = ast.parse(source)
    yield from _hiding(tree)
    silent = set(_silent(tree))
    shown = set(_shown(tree))
    for node in ast.walk(tree):
        if id(node) in silent:
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                part.value
                for part in node.values
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        plain = "" if text in OTHERS else FIELD.sub("", TAG.sub("", text))
        is_text = WORD.search(plain) if id(node) in shown else PROSE.search(plain)
        if is_text and not _is_exempt(lines, node):
            yield node.lineno, text


def _hiding(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the functions that call `_` and use the name for a variable, which fails there."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            nodes = list(ast.walk(function))
            loops = [node.target for node in nodes if isinstance(node, ast.comprehension)]
            inner = {id(node) for target in loops for node in ast.walk(target)}  # scopes apart
            names = [node for node in nodes if isinstance(node, ast.Name) and node.id == "_"]
            contexts = {type(node.ctx) for node in names if id(node) not in inner}
            if contexts == {ast.Load, ast.Store}:
                yield function.lineno, f"{function.name} calls _() and assigns to _"


def _silent(tree: ast.Module) -> Iterator[int]:
    """Yield the ids of strings that are marked, or that only programmers read."""
    for node in ast.walk(tree):
        children: list[ast.AST] = []
        if isinstance(node, ast.Call) and _name(node.func) in MARKED:
            children = list(node.args)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            children = [node.value]  # a docstring
        elif isinstance(node, ast.Assert):
            children = [node]
        elif isinstance(node, ast.keyword) and node.arg == "doc":
            children = [node.value]  # a docstring that is given to a function
        elif isinstance(node, ast.JoinedStr):
            children = list(node.values)  # the f-string stands for its parts
            yield from (id(child) for child in children if isinstance(child, ast.Constant))
            continue
        elif isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            children = [one for one in ast.walk(node.annotation) if isinstance(one, ast.Constant)]
            children = [one for one in children if not _is_in_call(node.annotation, one)]
        for child in children:
            yield from (id(one) for one in ast.walk(child))


def _is_in_call(annotation: ast.AST, constant: ast.AST) -> bool:
    return any(
        constant in list(ast.walk(call))
        for call in ast.walk(annotation)
        if isinstance(call, ast.Call)
    )


def _shown(tree: ast.Module) -> Iterator[int]:
    """Yield the ids of strings that go where a user reads them, however short they are."""
    for node in ast.walk(tree):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            if _name(node.exc.func).endswith("Error"):
                parts = list(node.exc.args)
        elif isinstance(node, ast.Call):
            if _name(node.func) in SHOWN:
                parts = list(node.args[:1])
            parts += [word.value for word in node.keywords if word.arg in ARGUMENTS]
        for part in parts:
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
                part = part.func.value  # the template of .format(...)
            yield id(part)


def _name(function: ast.AST) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _is_exempt(lines: list[str], node: ast.expr) -> bool:
    """Return whether a comment at a string, or above its statement, says why it stays."""
    near = lines[max(node.lineno - 2, 0) : (node.end_lineno or node.lineno)]
    return any(EXEMPT.search(line) for line in near)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
