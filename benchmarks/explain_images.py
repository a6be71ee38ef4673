"""Images for the programs that measure explanations."""

from pathlib import Path

import numpy as np

from convlens.preprocess import ImageArray, Preprocessing, prepare


def photographs(data: Path, split: str, count: int) -> list[Path]:
    """Return images of a split, as many of each class, in a fixed order."""
    folders = sorted(one for one in (data / split).iterdir() if one.is_dir())
    each = [sorted(folder.iterdir())[: count // len(folders)] for folder in folders]
    return [path for folder in each for path in folder]


def arrays(paths: list[Path], preprocessing: Preprocessing) -> ImageArray:
    """Return images as a network takes them."""
    return np.stack([prepare(path, preprocessing) for path in paths])
