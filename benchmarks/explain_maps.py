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
from pathlib import Path
from typing import Any

import numpy as np
from explain_images import arrays, photographs
from explain_planted import measure_beside, measure_foreign, measure_planted
from exports_zoo import random_network

from convlens import backend
from convlens.evaluation.metrics import wilson
from convlens.files import write_atomically
from convlens.preprocess import ImageArray


def measure_sums(args: argparse.Namespace) -> dict[str, Any]:
    """Return the largest additivity error of each network."""
    from convlens.classifier.classifier import Classifier
    from convlens.maps.ending import NoEnding
    from convlens.maps.exact import additivity_error, exact_map, read_terms
    from convlens.maps.heat import Target
    from convlens.maps.network import OpenedNetwork, compute
    from convlens.zoo.registry import list_models

    paths = photographs(args.data, "test", 100)
    found: dict[str, Any] = {}
    for name in [args.only] if args.only else list_models():
        model, preprocessing = random_network(name)
        names = tuple(map(str, range(model.output_shape[-1])))
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
    parser.add_argument("--images", type=int, default=200)
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
