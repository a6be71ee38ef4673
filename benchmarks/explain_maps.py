"""Measure the maps of `convlens explain` and their checks on real images.

python benchmarks/explain_maps.py PART --data DATA --results FILE.json [...]

DATA is a folder of labelled images with train/ and test/. Results of earlier parts are kept.
    sums     the additivity error over the networks of the registry that allow an exact map, on 100
             images each; --only NAME measures one network.
    planted  a mark is planted into the corner of one class, and small_resnet learns the copies
             (--mark PIXELS, --seed N): how often the peak of the map lies on the mark, how often
             the place does whose covering costs most, and how often the checks pass.
    beside   the same network and photographs of the other class with the mark in 36 places: how far
             the middle of the cell with the peak is from the middle of the mark.
    foreign  maps made for a network with shuffled weights, and for one of another seed, are offered
             for the first network of `planted`: how often they are refused.
    shuffled the rank correlations of the randomisation check, also of maps that must fail it.
    deletion how often maps pass the deletion test: exact ones, and the same with their cells in
             random order.
    time     one image with its exact map and its checks, with small_resnet at 64 pixels and
             efficientnet_lite0 at 224.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from convlens import backend
from convlens.config import Config
from convlens.data.sources import load_data
from convlens.evaluation.metrics import wilson
from convlens.files import write_atomically
from convlens.preprocess import ImageArray, Preprocessing, prepare

SIDE = 64
EPOCHS = 6
MARGIN = 2  # pixels between the mark and the border
IMAGES = 200


def photographs(data: Path, split: str, count: int) -> list[Path]:
    """Return images of a split, as many of each class, in a fixed order."""
    folders = sorted(one for one in (data / split).iterdir() if one.is_dir())
    each = [sorted(folder.iterdir())[: count // len(folders)] for folder in folders]
    return [path for folder in each for path in folder]


def arrays(paths: list[Path], preprocessing: Preprocessing) -> ImageArray:
    """Return images as a network takes them."""
    return np.stack([prepare(path, preprocessing) for path in paths])


def measure_sums(args: argparse.Namespace) -> dict[str, Any]:
    """Return the largest additivity error of each network."""
    from convlens.classifier.assembly import assemble
    from convlens.classifier.classifier import Classifier
    from convlens.maps.ending import NoEnding
    from convlens.maps.exact import additivity_error, exact_map, read_terms
    from convlens.maps.heat import Target
    from convlens.maps.network import OpenedNetwork, compute
    from convlens.zoo.create import build
    from convlens.zoo.registry import list_models, model_info

    paths = photographs(args.data, "test", 100)
    found: dict[str, Any] = {}
    for name in [args.only] if args.only else list_models():
        info = model_info(name)
        preprocessing = Preprocessing(*info.input_shape, scale=info.scale)
        classes = info.num_classes
        model = assemble(partial(build, name, num_classes=classes), preprocessing, classes, name)
        if len(model.outputs) > 1:  # without auxiliary heads, as a classifier has it
            import keras

            model = keras.Model(model.input, model.outputs[0], name=name)
        names = tuple(map(str, range(classes)))
        network = OpenedNetwork.of(Classifier.from_logits(model, names, preprocessing))
        if isinstance(network.ending, NoEnding):
            print(name, network.ending, flush=True)
            continue
        images = arrays(paths, preprocessing)
        worst = []
        for start in range(0, len(images), 10):
            features, logits = compute(network.exact_body, images[start : start + 10])
            for one, row in zip(features, logits, strict=True):
                target = Target(int(row.argmax()))
                heat = exact_map(read_terms(network.sum, target), one, row, target)
                worst.append(additivity_error(heat))
        found[name] = {"worst": max(worst), "images": len(worst), "map": list(heat.values.shape)}
        print(name, found[name], flush=True)
    return found


def plant(args: argparse.Namespace, folder: Path) -> None:
    """Write copies of SIDE pixels; those of the first class have a mark in the corner."""
    for split in ("train", "test"):
        for path in photographs(args.data, split, 2 * args.count):
            image = np.array(Image.open(path).convert("RGB").resize((SIDE, SIDE)))
            label = path.parent.name
            if label == sorted(one.name for one in (args.data / split).iterdir())[0]:
                image[mark_of(args.mark)] = (255, 0, 255)
            place = folder / split / label / f"{path.stem}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place)


def mark_of(side: int) -> tuple[slice, slice]:
    """Return the rows and columns of the mark."""
    place = slice(MARGIN, MARGIN + side)
    return place, place


def trained(args: argparse.Namespace, seed: int) -> Any:
    """Return the classifier that has learned the planted images, trained if it is not there."""
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
            marked[:, top : top + args.mark, left : left + args.mark] = (255, 0, 255)
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


def open_classifier(args: argparse.Namespace) -> Any:
    """Return the classifier of --run, or efficientnet_lite0 for ImageNet."""
    from convlens.classifier.classifier import Classifier
    from convlens.classifier.pretrained import pretrained_classifier

    return Classifier.load(args.run) if args.run else pretrained_classifier("efficientnet_lite0")


def measure_shuffled(args: argparse.Namespace) -> dict[str, Any]:
    """Return the rank correlations of methods, and of maps that do not depend on learning."""
    import cv2

    from convlens.maps.explainer import Explainer
    from convlens.maps.heat import HeatMap, Target
    from convlens.maps.network import OpenedNetwork, compute
    from convlens.maps.randomisation import randomise

    classifier = open_classifier(args)
    explainer = Explainer(classifier)
    images = arrays(photographs(args.data, "test", 24)[::2], classifier.preprocessing)

    def edges(network: OpenedNetwork, pixels: ImageArray, target: Target) -> HeatMap:
        grey = pixels.astype(np.float64).mean(axis=2)
        slope = np.hypot(cv2.Sobel(grey, cv2.CV_64F, 1, 0), cv2.Sobel(grey, cv2.CV_64F, 0, 1))
        return HeatMap("occlusion", target, cv2.resize(slope, (16, 16)), 0.0)

    def strength(network: OpenedNetwork, pixels: ImageArray, target: Target) -> HeatMap:
        features = compute(network.parts[0], pixels[None])[0][0]
        return HeatMap("occlusion", target, np.linalg.norm(features, axis=2), 0.0)

    def first_component(network: OpenedNetwork, pixels: ImageArray, target: Target) -> HeatMap:
        features = compute(network.parts[0], pixels[None])[0][0]
        rows = features.reshape(-1, features.shape[2])
        vector = np.linalg.svd(rows, full_matrices=False)[2][0]  # as Eigen-CAM, not centred
        values = (rows @ vector).reshape(features.shape[:2])
        return HeatMap("occlusion", target, np.maximum(values * np.sign(values.sum()), 0), 0.0)

    found: dict[str, Any] = {}
    for method in args.methods:
        found[method] = explainer.randomise(method, images).correlations
        print(method, np.round(found[method], 2), flush=True)
    others = {"edges of the image": edges, "strength of the features": strength}
    for name, make in (others | {"Eigen-CAM": first_component}).items():
        found[name] = randomise(explainer.network.model, name, make, images).correlations
        print(name, np.round(found[name], 2), flush=True)
    return found


def measure_deletion(args: argparse.Namespace) -> dict[str, Any]:
    """Return how often maps pass the deletion test, and maps in random order."""
    from dataclasses import replace

    from convlens.maps.deletion import delete
    from convlens.maps.explainer import Explainer
    from convlens.maps.heat import Target

    classifier = open_classifier(args)
    explainer = Explainer(classifier)
    paths = photographs(args.data, "test", 2 * args.images)[::2]
    rng = np.random.default_rng(0)
    own: list[float] = []
    mixed: list[float] = []
    for pixels in arrays(paths, classifier.preprocessing):
        best = int(explainer.network.logits(pixels[None])[0].argmax())
        heat = explainer.map(pixels, Target(best), args.methods[0])
        own.append(delete(heat, pixels, explainer.network.logits).p)
        values = rng.permutation(heat.values.ravel()).reshape(heat.values.shape)
        mixed.append(delete(replace(heat, values=values), pixels, explainer.network.logits).p)
    found: dict[str, Any] = {"method": args.methods[0], "images": len(paths)}
    for name, values in {"own order": own, "random order": mixed}.items():
        passed = int((np.array(values) <= 0.05).sum())
        found[name] = wilson(passed, len(paths)).to_dict()
        print(name, wilson(passed, len(paths)), flush=True)
    return found


def measure_time(args: argparse.Namespace) -> dict[str, Any]:
    """Return the seconds of an explanation with its checks."""
    from convlens.maps.explainer import Explainer

    classifier = open_classifier(args)
    explainer = Explainer(classifier)
    paths = photographs(args.data, "test", 6)
    began = time.perf_counter()
    explainer.explain(paths[0])
    first = time.perf_counter() - began
    seconds = []
    for path in paths[1:]:
        began = time.perf_counter()
        explainer.explain(path)
        seconds.append(time.perf_counter() - began)
    found = {
        "network": classifier.model.name,
        "input": classifier.preprocessing.shape,
        "engine": explainer.network.compiled.engine,
        "first_image_seconds": first,
        "median_seconds": statistics.median(seconds),
        "slowest_seconds": max(seconds),
    }
    print(found, flush=True)
    return found


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "sums": measure_sums,
    "planted": measure_planted,
    "beside": measure_beside,
    "foreign": measure_foreign,
    "shuffled": measure_shuffled,
    "deletion": measure_deletion,
    "time": measure_time,
}


def main() -> None:
    """Measure one part and add it to the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--folder", type=Path, default=Path("explain_maps"))
    parser.add_argument("--run", help="a run; by default efficientnet_lite0 for ImageNet")
    parser.add_argument("--only", help="a network of the registry")
    parser.add_argument("--mark", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000, help="planted images of a class")
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--methods", nargs="+", default=["exact"])
    args = parser.parse_args()
    backend.start()
    key = " ".join(filter(None, (args.part, args.run, args.only)))
    if args.part in ("planted", "beside", "foreign"):
        key += f" mark {args.mark}"
    if args.part in ("planted", "beside"):
        key += f" seed {args.seed}"
    found = PARTS[args.part](args)
    results = json.loads(args.results.read_text()) if args.results.exists() else {}
    results[key] = {**results.get(key, {}), **found}
    write_atomically(args.results, json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
