"""Covered images, the maps that are made of them, and the test by deletion."""

import keras
import numpy as np
import pytest

from convlens.classifier import runtime
from convlens.maps import methods
from convlens.maps.deciding import deciding_regions
from convlens.maps.deletion import AT_ONCE, CHOICES, Deletion, choices_for, delete
from convlens.maps.explainer import Explainer, explainer_of
from convlens.maps.heat import HeatMap, Target
from convlens.maps.network import compute_often
from convlens.maps.perturbing import occlusion_maps, rise_map, windows
from convlens.maps.randomisation import few_draws
from convlens.maps.regions import WINDOW, Regions, covered, covering, first_of
from tests.maps.networks import SIDE, marked, red_finder


@pytest.fixture(scope="module")
def finder():
    return red_finder()


@pytest.mark.parametrize("engine", ["auto", "keras"])
def test_occlusion_equals_predicting_each_image_by_hand(finder, engine):
    model = Explainer(finder).network.model
    logits = runtime.compile_model(model, "float32", engine)
    pixels = marked()
    (heat,) = occlusion_maps(pixels, [Target(1)], logits)
    colour = covering(pixels)
    base = logits(pixels[None])[0, 1]
    falls = np.zeros((15, 15))
    for row in range(15):
        for column in range(15):
            copy = pixels.copy()
            place = slice(2 * row, 2 * row + 4), slice(2 * column, 2 * column + 4)
            copy[place] = colour
            falls[row, column] = float(base) - float(logits(copy[None])[0, 1])
    for row, column in ((0, 0), (0, 15), (15, 0), (15, 15)):  # which one square covers each
        assert heat.values[row, column] == falls[min(row, 14), min(column, 14)]
    inside = falls[5:7, 8:10].mean()
    assert heat.values[6, 9] == pytest.approx(inside, rel=1e-12)


def test_copies_in_memory_do_not_grow_with_the_number_of_choices(finder):
    network = explainer_of(finder).network
    sizes = []

    def logits(images):
        sizes.append(len(images))
        return network.logits(images)

    pixels = marked()
    heat = explainer_of(finder).map(pixels, Target(1), "exact")
    few = delete(heat, pixels, logits, choices=150)
    assert max(sizes) <= AT_ONCE
    assert sum(sizes) == 151
    sizes.clear()
    deciding_regions(heat, pixels, logits, finder.class_names)
    assert max(sizes) <= AT_ONCE
    # The numbers are those of all copies at once.
    regions = Regions.over(SIDE, SIDE)
    first = first_of(regions.order(heat.values), [few.count])
    rows = network.logits(covered(pixels, regions, first)).astype(np.float64)
    assert few.fall == heat.logit - rows[0, 1]


def test_networks_that_change_compute_few_copies_at_once(finder, monkeypatch):
    sizes = []

    def often(model, images):
        sizes.append(len(images))
        return compute_often(model, images)

    monkeypatch.setattr(methods, "compute_often", often)
    network = explainer_of(finder).network
    changing = methods.changing_map_of(network, marked(), Target(1), "occlusion")
    assert max(sizes) <= runtime.KERAS_BATCH
    (fixed,) = occlusion_maps(marked(), [Target(1)], network.logits, step=WINDOW)
    assert sum(sizes) == 65  # the squares side by side, and the image
    np.testing.assert_allclose(changing.values, fixed.values, atol=1e-3)


def test_every_square_covers_four_regions():
    chosen = windows(Regions.over(SIDE, SIDE))
    assert chosen.shape == (225, 256)
    assert set(chosen.sum(axis=1)) == {4}


def test_progress_reaches_the_end(finder):
    seen = []
    logits = explainer_of(finder).network.logits
    occlusion_maps(marked(), [Target(1)], logits, progress=lambda *counts: seen.append(counts))
    assert seen[-1] == (225, 225)


def test_random_masks_measure_the_slope():
    """A logit that is the mean of a region has a map that is high there and flat elsewhere."""

    def logits(images):
        return images[:, :16, 16:, 0].mean(axis=(1, 2))[:, None].astype(np.float32)

    image = np.zeros((32, 32, 1), np.uint8)
    image[:16, 16:] = 255
    values = rise_map(image, Target(0), logits, masks=400).values
    inside = values[:8, 8:].mean()
    values[:8, 8:] = 0
    assert inside > 5 * np.abs(values[8:, :8]).mean()


def test_regions_of_small_and_odd_images():
    assert len(Regions.over(1, 1)) == 1
    odd = Regions.over(7, 33)
    assert (odd.rows, odd.columns) == (3, 16)
    assert set(np.bincount(odd.number.ravel())) <= {4, 6, 9}


def test_order_takes_the_highest_values_of_a_small_map():
    regions = Regions.over(32, 32)
    values = np.array([[0.0, 1.0], [0.0, 0.0]])
    first = regions.order(values)[:16]
    rows, columns = np.divmod(first, 16)
    assert rows.max() < 8 <= columns.min()


def test_covered_regions_have_the_median_colour_and_others_are_kept():
    pixels = marked()
    regions = Regions.over(SIDE, SIDE)
    (copy,) = covered(pixels, regions, first_of(np.arange(256), [16]))
    np.testing.assert_array_equal(copy[2:], pixels[2:])
    np.testing.assert_array_equal(copy[:2], np.broadcast_to(covering(pixels), (2, SIDE, 3)))


def test_p_counts_the_choices_that_fall_as_far():
    falls = np.arange(100.0)
    assert Deletion(99.5, falls, 1).p == pytest.approx(1 / 101)
    assert Deletion(95.0, falls, 1).p == pytest.approx(6 / 101)
    assert Deletion(float("nan"), falls, 1).p == 1.0
    assert Deletion(1.0, np.full(100, np.nan), 1).p == 1.0


def test_random_orders_pass_as_rarely_as_the_level_says():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(16, 16)).repeat(2, 0).repeat(2, 1)

    def logits(images):
        return (images[..., 0] * weights).sum(axis=(1, 2), dtype=np.float64)[:, None]

    passed = 0
    pixels = rng.integers(0, 256, (32, 32, 1), np.uint8)
    for seed in range(200):
        heat = HeatMap("rise", Target(0), rng.normal(size=(16, 16)), logits(pixels[None]).item())
        passed += delete(heat, pixels, logits, seed=seed).p <= 0.05
    assert passed <= 20  # 10 are expected; more than 20 have a probability of 0.0014


def test_pages_with_many_maps_make_more_choices():
    assert choices_for(1) == choices_for(2) == CHOICES
    many = 12
    assert many / (choices_for(many) + 1) <= 0.05


def test_check_of_a_large_network_takes_fewer_images():
    def network(side):
        steps = [keras.Input((side, side, 3)), keras.layers.Conv2D(64, 7, padding="same")]
        return keras.Sequential(steps)

    assert few_draws(network(64)) == 4  # 39 million multiply-adds
    assert few_draws(network(400)) == 2  # 1,505 million


def test_squares_side_by_side_cover_each_region_once_but_for_an_odd_border(finder):
    regions = Regions.over(31, 30)  # 15 x 15
    chosen = windows(regions, step=2)
    assert chosen.sum(axis=0).reshape(15, 15)[:14, :14].tolist() == [[1] * 14] * 14
    pixels = marked()[:31, :30]
    sums = np.array([[1.0, 2.0]])
    (heat,) = occlusion_maps(
        pixels, [Target(1)], lambda images: images.mean(axis=(1, 2, 3))[:, None] * sums, step=2
    )
    assert np.isfinite(heat.values).all()
    assert not heat.values[14].any()
