"""Planted marks: photographs of one class get a mark, a network learns them, and maps must find it.

explain_maps.py measures with them; the options are its own.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from explain_images import arrays, photographs
from PIL import Image

from convlens.config import Config
from convlens.data.sources import load_data
from convlens.evaluation.metrics import wilson

SIDE = 64
EPOCHS = 6
MARGIN = 2  # pixels between the mark and the border
COLOUR = (255, 0, 255)  # of the mark


def plant(args: argparse.Namespace, folder: Path) -> None:
    """Write copies of SIDE pixels; those of the first class have a mark in the corner."""
    for split in ("train", "test"):
        first = min(one.name for one in (args.data / split).iterdir() if one.is_dir())
        for path in photographs(args.data, split, 2 * args.count):
            image = np.array(Image.open(path).convert("RGB").resize((SIDE, SIDE)))
            label = path.parent.name
            if label == first:
                image[mark_of(args.mark)] = COLOUR
            place = folder / split / label / f"{path.stem}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place)


def mark_of(side: int) -> tuple[slice, slice]:
    """Return the rows and columns of the mark."""
    place = slice(MARGIN, MARGIN + side)
    return place, place


def trained(args: argparse.Namespace, seed: int) -> tuple[Any, Path]:
    """Return a classifier that has learned the planted images, and their folder.

    The images are planted and the classifier is trained unless they are there.
    """
    from convlens.classifier.classifier import Classifier
    from convlens.pipeline import train

    planted = args.folder / f"mark{args.mark}"
    if not planted.exists():
        plant(args, planted)
    run = args.folder / f"mark{args.mark}-seed{seed}"
    if not (run / "report.json").exists():
        config = Config().replace(epochs=EPOCHS, seed=seed, size=str(SIDE))
        train(load_data(str(planted)), config, run=str(run))
    return Classifier.load(run), planted


def measure_planted(args: argparse.Namespace) -> dict[str, Any]:
    """Return how often the peak lies on the mark and the checks pass."""
    from convlens.maps.deciding import costliest_place
    from convlens.maps.explainer import Explainer
    from convlens.maps.heat import Target

    classifier, planted = trained(args, args.seed)
    explainer = Explainer(classifier)
    found: dict[str, Any] = {"accuracy": classifier.provenance["metrics"]["accuracy"]}
    label = classifier.class_names[0]
    paths = sorted((planted / "test" / label).iterdir())[: args.images]
    mark = np.zeros((SIDE, SIDE), bool)
    mark[mark_of(args.mark)] = True
    for method in args.methods:
        explainer.randomise(method, classifier.examples)
        on_mark = middle = passed = both = placed = 0
        for pixels in arrays(paths, classifier.preprocessing):
            heat = explainer.map(pixels, Target(0), method)
            checked = explainer.check(pixels, heat)
            row, column = heat.peak
            cell = np.zeros(heat.values.shape)
            cell[row, column] = 1
            covers = np.kron(cell, np.ones(np.array(mark.shape) // cell.shape)) > 0
            touches = bool((covers & mark).any())
            large = heat.enlarged(SIDE, SIDE)
            middle += bool(mark.ravel()[large.argmax()])
            on_mark += touches
            passed += checked.drawn
            both += touches and checked.drawn
            place = costliest_place(heat, pixels, explainer.network.logits)
            if place is not None:
                (top, bottom), (left, right) = place.rows, place.columns
                touching = mark[top : bottom + 1, left : right + 1].any()
                placed += checked.drawn and bool(touching)
        n = len(paths)
        counts = {"peak_on_mark": on_mark, "middle_on_mark": middle, "passed": passed, "both": both}
        counts["place_on_mark_and_passed"] = placed
        found[method] = {name: wilson(count, n).to_dict() for name, count in counts.items()}
        found[method]["correlations"] = explainer.randomised[method].correlations
        print(method, {name: f"{count}/{n}" for name, count in counts.items()}, flush=True)
    return found


def measure_beside(args: argparse.Namespace) -> dict[str, Any]:
    """Return how far the peak is from marks in other places, in pixels downwards and to the right.

    The mean over the marks that do not touch the border shows whether the network looks beside its
    positions everywhere.
    """
    from convlens.maps.explainer import Explainer
    from convlens.maps.heat import Target

    classifier, planted = trained(args, args.seed)
    explainer = Explainer(classifier)
    paths = sorted((planted / "test" / classifier.class_names[1]).iterdir())[: args.images]
    images = arrays(paths, classifier.preprocessing)
    starts = np.linspace(MARGIN, SIDE - MARGIN - args.mark, 6).round().astype(int)
    found: dict[str, list[Any]] = {}
    for top in starts:
        for left in starts:
            marked = images.copy()
            marked[:, top : top + args.mark, left : left + args.mark] = COLOUR
            middle = np.array([top, left]) + args.mark / 2
            peaks = []
            for pixels in marked:
                heat = explainer.map(pixels, Target(0), "exact")
                cell = SIDE / np.array(heat.values.shape)
                peaks.append((np.array(heat.peak) + 0.5) * cell - middle)
            found[f"row {top}, column {left}"] = np.mean(peaks, axis=0).round(1).tolist()
    print(found, flush=True)
    return {f"seed {args.seed}": found}


def measure_foreign(args: argparse.Namespace) -> dict[str, Any]:
    """Return how often maps of other networks are refused."""
    from convlens.classifier.classifier import Classifier
    from convlens.maps.explainer import Explainer
    from convlens.maps.heat import Target
    from convlens.maps.randomisation import shuffle

    classifier, planted = trained(args, 0)
    other, _ = trained(args, 1)
    shuffled = Classifier.load(args.folder / f"mark{args.mark}-seed0")
    layers = [layer for layer in shuffled.model.layers if layer.weights]
    shuffle(layers, np.random.default_rng(0))
    explainer = Explainer(classifier)
    paths = sorted((planted / "test" / classifier.class_names[0]).iterdir())[: args.images]
    images = arrays(paths, classifier.preprocessing)
    found: dict[str, Any] = {}
    for name, foreign in {"shuffled": shuffled, "another seed": other}.items():
        stranger = Explainer(foreign)
        for method in args.methods:
            refused = by_deletion = 0
            for pixels in images:
                heat = stranger.map(pixels, Target(0), method)
                checked = explainer.check(pixels, heat)
                refused += not checked.drawn
                by_deletion += not checked.checks[1].passed
            found[f"{name}, {method}"] = {
                "refused": wilson(refused, len(images)).to_dict(),
                "by_deletion": wilson(by_deletion, len(images)).to_dict(),
            }
            print(name, method, refused, by_deletion, len(images), flush=True)
    return found
