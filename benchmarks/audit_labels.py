"""Find wrong labels of CIFAR-10, beside cleanlab on the same predicted probabilities.

python benchmarks/audit_labels.py DATA --images cifar10.npz --results labels.jsonl
python benchmarks/audit_labels.py DATA --images cifar10.npz --results labels.jsonl --features both

DATA is a folder with cifar10n.npz: labels that people gave the training images (CIFAR-10N, Wei et
al., 2022, arXiv:2110.12088) and the clean ones. The images are in the same order. Every row of the
results is one noise and one draw of images; rows that are there already are not computed again.
Features are those of EfficientNet-Lite0 ("one"), with those of Lite2 beside them ("both", as in
`convlens audit RUN --thorough`), of patches ("patches"), or of Lite0 at a size in pixels ("96").
cleanlab is used where it is installed (pip install cleanlab).
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve

from convlens import backend
from convlens.audit.doubts import find_doubts, wrongness
from convlens.audit.features import (
    BACKBONE,
    features_of_patches,
    thorough_features,
    wanted_features,
)
from convlens.audit.out_of_fold import judge_out_of_fold
from convlens.audit.share import SLACK, SLACK_OF_PATCHES, estimate_share
from convlens.config import Config
from convlens.data.prepared import prepare_data
from convlens.data.sources import load_data
from convlens.screen import Screen
from convlens.transfer.wanted import compute_missing

HUMAN = ("clean_label", "aggre_label", "random_label1", "worse_label")
NOISES = (*HUMAN, "flips 5%", "flips 20%")
FIRST = 10_000  # images
PRECISION = 0.9


def main() -> None:
    """Compute the rows that are missing, and print all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="a folder with cifar10n.npz")
    parser.add_argument("--images", type=Path, help="the images [DATA/cifar10.npz]")
    parser.add_argument("--results", type=Path, required=True, help="a file with a row a line")
    parser.add_argument("--draws", type=int, default=2, help="smaller draws of each size")
    parser.add_argument("--features", default="one", help="one, both, patches or a size [one]")
    parser.add_argument("--noises", nargs="+", default=NOISES, help="some of the noises [all]")
    arguments = parser.parse_args()
    backend.start()
    kind = arguments.features
    features, clusters = describe(arguments.images or arguments.data / "cifar10.npz", kind)
    with np.load(arguments.data / "cifar10n.npz") as file:
        given = {name: file[name][:FIRST].astype(np.int64) for name in HUMAN}
    keys = ("features", "noise", "n", "seed")
    done = {tuple(row[key] for key in keys) for row in read(arguments.results)}
    wanted = [(noise, n, seed) for n, seed in draws(arguments.draws) for noise in arguments.noises]
    for noise, n, seed in wanted:
        if (kind, noise, n, seed) in done:
            continue
        chosen = np.arange(FIRST)
        if n < FIRST:
            chosen = np.sort(np.random.default_rng(seed).permutation(FIRST)[:n])
        truth = given["clean_label"][chosen]
        labels = given[noise][chosen] if noise in given else flipped(truth, noise, seed)
        row = {"features": kind, "noise": noise, "n": n, "seed": seed}
        slack = SLACK_OF_PATCHES if kind == "patches" else SLACK
        row |= measure(features[chosen], labels, truth, clusters[chosen], seed, slack)
        with arguments.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)
    table(read(arguments.results))


def read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of the results so far."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def draws(count: int) -> list[tuple[int, int]]:
    """Return (number of images, seed) of all draws."""
    smaller = [(n, seed) for n in (1000, 3000) for seed in range(count)]
    return [(FIRST, 0), *smaller]


