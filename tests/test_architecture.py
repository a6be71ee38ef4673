"""docs/architecture.md names files that exist, and the layers that import-linter enforces."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_path_on_the_page_exists():
    paths = re.findall(r"`((?:src|tests|docs)/[\w./-]+)`", PAGE)
    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_table_has_the_layers_of_import_linter_in_their_order():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one["type"] == "layers")
    enforced = [part.strip() for layer in layers for part in layer.split("|")]
    rows = re.findall(r"^\| `([\w.]+)` \|", PAGE, re.MULTILINE)
    assert [f"convlens.{row}" for row in rows] == enforced


def test_every_module_lies_in_a_part_of_the_page():
    parts = set(re.findall(r"^\| `([\w.]+)` \|", PAGE, re.MULTILINE))
    sources = ROOT / "src" / "convlens"
    tops = {path.stem if path.suffix == ".py" else path.name for path in sources.iterdir()}
    tops -= {"__init__", "__main__", "__pycache__", "locale", "py", "py.typed"}
    assert {part.split(".")[0] for part in parts} == tops
