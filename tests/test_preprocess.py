import numpy as np
import pytest
from PIL import Image

from convlens.errors import ImageError
from convlens.preprocess import (
    GUESSED,
    Preprocessing,
    can_fit_arrays,
    fit_arrays,
    prepare,
)

GREY = Preprocessing(8, 8, 1)
RGB = Preprocessing(8, 8, 3)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "gif", "webp", "jpg"])
def test_formats_give_the_same_grey_image(tmp_path, suffix):
    values = np.repeat(np.repeat(np.arange(0, 256, 32, dtype=np.uint8)[None], 8, 0), 1, 0)
    options = (
        {"lossless": True} if suffix == "webp" else {"quality": 100} if suffix == "jpg" else {}
    )
    Image.fromarray(values).save(tmp_path / f"p.{suffix}", **options)
    found = prepare(tmp_path / f"p.{suffix}", GREY)
    assert found.shape == (8, 8, 1)
    assert np.abs(found[..., 0].astype(int) - values).max() <= (2 if suffix == "jpg" else 0)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 100, (100, 100, 100)),
        ("RGB", (10, 20, 30), (10, 20, 30)),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("RGBA", (0, 0, 0, 0), (255, 255, 255)),  # transparent becomes white
        ("LA", (50, 255), (50, 50, 50)),
        ("CMYK", (0, 255, 255, 0), (255, 0, 0)),
        ("1", 1, (255, 255, 255)),
    ],
)
def test_modes(mode, colour, expected):
    assert tuple(prepare(Image.new(mode, (8, 8), colour), RGB)[0, 0]) == expected


def test_palette_with_transparency(tmp_path):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    image.save(tmp_path / "p.png", transparency=0)
    assert tuple(prepare(tmp_path / "p.png", RGB)[0, 0]) == (200, 100, 50)


def test_sixteen_bits_keep_their_upper_eight(tmp_path):
    values = np.full((8, 8), 0x8000, np.uint16)
    Image.fromarray(values).save(tmp_path / "p.png")
    Image.fromarray(values).save(tmp_path / "p.tiff")
    assert prepare(tmp_path / "p.png", GREY)[0, 0, 0] == 128
    assert prepare(tmp_path / "p.tiff", GREY)[0, 0, 0] == 128


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
def test_sixteen_bits_are_scaled_alike_whatever_an_image_shows(dtype):
    dark, bright = (Image.fromarray(np.full((8, 8), value, dtype)) for value in (200, 0xC8FF))
    for unit in (GUESSED, (0, 65535)):
        preprocessing = Preprocessing(8, 8, 1, unit=unit)
        assert prepare(dark, preprocessing).max() == 0  # 200 of 65,535, and not 200 of 255
        assert prepare(bright, preprocessing).max() == 0xC8


def test_floats_are_0_to_1_or_0_to_255():
    for top in (1.0, 255.0):
        values = np.linspace(0, top, 64, dtype=np.float32).reshape(8, 8)
        values[0, 0] = np.nan
        for unit in (GUESSED, (0, top), None):
            found = prepare(Image.fromarray(values), Preprocessing(8, 8, 1, unit=unit))
            assert (found[0, 0, 0], found[-1, -1, 0]) == (0, 255)


def test_exif_orientation_is_honoured(tmp_path):
    values = np.zeros((8, 8, 3), np.uint8)
    values[0, :] = 255  # a white top row
    image = Image.fromarray(values)
    exif = image.getexif()
    exif[0x0112] = 3  # upside down
    image.save(tmp_path / "p.png", exif=exif)
    found = prepare(tmp_path / "p.png", RGB)
    assert found[-1].min() == 255
    assert found[0].max() == 0


@pytest.mark.parametrize(
    ("fit", "corner", "middle"), [("stretch", 255, 0), ("crop", 0, 0), ("pad", 0, 0)]
)
def test_fit(fit, corner, middle):
    values = np.zeros((16, 64), np.uint8)
    values[:, :16] = values[:, -16:] = 255  # white at both ends of a wide image
    found = prepare(values, Preprocessing(16, 16, 1, fit))[..., 0]
    assert found[0, 0] == corner
    assert found[8, 8] == middle
    if fit == "pad":
        assert found[8, 0] == 255
        assert (found[:5] == 0).all()


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("shape", [(1, 1000), (1000, 1), (1, 1), (3, 1000)])
def test_a_white_line_is_never_black(fit, shape):
    found = prepare(np.full(shape, 255, np.uint8), Preprocessing(32, 32, 1, fit))
    assert found.max() == 255


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (32, 32, 3), (128, 128, 3)])
@pytest.mark.parametrize("side", [1, 20, 28, 31, 96])
def test_many_arrays_are_resized_as_each_is(fit, shape, side):
    images = np.random.default_rng(0).integers(0, 256, (5, *shape), np.uint8)
    preprocessing = Preprocessing(side, side, 3 if shape[-1] == 3 else 1, fit)
    assert can_fit_arrays(images, preprocessing)
    expected = np.stack([prepare(image, preprocessing) for image in images])
    assert np.array_equal(fit_arrays(images, preprocessing), expected)


@pytest.mark.parametrize(
    ("shape", "preprocessing"),
    [
        ((5, 28, 28), RGB),
        ((5, 28, 28, 3), GREY),
        ((5, 28, 28, 4), RGB),
        ((5, 28, 20), GREY),
        ((5, 28, 28), Preprocessing(8, 6, 1)),
        ((5, 200, 200), GREY),
        ((5, 0, 0), GREY),
    ],
)
def test_other_arrays_are_prepared_one_by_one(shape, preprocessing):
    assert not can_fit_arrays(np.zeros(shape, np.uint8), preprocessing)


def test_arrays_of_more_bits_are_prepared_one_by_one():
    images = np.zeros((5, 28, 28), np.uint8)
    preprocessing = Preprocessing(20, 20, 1)
    assert can_fit_arrays(images, preprocessing)
    assert not can_fit_arrays(images.astype(np.uint16), preprocessing)


def test_arrays_of_other_types_are_refused():
    with pytest.raises(ImageError, match=r"must be uint8.*earlier convlens.*float64"):
        prepare(np.zeros((8, 8)), Preprocessing(8, 8, 1, unit=GUESSED))
    with pytest.raises(ImageError, match=r"must hold numbers.*<U1"):
        prepare(np.full((8, 8), "a"), GREY)
    with pytest.raises(ImageError, match=r"\(8, 8, 2\)"):
        prepare(np.zeros((8, 8, 2), np.uint8), GREY)
