"""Other tools that find near-duplicates, each with its own defaults.

python benchmarks/audit_others.py TOOL FOLDER

audit.py runs this with a Python that has the tools installed (pip install imagededup cleanvision
czkawka). It prints the seconds and the pairs of file names as JSON, and exits with 3 where the tool
is missing.
"""

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

CZKAWKA = 15  # bits; "moderately similar" in its documentation


def imagededup(folder: Path) -> Iterable[Any]:
    """Return groups of two, found by perceptual hashes."""
    from imagededup.methods import PHash

    found = PHash(verbose=False).find_duplicates(image_dir=str(folder), recursive=True)
    return [(name, other) for name, others in found.items() for other in others]


def cleanvision(folder: Path) -> Iterable[Any]:
    """Return groups of exact and near duplicates."""
    from cleanvision import Imagelab

    lab = Imagelab(data_path=str(folder))
    lab.find_issues({"exact_duplicates": {}, "near_duplicates": {}}, verbose=False)
    return [group for kind in ("exact", "near") for group in lab.info[f"{kind}_duplicates"]["sets"]]


def czkawka(folder: Path) -> Iterable[Any]:
    """Return groups of similar images."""
    from czkawka import ImageSimilarity

    finder = ImageSimilarity()
    finder.set_directories([folder])
    finder.set_similarity(CZKAWKA)
    return finder.find_similar()


TOOLS: dict[str, Callable[[Path], Iterable[Any]]] = {
    "imagededup": imagededup,
    "cleanvision": cleanvision,
    "czkawka": czkawka,
}


def main(tool: str, folder: Path) -> None:
    """Print what a tool finds in a folder."""
    began = time.perf_counter()
    try:
        groups = TOOLS[tool](folder)
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(3) from error
    seconds = time.perf_counter() - began
    pairs = set()
    for group in groups:
        names = sorted({Path(item).name for item in group})
        pairs.update(itertools.combinations(names, 2))
    print(json.dumps({"seconds": seconds, "pairs": sorted(pairs)}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
