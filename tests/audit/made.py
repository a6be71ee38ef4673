"""A small set of images with findings of many kinds, for the tests of the page."""

import numpy as np
from PIL import Image, ImageOps
from sklearn.datasets import load_sample_image

from convlens.audit.finding import found
from convlens.data.dataset import Dataset

CLASSES = ("貓", "<b>dog", "bird")


def make_dataset(folder):
    """Write twelve images of three classes into a folder; one of them cannot be read."""
    whole = Image.fromarray(load_sample_image("flower.jpg")).resize((320, 214))
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    paths = []
    for number in range(12):
        path = folder / f"image {number}.png"
        image = whole.rotate(0).crop((4 * number, 2 * number, 260 + 4 * number, 180 + 2 * number))
        if number in (4, 7):
            image = Image.fromarray(rng.integers(0, 256, (20, 24, 3), np.uint8))
        image.save(path)
        paths.append(path)
    Image.open(paths[0]).resize((128, 89)).save(paths[1])
    ImageOps.mirror(Image.open(paths[2])).save(paths[3])
    paths[5].write_bytes(b"no image")
    labels = np.array([0, 0, 1, 1, 2, 2, 0, 1, 2, 0, 1, 2])
    splits = np.array(["train", "test"] * 6)
    return Dataset(str(folder), "made", paths, labels, CLASSES, splits=splits)


def make_findings(dataset):
    """Return findings of every layout of the page."""
    copies = {"labels": ["貓", "貓"], "splits": ["train", "test"], "difference": 3.25}
    accuracy = {"value": 0.91, "low": 0.85, "high": 0.95, "n": 120}
    leaf = {"if": [["width", ">", 1200.5], ["format", "!=", "PNG"]], "class": "貓"}
    leaf |= {"share": 0.955, "images": 1234}
    rules = {
        "rules": [leaf],
        "accuracy": accuracy,
        "largest_class": 0.35,
        "p": 1e-9,
        "by": ["width", "bytes"],
    }
    return (
        found("unreadable", dataset, [5], {"problem": "no image at all"}),
        found("leaked_near_duplicate", dataset, [0, 1], copies | {"kind": "near"}),
        found("two_labels", dataset, [8, 9, 10, 11], {"kind": "near"}),
        found("exact_copy", dataset, [6, 7], {"kind": "bytes"}),
        found("flipped_copy", dataset, [2, 3], {"kind": "flip"}),
        found("dark", dataset, [4], {"value": 12.5, "never heard of": 3}),
        found("wrong_label", dataset, [7], {"suggested": "貓", "confidence": 0.987}),
        found("leaked_group", dataset, range(12), {"group": "g1"}),
        found("metadata_tells_class", dataset, [], rules),
        found("unequal_classes", dataset, [], {"largest": "貓", "images": [900, 4]}),
    )
