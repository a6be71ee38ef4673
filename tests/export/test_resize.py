"""The resize inside exported networks: the pixels of Pillow, for images of any size."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from convlens.preprocess import Preprocessing, fit_image

slow = pytest.mark.slow
EACH = ["onnx", "openvino"]
# One network for each way to fit, in sizes that are squares, upright and wide.
CASES = {
    "stretch": Preprocessing(33, 47, 3),
    "crop": Preprocessing(24, 20, 3, fit="crop"),
    "pad": Preprocessing(40, 64, 1, fit="pad"),
}
# The layer alone as a network in both formats; the program runs with TensorFlow under Keras.
PROGRAM = """
import json, sys
from pathlib import Path
import keras
from convlens import backend
from convlens.export import convert
from convlens.export.resize import Resized
from convlens.preprocess import Preprocessing
backend.start("tensorflow")
for name, facts in json.loads(sys.argv[1]).items():
    images = keras.Input((None, None, facts["channels"]), dtype="uint8", name="images")
    model = keras.Model(images, Resized(Preprocessing.from_dict(facts))(images))
    model(keras.ops.zeros((1, 3, 5, facts["channels"]), "uint8"))
    place = Path(sys.argv[2]) / name
    model.export(str(place) + ".onnx", format="onnx", verbose=False, opset_version=convert.OPSET)
    convert._write_openvino(model, place.with_suffix(".xml"), {})
"""


@pytest.fixture(scope="module")
def resized(tmp_path_factory):
    """Return a function that resizes one image as an exported network does."""
    import onnxruntime
    import openvino

    place = tmp_path_factory.mktemp("resized")
    facts = json.dumps({name: seen.to_dict() for name, seen in CASES.items()})
    subprocess.run(
        [sys.executable, "-c", PROGRAM, facts, str(place)],
        check=True,
        capture_output=True,
        env=os.environ | {"KERAS_BACKEND": "tensorflow"},
    )
    engines = {}
    for name in CASES:
        session = onnxruntime.InferenceSession(place / f"{name}.onnx")
        settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        engines["onnx", name] = session
        engines["openvino", name] = openvino.Core().compile_model(
            place / f"{name}.xml", "CPU", settings
        )

    def run(to, name, images):
        engine = engines[to, name]
        if to == "onnx":
            return engine.run(None, {engine.get_inputs()[0].name: images})[0]
        return engine(images)[0]

    return run


def expected(image, seen):
    """Return what Pillow makes of an array."""
    return fit_image(Image.fromarray(image[..., 0] if image.shape[2] == 1 else image), seen)


def odd_images(number, channels):
    """Yield noise of odd sizes: small, large, long, and of two levels."""
    rng = np.random.default_rng(number)
    for index in range(number):
        sides = rng.integers(1, (40, 300, 300, (3, 900), (900, 3))[index % 5], 2)
        noise = rng.integers(0, 256, (*sides, channels))
        yield np.where(index % 7 == 0, (noise > 127) * 255, noise).astype(np.uint8)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("to", EACH)
def test_images_of_odd_sizes_get_the_pixels_of_pillow_within_one_level(resized, to, name):
    seen = CASES[name]
    differing = []
    for image in odd_images(170, seen.channels):
        found = resized(to, name, image[None])
        assert found.dtype == np.uint8
        assert found.shape == (1, *seen.shape)
        apart = np.abs(found[0].astype(int) - expected(image, seen))
        assert apart.max() <= 1, image.shape
        differing.append((apart > 0).mean())
    assert np.mean(differing) < 0.1


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("to", EACH)
def test_images_in_the_size_of_the_network_are_not_changed(resized, to, name):
    seen = CASES[name]
    images = np.random.default_rng(0).integers(0, 256, (5, *seen.shape)).astype(np.uint8)
    np.testing.assert_array_equal(resized(to, name, images), images)


@pytest.mark.parametrize("to", EACH)
def test_several_images_of_one_size_are_resized_together(resized, to):
    images = np.random.default_rng(0).integers(0, 256, (3, 61, 38, 3)).astype(np.uint8)
    found = resized(to, "crop", images)
    for one, image in zip(found, images, strict=True):
        np.testing.assert_array_equal(one, resized(to, "crop", image[None])[0])
        assert np.abs(one.astype(int) - expected(image, CASES["crop"])).max() <= 1


@pytest.mark.parametrize("to", EACH)
def test_a_border_is_as_wide_as_with_pillow_where_the_kept_size_is_half_a_pixel(resized, to):
    seen = CASES["pad"]
    halves = []
    for width in range(2, 900):
        for number in range(1, 2 * seen.height, 2):
            # The height of which width * number / (2 * seen.width) is a whole number.
            height, remainder = divmod(width * number, 2 * seen.width)
            if not remainder and width * seen.height > height * seen.width:
                halves.append((height, width))
    chosen = np.random.default_rng(0).choice(halves, 60, replace=False)
    for height, width in [*chosen, (9, 450_001), (450_001, 90)]:
        image = np.full((height, width, 1), 200, np.uint8)
        found = resized(to, "pad", image[None])[0]
        np.testing.assert_array_equal(found, expected(image, seen), err_msg=f"{height} {width}")


@pytest.mark.parametrize("to", EACH)
def test_a_photograph_of_twelve_million_pixels_with_sharp_edges(resized, to):
    y, x = np.mgrid[:3001, :4003]
    planes = [((x // 37 + y // 53) % 2) * 255, (x * 7 + y * 3) % 256, (x + y) % 2 * 255]
    image = np.stack(planes, -1).astype(np.uint8)
    for name in ("stretch", "crop"):
        apart = resized(to, name, image[None])[0].astype(int) - expected(image, CASES[name])
        assert np.abs(apart).max() <= 1
