"""Cards: the images of findings for the page, decoded, reduced, and as a part of the file."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from os import cpu_count

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convlens.audit.aligned import Aligned, align, alignment_text
from convlens.audit.evidence import facts_of, rule_of, rules_of
from convlens.audit.finding import Finding, others_first
from convlens.charts.difference import draw_difference
from convlens.charts.html import data_uri, image_uri
from convlens.charts.images import SMALL
from convlens.data.dataset import Dataset
from convlens.errors import ImageError
from convlens.language import _
from convlens.language_choice import language, speak
from convlens.preprocess import open_image
from convlens.text import printable
from convlens.unit import Unit

SIDE = 224  # pixels of the longest side of an image
GALLERY_SIDE = 160  # likewise of one of many
QUALITY = 82
PER_CODE = 24  # findings of one code that are shown with their images
MOST_BYTES = 12_000_000  # of all images
OTHERS = 2  # copies that are compared with the first image of a finding
GALLERY = 12  # images of a finding on many images
Splits = NDArray[np.str_] | None
COMPARED = (
    *("exact_copy", "same_pixels", "near_duplicate", "flipped_copy", "rotated_copy"),
    *("two_labels", "leaked_copy", "leaked_near_duplicate"),
)


@dataclass(frozen=True)
class Shown:
    """An image of a card.

    Attributes:
        index: Its index in the data set.
        name: Its name in lists.
        label: The name of its class.
        split: "train", "val", "test" or nothing.
        source: The image as a data URI; nothing if it cannot be read.
        is_small: Whether each of its pixels is to be seen.
        difference: The difference from the first image as a data URI, or nothing.
        said: How it was laid over the first image and the mean of the difference, or nothing.
    """

    index: int
    name: str
    label: str
    split: str
    source: str = ""
    is_small: bool = False
    difference: str = ""
    said: str = ""


@dataclass(frozen=True)
class Card:
    """What the page shows of a finding.

    Attributes:
        number: The number of the finding.
        code: Its code.
        level: Its level.
        action: Its action.
        layout: "pair", "image", "gallery" or "text".
        shown: Its images.
        classes: The classes of all of its images, also of those that are not shown.
        splits: Likewise their splits.
        more: The number of its images that are not shown.
        facts: Names and values of what was measured.
        rule: A sentence about it, or nothing.
        rules: Lines that say how classes are told, or none.
    """

    number: int
    code: str
    level: str
    action: str
    layout: str
    shown: tuple[Shown, ...]
    classes: list[str]
    splits: list[str]
    more: int
    facts: list[tuple[str, str]]
    rule: str
    rules: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The bytes of its images."""
        return sum(len(one.source) + len(one.difference) for one in self.shown)


def classes_of(finding: Finding, dataset: Dataset) -> list[str]:
    """Return the classes of the images of a finding."""
    labels = np.unique(dataset.labels[list(finding.indices)])
    return sorted(dataset.class_names[label] for label in labels)


def splits_of(finding: Finding, splits: Splits) -> list[str]:
    """Return the splits of the images of a finding; none where the images have no splits."""
    if splits is None:
        return []
    return [str(split) for split in np.unique(splits[list(finding.indices)])]


def make_cards(
    dataset: Dataset,
    findings: tuple[Finding, ...],
    splits: Splits,
    unit: Unit | str | None = None,
) -> dict[str, list[Card]]:
    """Return the cards of each code, as many as the limits of the page allow.

    The first findings of all codes come before the second ones, so that no code takes all space.

    Args:
        dataset: The images.
        findings: The findings, the worst first.
        splits: (n,) the splits of the images, or None.
        unit: The unit of deep images; None for that of the data set, or of each image.
    """
    unit = dataset.unit if unit is None else unit
    cards: dict[str, list[Card]] = {finding.code: [] for finding in findings}
    ranked = []
    counts = dict.fromkeys(cards, 0)
    for number, finding in enumerate(findings):
        ranked.append((counts[finding.code], number))
        counts[finding.code] += 1
    chosen = sorted(one for one in ranked if one[0] < PER_CODE)
    left = MOST_BYTES

    def make(number: int) -> Card:
        return _card(dataset, number, findings[number], splits, unit)

    workers = cpu_count() or 1
    with ThreadPoolExecutor(workers, initializer=speak, initargs=(language(),)) as pool:
        for start in range(0, len(chosen), 4 * workers):
            if left <= 0:
                break
            numbers = [number for _rank, number in chosen[start : start + 4 * workers]]
            for card in pool.map(make, numbers):
                cards[card.code].append(card)
                left -= card.size
    return cards


def _card(
    dataset: Dataset, number: int, finding: Finding, splits: Splits, unit: Unit | str | None
) -> Card:
    layout = layout_of(finding)
    most = {"pair": 1 + OTHERS, "image": 1, "gallery": GALLERY, "text": 0}[layout]
    indices = [finding.indices[place] for place in others_first(finding)[:most]]
    opened = [_open(dataset, index, unit) for index in indices]
    side = SIDE if layout in ("pair", "image") else GALLERY_SIDE
    shown = tuple(
        Shown(
            index=index,
            name=printable(dataset.file_name(index)),
            label=dataset.class_names[dataset.labels[index]],
            split="" if splits is None else str(splits[index]),
            source="" if image is None else image_uri(image, side, QUALITY),
            is_small=image is not None and max(image.size) <= SMALL,
            **_compared(opened[0], image, finding) if layout == "pair" and place else {},
        )
        for place, (index, image) in enumerate(zip(indices, opened, strict=True))
    )
    return Card(
        number=number,
        code=finding.code,
        level=finding.level,
        action=finding.action,
        layout=layout,
        shown=shown,
        classes=classes_of(finding, dataset),
        splits=splits_of(finding, splits),
        more=len(finding.indices) - len(shown) if layout != "text" else 0,
        facts=facts_of(finding),
        rule=rule_of(finding),
        rules=rules_of(finding),
    )


def layout_of(finding: Finding) -> str:
    """Return how the images of a finding are shown: "pair", "image", "gallery" or "text"."""
    if not finding.indices:
        return "text"
    if finding.code in COMPARED and finding.evidence.get("kind") != "bytes":
        return "pair"
    return "image" if len(finding.indices) == 1 else "gallery"


def _open(dataset: Dataset, index: int, unit: Unit | str | None) -> Image.Image | None:
    """Return an image upright, or None if it cannot be read."""
    try:
        return open_image(dataset.images[index], unit)
    except ImageError:
        return None


def _compared(
    first: Image.Image | None, image: Image.Image | None, finding: Finding
) -> dict[str, str]:
    """Return the difference of an image from the first one, and what is said of it."""
    if first is None or image is None:
        return {}
    content, said = difference_of(first, image, finding)
    return {"difference": data_uri(content, "png"), "said": said}


def difference_of(first: Image.Image, image: Image.Image, finding: Finding) -> tuple[bytes, str]:
    """Return a PNG file of how an image of a finding differs from the first, and what it shows."""
    aligned: Aligned = align(first, image, str(finding.evidence.get("kind", "")))
    said = _("{alignment}; mean difference {mean:.1f} of 255").format(
        alignment=alignment_text(aligned), mean=aligned.mean
    )
    return draw_difference(aligned.difference), said
