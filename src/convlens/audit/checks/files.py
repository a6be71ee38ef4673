"""Files: those that cannot be read, and why; those that are huge, or not what their name says."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

from convlens.audit.finding import Finding, found
from convlens.audit.material import Material
from convlens.data.decoding import CHANGED
from convlens.image_file import MAX_PIXELS
from convlens.language import _, again
from convlens.language_choice import using

# A photograph of a recent telephone has 12 to 50 million pixels; a set of such photographs is no
# mistake, but one of them among thumbnails is.
HUGE_PIXELS = 24_000_000
HUGE_RATIO = 10  # times the median number of pixels
HUGE_BYTES = 50_000_000  # and as many times the median
# What Pillow and its decoders say of files that end too early.
# not translated: the words of Pillow
TRUNCATED = re.compile("truncated|(?:unexpected|premature) end|not processed|incomplete|eof", re.I)
# Formats that share a suffix: telephones write .jpg files with several images in them.
SAME = {"MPO": "JPEG", "DIB": "BMP"}


def check_files(material: Material) -> list[Finding]:
    """Return a finding for each file that cannot be used, or is not what it seems to be."""
    return [*_unreadable(material), *_huge(material), *_wrong_type(material)]


def _unreadable(material: Material) -> list[Finding]:
    dataset = material.dataset
    findings = []
    for index, problem in material.store.problems.items():
        image = dataset.images[index]
        code = reason_of(image, problem) if isinstance(image, Path) else "unreadable"
        action = "look" if code == "changed_file" else "exclude"
        changes = {"level": "error", "action": action}
        findings.append(found(code, dataset, [index], {"problem": problem}, **changes))
    return findings


def reason_of(path: Path, problem: str) -> str:
    """Return the code that says best why a file cannot be read.

    Args:
        path: The file.
        problem: What was said when it was decoded.
    """
    if problem == _(CHANGED).format(path=path):
        return "changed_file"
    try:
        if path.stat().st_size == 0:
            return "empty_file"
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                return "huge_file"
            image.load()
    except FileNotFoundError:
        return "missing_file"
    except Image.DecompressionBombError:
        return "huge_file"
    # Pillow raises almost anything on damaged files.
    except Exception as error:
        problem = str(error)
    with using("en"):
        said = str(again(problem))
    return "truncated" if TRUNCATED.search(said) else "unreadable"


def _huge(material: Material) -> list[Finding]:
    pixels = material.measured("width") * material.measured("height")
    num_bytes = material.measured("bytes")
    if not len(pixels) or isinstance(material.dataset.images, np.ndarray):
        return []
    large = (pixels > HUGE_PIXELS) & (pixels > HUGE_RATIO * np.median(pixels))
    heavy = (num_bytes > HUGE_BYTES) & (num_bytes > HUGE_RATIO * np.median(num_bytes))
    return [
        found(
            "huge_file",
            material.dataset,
            [material.seen[place]],
            {"pixels": int(pixels[place]), "bytes": int(num_bytes[place])},
        )
        for place in np.flatnonzero(large | heavy)
    ]


def _wrong_type(material: Material) -> list[Finding]:
    """Return findings on files whose suffix is that of another format.

    A suffix that no format has says nothing.
    """
    images = material.dataset.images
    if isinstance(images, np.ndarray):
        return []
    by_suffix = Image.registered_extensions()
    findings = []
    for index, word in zip(material.seen, material.words("format"), strict=True):
        format_of_name = by_suffix.get(images[index].suffix.lower())
        if format_of_name is None or _plain(word) == _plain(format_of_name):
            continue
        evidence = {"format": str(word), "format_of_name": format_of_name}
        findings.append(found("wrong_type", material.dataset, [index], evidence))
    return findings


def _plain(name: str) -> str:
    return SAME.get(name, name)
