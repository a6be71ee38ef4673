"""Generated images with the fine texture of photographs, and sets of them."""

from pathlib import Path

import numpy as np
from PIL import Image

from convlens.audit.copy_sets import copy_sets
from convlens.audit.material import Material
from convlens.config import DataConfig
from convlens.data.dataset import Dataset
from convlens.data.input_shape import choose_preprocessing
from convlens.data.sources import load_data
from convlens.data.store import open_store

SIZE = (72, 96)  # height and width


def photograph(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """Return smooth patches of colour with fine noise on them, different for each seed."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(30, 226, (6, 8, 3), np.uint8))
    smooth = np.asarray(coarse.resize((size[1], size[0]), Image.Resampling.BICUBIC), np.int16)
    noise = rng.normal(0, 12, smooth.shape)
    return Image.fromarray(np.clip(smooth + noise, 0, 255).astype(np.uint8))


def make_set(
    folder: Path, count: int = 40, classes: tuple[str, ...] = ("cat", "dog"), first: int = 0
) -> Path:
    """Write a folder for each class with different photographs, from a first seed on."""
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            image = photograph(first + 1000 * number + i)
            image.save(folder / name / f"{i}.jpg", quality=90)
    return folder


def gathered(source: Path | Dataset) -> Material:
    """Return what the checks look at, without near-duplicates."""
    dataset = source if isinstance(source, Dataset) else load_data(source, for_training=False)
    return Material(dataset, open_store(dataset, choose_preprocessing(dataset, DataConfig())))


def found_by(check, source: Path | Dataset) -> dict[str, list]:
    """Return the findings of a check by code, with the files of each."""
    material = gathered(source)
    takes_sets = check.__name__ in ("check_copies", "check_leaks")
    findings = check(material, copy_sets(material)) if takes_sets else check(material)
    codes: dict[str, list] = {}
    for finding in findings:
        codes.setdefault(finding.code, []).append(finding)
    return codes
