import numpy as np
import pytest
from PIL import ExifTags, Image, ImageFilter

from convlens.data.looks import look_at
from convlens.file_facts import FileFacts
from convlens.preprocess import read_image
from tests.conftest import draw_shape

FACTS = FileFacts("RGB", "PNG")


def look(image):
    return look_at(image, FACTS, 100)


def shape(seed=0, size=(100, 120)):
    return draw_shape("disc", np.random.default_rng(seed), size)


def test_a_flat_image_has_its_brightness_and_neither_contrast_nor_detail():
    seen = look(Image.new("RGB", (80, 60), (200, 100, 50)))
    assert seen["brightness"] == pytest.approx(0.299 * 200 + 0.587 * 100 + 0.114 * 50, abs=0.5)
    assert (seen["width"], seen["height"]) == (80, 60)
    assert seen["contrast"] == pytest.approx(0, abs=1e-3)
    assert seen["sharpness"] == 0
    assert seen["commonest"] == 1
    assert (seen["colours"] == [200, 100, 50]).all()


def test_the_share_of_the_commonest_colour_is_counted():
    image = Image.new("RGB", (64, 64), "white")
    image.paste((0, 0, 0), (0, 0, 64, 16))
    assert look(image)["commonest"] == pytest.approx(0.75, abs=0.02)


def test_grey_images_have_no_colourfulness_whatever_their_mode():
    grey = shape().convert("L")
    assert look(grey)["colourfulness"] == pytest.approx(0, abs=1e-3)
    assert look(grey.convert("RGB"))["colourfulness"] == pytest.approx(0, abs=1e-3)
    assert look(shape())["colourfulness"] > 5


def test_sharpness_is_the_variance_of_the_laplacian_over_that_of_the_grey_levels():
    noise = np.random.default_rng(0).integers(0, 30, (10, 12))
    levels = (5 * (np.arange(12) - 6) ** 2 + noise).astype(np.uint8)
    padded = np.pad(levels.astype(float), 1, mode="reflect")
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    laplacian = around - 4 * padded[1:-1, 1:-1]
    assert laplacian.mean() ** 2 > 1e-3 * laplacian.var()  # which must not count
    expected = laplacian.var() / (1 + levels.var())
    assert look(Image.fromarray(levels))["sharpness"] == pytest.approx(expected, rel=1e-5)


def test_colourfulness_is_that_of_hasler_and_suesstrunk():
    colours = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    colours[..., 0] //= 2  # less red, so that the means of both opponents count
    red, green, blue = colours.astype(float).transpose(2, 0, 1)
    one, other = red - green, (red + green) / 2 - blue
    expected = np.hypot(one.std(), other.std()) + 0.3 * np.hypot(one.mean(), other.mean())
    assert look(Image.fromarray(colours))["colourfulness"] == pytest.approx(expected, rel=1e-5)


def test_a_blurred_image_is_less_sharp_at_any_size_and_contrast():
    blocks = np.random.default_rng(0).integers(0, 256, (15, 20, 3), np.uint8)
    image = Image.fromarray(blocks).resize((800, 600), Image.Resampling.NEAREST)
    sharp = look(image)["sharpness"]
    assert look(image.filter(ImageFilter.GaussianBlur(12)))["sharpness"] < sharp / 5
    faint = Image.eval(image, lambda level: 64 + level // 2)
    assert look(faint)["sharpness"] == pytest.approx(sharp, rel=0.1)


@pytest.mark.parametrize("size", [(30, 40), (100, 120), (700, 900)])
def test_equal_pixels_have_equal_digests_and_others_do_not(size):
    image = shape(size=size)
    known = look(image)["pixels"]
    np.testing.assert_array_equal(look(image.copy())["pixels"], known)
    assert (look(image.transpose(Image.Transpose.ROTATE_180))["pixels"] != known).any()
    changed = image.copy()
    changed.paste((255, 255, 255), (5, 5, 9, 9))
    assert (look(changed)["pixels"] != known).any()
    assert (look(image.resize((size[1], size[0] + 1)))["pixels"] != known).any()


def test_the_grey_reduction_is_the_stretched_image():
    image = Image.linear_gradient("L").resize((90, 200))
    grey = look(image)["grey"].astype(float)
    np.testing.assert_allclose(grey, np.linspace(2, 253, 64)[:, None].repeat(64, 1), atol=3)


def test_what_the_camera_wrote_is_noted(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Canon"
    exif[ExifTags.Base.Model] = "EOS 5D "
    exif[ExifTags.Base.Software] = "Darktable"
    moment = exif.get_ifd(ExifTags.IFD.Exif)
    moment[ExifTags.Base.DateTimeOriginal] = "2026:05:01 12:30:59"
    moment[ExifTags.Base.SubsecTimeOriginal] = "12"
    shape().save(tmp_path / "a.jpg", exif=exif)
    reading = read_image(tmp_path / "a.jpg")
    seen = look_at(reading.image, reading.facts, 1)
    assert seen["camera"] == b"Canon EOS 5D"
    assert seen["software"] == b"Darktable"
    assert seen["taken"] == b"2026:05:01 12:30:59.12"
    assert (seen["mode"], seen["format"]) == (b"RGB", b"JPEG")
