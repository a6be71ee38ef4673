import numpy as np
from PIL import Image

from convlens.export.golden import IMAGES, write_examples
from convlens.preprocess import Preprocessing, prepare


def test_the_examples_cover_modes_orientations_and_sizes(tmp_path):
    files = write_examples(tmp_path)
    assert [file.name[3:] for file in files] == list(IMAGES)
    opened = [Image.open(file) for file in files]
    assert {image.mode for image in opened} == {"1", "L", "P", "RGB", "RGBA", "CMYK"}
    turned = {image.getexif().get(0x0112, 1) for image in opened}
    assert turned == {1, 3, 5, 6}
    sides = [side for image in opened for side in image.size]
    assert min(sides) == 1
    assert max(sides) == 1800  # more than 8 times 224, and so decoded at a half
    assert sum(file.stat().st_size for file in files) < 500_000


def test_they_are_the_same_each_time_and_all_differ(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first = write_examples(tmp_path / "a")
    again = write_examples(tmp_path / "b")
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in again]
    pixels = {prepare(file, Preprocessing(16, 16, 3)).tobytes() for file in first}
    assert len(pixels) == len(first)


def test_a_network_of_deep_images_gets_a_deep_example(tmp_path):
    *_, deep = write_examples(tmp_path, (0, 1023))
    values = np.asarray(Image.open(deep))
    assert values.dtype == np.uint16
    assert (values.min(), values.max()) == (0, 1023)
    assert len(write_examples(tmp_path, None)) == len(IMAGES)
