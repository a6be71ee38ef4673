"""Plain images of one size and one time, which the tests of the store share."""

import os

from PIL import Image

from convlens.preprocess import Preprocessing

WANTED = Preprocessing(8, 8, 3)


def plain_images(folder):
    """Write a class of dark and one of bright images as BMP files of one size and one time."""
    for name, value in (("dark", 10), ("bright", 200)):
        (folder / name).mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (8, 8), (value, number, 0)).save(folder / name / f"{number}.bmp")
    freeze(folder)


def freeze(folder):
    """Give all files the time that a reproducible archive gives them."""
    for path in folder.rglob("*.bmp"):
        os.utime(path, (315532800, 315532800))
