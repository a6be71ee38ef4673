"""Two copies laid over one another: what was done to a photograph is found again."""

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps
from sklearn.datasets import load_sample_image

from convlens.audit.aligned import align, alignment_text


@pytest.fixture(scope="module")
def photograph():
    image = Image.fromarray(load_sample_image("china.jpg"))
    image.thumbnail((320, 320))
    return image


def cropped(image, left, top, right, bottom):
    width, height = image.size
    return image.crop(
        (round(left * width), round(top * height), round(right * width), round(bottom * height))
    )


def test_equal_images_have_no_difference(photograph):
    aligned = align(photograph, photograph.copy(), "near")
    assert np.abs(aligned.difference).max() < 1
    assert alignment_text(aligned) == "aligned as they are"
    assert aligned.difference.shape == (128, 192)


def test_a_smaller_copy_is_enlarged(photograph):
    width, height = photograph.size
    aligned = align(photograph, photograph.resize((width // 2, height // 2)), "near")
    assert aligned.scale == pytest.approx(0.5, abs=0.01)
    assert "scaled by 2.0" in alignment_text(aligned)
    assert aligned.mean < 8


@pytest.mark.parametrize("same_size", [False, True])
def test_a_crop_lies_where_it_was_cut_out(photograph, same_size):
    crop = cropped(photograph, 0.15, 0.1, 1, 0.95)
    if same_size:
        crop = crop.resize(photograph.size)
    aligned = align(photograph, crop, "near")
    assert aligned.covered == pytest.approx(0.85 * 0.85, abs=0.02)
    assert aligned.beyond < 0.02
    assert aligned.mean < 4
    # Nothing is there where the first image was cut off.
    assert np.isnan(aligned.difference[:10]).mean() > 0.9
    assert np.isnan(aligned.difference[20:110, 40:-8]).sum() == 0
    assert "it shows 72 % of the first" in alignment_text(aligned)


def test_the_first_image_may_be_the_crop(photograph):
    aligned = align(cropped(photograph, 0.1, 0, 1, 0.9), photograph, "near")
    assert aligned.covered > 0.97
    assert aligned.beyond == pytest.approx(1 - 0.9 * 0.9, abs=0.02)
    assert "the first shows 81 % of it" in alignment_text(aligned)


@pytest.mark.parametrize(
    ("kind", "turn", "said"),
    [
        ("flip", Image.Transpose.FLIP_LEFT_RIGHT, "mirrored"),
        ("flip", Image.Transpose.FLIP_TOP_BOTTOM, "upside down"),
        ("rotation", Image.Transpose.ROTATE_90, "90° to the right"),
        ("rotation", Image.Transpose.ROTATE_180, "180°"),
        ("rotation", Image.Transpose.ROTATE_270, "90° to the left"),
    ],
)
def test_copies_are_turned_back(photograph, kind, turn, said):
    aligned = align(photograph, photograph.transpose(turn), kind)
    assert np.abs(aligned.difference).max() < 1
    assert said in alignment_text(aligned)


def test_the_difference_has_the_sign_of_the_second_image(photograph):
    grey = ImageOps.grayscale(photograph)
    darker = align(grey, grey.point(lambda level: level * 0.9), "near").difference
    assert -20 < np.nanmean(darker) < -5
    assert np.nanmax(darker) < 2


@pytest.mark.parametrize("size", [(8, 8), (1, 1), (90, 3)])
def test_small_and_blank_images_are_laid_over_one_another_as_they_are(size):
    one = Image.new("L", size, 10)
    aligned = align(one, Image.new("RGB", size, (30, 30, 30)), "near")
    assert np.allclose(aligned.difference, 20)


def test_other_images_are_no_reason_to_fail():
    rng = np.random.default_rng(0)
    one, other = (
        Image.fromarray(rng.integers(0, 256, (60, 80), np.uint8)).filter(
            ImageFilter.GaussianBlur(1)
        )
        for _ in range(2)
    )
    assert align(one, other, "near").mean > 5
