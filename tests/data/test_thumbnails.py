"""Thumbnails: folders of small copies are told, folders of other images are not."""

import numpy as np
import pytest
from PIL import Image

from convlens.data.sources import load_data
from convlens.data.thumbnails import thumbnail_folders
from convlens.data.walk import walk


def photo(path, seed, side=48):
    """Write a smooth image that differs from those of other seeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    grid = np.random.default_rng(seed).integers(0, 255, (5, 7, 3), dtype=np.uint8)
    Image.fromarray(grid).resize((side * 4 // 3, side), Image.Resampling.BICUBIC).save(path)


@pytest.mark.parametrize(
    "small",
    [
        "cat/thumbs/{}.png",
        "thumbs/cat/{}.jpg",
        "cat_klein/{}.png",
        "cat/previews/thumb_{}.jpg",
        "uploads/{}-32x24.jpg",
        "cat/cache/{}.png/S.jpg",
    ],
)
def test_a_folder_of_thumbnails_is_told(tmp_path, small):
    for seed in range(4):
        photo(tmp_path / "cat" / f"{seed}.png", seed)
        photo(tmp_path / "dog" / f"{seed}.png", 100 + seed)
        photo(tmp_path / small.format(seed), seed, side=24)
    folders = thumbnail_folders(walk(tmp_path).images)
    assert len(folders) == 1
    note = load_data(tmp_path).notes[0]
    assert "look like thumbnails of others" in note
    assert f"of {tmp_path / 'cat' / '0.png'}" in note


def test_a_thumbnail_may_be_cropped(tmp_path):
    for seed in range(4):
        photo(tmp_path / "cat" / f"{seed}.png", seed)
        photo(tmp_path / "dog" / f"{seed}.png", 100 + seed)
        with Image.open(tmp_path / "dog" / f"{seed}.png") as image:
            (tmp_path / "square").mkdir(exist_ok=True)
            image.crop((8, 0, 56, 48)).resize((20, 20)).save(tmp_path / "square" / f"{seed}.png")
    assert list(thumbnail_folders(walk(tmp_path).images)) == [tmp_path / "square"]


def test_smaller_images_of_the_same_names_are_no_thumbnails(tmp_path):
    for seed in range(4):
        photo(tmp_path / "cat" / f"{seed}.png", seed)
        photo(tmp_path / "dog" / f"{seed}.png", 100 + seed, side=24)
        Image.new("L", (20, 20)).save(tmp_path / "dog" / f"dark{seed}.png")
        Image.new("L", (48, 48)).save(tmp_path / "cat" / f"dark{seed}.png")
    photo(tmp_path / "cat" / "small" / "0.png", 0, side=24)
    photo(tmp_path / "cat" / "small" / "1.png", 500, side=24)  # not of 1.png
    (tmp_path / "dog" / "2.png").write_bytes(b"no image")
    assert thumbnail_folders(walk(tmp_path).images) == {}