def describe(path: Path, kind: str) -> tuple[Any, Any]:
    """Return the features of a kind, and the clusters, of the first images."""
    prepared = prepare_data(load_data(str(path)), Config())
    first = np.arange(FIRST)
    screen = Screen()
    began = time.process_time()
    if kind == "both":
        found = thorough_features(prepared, first, screen).values
    elif kind == "patches":
        found = features_of_patches(prepared.store.images, first)
    else:
        size = "auto" if kind == "one" else kind
        config = Config().replace(backbone=BACKBONE, size=size)
        wanted = wanted_features(prepared, first, config)
        with screen.counter("features") as progress:
            compute_missing(wanted, progress)
        found = wanted.cache.gather(wanted.prepared.store, first)
    seconds = time.process_time() - began
    print(f"{kind}, {found.shape[1]} features, {seconds:.0f} s of processor time", flush=True)
    return found, prepared.clusters[:FIRST]


def flipped(truth: Any, noise: str, seed: int) -> Any:
    """Return labels of which a share is another class, by chance."""
    rng = np.random.default_rng(seed)
    rate = float(noise.removeprefix("flips ").removesuffix("%")) / 100
    wrong = rng.random(len(truth)) < rate
    return np.where(wrong, (truth + rng.integers(1, 10, len(truth))) % 10, truth)


def measure(
    features: Any, labels: Any, truth: Any, clusters: Any, seed: int, slack: float
) -> dict[str, Any]:
    """Return how well the wrong labels were found."""
    began = time.process_time()
    judged = judge_out_of_fold(features, labels, 10, clusters, seed=seed)
    seconds = time.process_time() - began
    labels = labels[judged.indices]
    wrong = labels != truth[judged.indices]
    rows = judged.probabilities
    share = estimate_share(rows, labels, slack)
    doubts = find_doubts(judged, labels, share)
    row = {
        "processor_seconds": round(seconds, 1),
        "wrong": wrong.mean(),
        "share": share.value,
        "low": share.low,
        "high": share.high,
        "accuracy": (rows.argmax(axis=1) == truth[judged.indices]).mean(),
    }
    for cut in ("wrong", "look"):
        of_cut = [doubt.index for doubt in doubts if cut in (doubt.cut, "look")]
        row[f"{cut}_images"] = len(of_cut)
        row[f"{cut}_precision"] = wrong[of_cut].mean() if of_cut else None
        row[f"{cut}_recall"] = wrong[of_cut].sum() / wrong.sum() if wrong.any() else None
    if wrong.any():
        row |= ranked("convlens", wrong, wrongness(rows, labels))
    return {name: plain(value) for name, value in (row | of_cleanlab(rows, labels, wrong)).items()}


def ranked(name: str, wrong: Any, scores: Any) -> dict[str, float]:
    """Return the average precision, and the recall at a precision of 90 %."""
    precision, recall, _ = precision_recall_curve(wrong, scores)
    return {
        f"{name}_average_precision": average_precision_score(wrong, scores),
        f"{name}_recall_at_90": recall[precision >= PRECISION].max(),
    }


def of_cleanlab(rows: Any, labels: Any, wrong: Any) -> dict[str, Any]:
    """Return what cleanlab finds by the same probabilities; nothing where it is not installed."""
    try:
        from cleanlab.count import estimate_joint
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores
    except ImportError:
        return {}
    joint = estimate_joint(labels, rows)
    issues = find_label_issues(labels, rows, n_jobs=1)
    found: dict[str, Any] = {"cleanlab_share": 1 - np.trace(joint), "cleanlab_images": issues.sum()}
    if wrong.any():
        found["cleanlab_precision"] = wrong[issues].mean() if issues.any() else None
        found["cleanlab_recall"] = wrong[issues].sum() / wrong.sum()
        for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy"):
            scores = get_label_quality_scores(labels, rows, method=method)
            found |= ranked(f"cleanlab_{method}", wrong, -scores)
    return found


def plain(value: Any) -> Any:
    """Return a number of NumPy as one of Python, rounded."""
    value = value.item() if isinstance(value, np.generic) else value
    return round(value, 4) if isinstance(value, float) else value


def table(rows: list[dict[str, Any]]) -> None:
    """Print the rows as a Markdown table."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    print("| " + " | ".join(names) + " |")
    print("|" + "---|" * len(names))
    for row in rows:
        print("| " + " | ".join(str(row.get(name, "")) for name in names) + " |")


if __name__ == "__main__":
    main()
