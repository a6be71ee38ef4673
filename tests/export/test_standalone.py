"""The `predict.py` of an exported folder: the pixels of convlens, without convlens."""

import json
import os
import shutil
import struct
import subprocess
import sys
import zlib
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from convlens.classifier.classifier import Classifier
from convlens.export import standalone
from convlens.export.golden import write_examples
from convlens.image_file import MAX_PIXELS
from convlens.preprocess import Preprocessing, prepare

UNBUFFERED = os.environ | {"PYTHONUNBUFFERED": "1"}
SIZES = {8: (8, 8), 32: (32, 32), 64: (64, 64), 224: (224, 224), "odd": (30, 17)}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden")
    return write_examples(folder, (0, 4095))


def facts_of(seen):
    """Return a preprocessing as convlens.json has it."""
    return json.loads(json.dumps(seen.to_dict()))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("size", SIZES)
def test_it_reads_the_pixels_of_convlens(files, size, fit, channels):
    seen = Preprocessing(*SIZES[size], channels, fit=fit, unit=(0.0, 4095.0))
    for file in files:
        found = standalone.read(file, facts_of(seen))
        np.testing.assert_array_equal(found, prepare(file, seen), err_msg=file.name)


def test_the_examples_need_each_step_of_reading(files):
    seen = Preprocessing(32, 32, 3)
    special = set()
    for file in files[:-1]:
        with Image.open(file) as image:
            simple = np.asarray(image.convert("RGB").resize((32, 32), Image.Resampling.BILINEAR))
        if not np.array_equal(simple, prepare(file, seen)):
            special.add(file.stem[3:])
    assert {"opacity", "palette", "turned-left", "turned-over", "mirrored"} <= special


@pytest.mark.parametrize("unit", [(0, 1023), (-5, 90), (0.0, 1.5), (100, 65535)])
def test_grey_images_of_16_and_32_bits_with_a_unit(tmp_path, unit):
    rng = np.random.default_rng(0)
    black, white = unit
    values = rng.uniform(black - 1, white * 1.1, (40, 30)).astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    Image.fromarray(values).save(tmp_path / "a.tiff")
    whole = np.clip(np.nan_to_num(values), 0, 65535)
    Image.fromarray(whole.astype(np.uint16)).save(tmp_path / "b.png", transparency=7)
    Image.fromarray(whole.astype(np.int32)).save(tmp_path / "c.tiff")
    seen = Preprocessing(16, 16, 1, unit=unit)
    for name in ("a.tiff", "b.png", "c.tiff"):
        found = standalone.read(tmp_path / name, facts_of(seen))
        np.testing.assert_array_equal(found, prepare(tmp_path / name, seen))
        with pytest.raises(ValueError, match="has not learned from images of 16 or 32 bits"):
            standalone.read(tmp_path / name, facts_of(replace(seen, unit=None)))


def test_colours_of_16_bits_are_read_where_the_upper_8_bits_are_enough(tmp_path):
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 65536, (20, 24, 4), np.uint16)
    cv2.imwrite(str(tmp_path / "rgb.png"), colours[..., :3])
    cv2.imwrite(str(tmp_path / "rgba.png"), colours)
    full = Preprocessing(20, 24, 3, unit=(0, 65535))
    for name in ("rgb.png", "rgba.png"):
        found = standalone.read(tmp_path / name, facts_of(full))
        np.testing.assert_array_equal(found, prepare(tmp_path / name, full))
        other = replace(full, unit=(0, 4095))
        with pytest.raises(ValueError, match=r"white is 65535; here they are \[0, 4095\]"):
            standalone.read(tmp_path / name, facts_of(other))
        with pytest.raises(ValueError, match="has not learned"):
            standalone.read(tmp_path / name, facts_of(replace(full, unit=None)))


def test_grey_of_2_and_4_bits_with_a_transparent_level(tmp_path):
    for bits in (2, 4):
        image = Image.fromarray((np.arange(64).reshape(8, 8) % 2**bits).astype(np.uint8))
        image.save(tmp_path / "p.png", bits=bits, transparency=1)
        stored = cv2.imread(str(tmp_path / "p.png"), cv2.IMREAD_UNCHANGED)
        assert stored is not None
        seen = Preprocessing(8, 8, 1)
        found = standalone.read(tmp_path / "p.png", facts_of(seen))
        np.testing.assert_array_equal(found, prepare(tmp_path / "p.png", seen))


# An import path on which convlens cannot be found, and an error if something looks for it.
ALONE = """
import sys
sys.path[:] = [place for place in sys.path if "convlens" not in place]
sys.modules["convlens"] = sys.modules["keras"] = sys.modules["cv2"] = None
sys.argv = sys.argv[1:]
import runpy
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def alone(*words):
    """Run `predict.py` in a process that cannot import convlens."""
    command = [sys.executable, "-I", "-c", ALONE, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("to", ["onnx", pytest.param("openvino", marks=pytest.mark.slow)])
def test_it_works_without_convlens_and_says_the_same(exported, classifier_file, to):
    folder = exported(to)
    files = sorted((folder / "examples").iterdir())
    done = alone(folder / "predict.py", *files)
    assert done.stderr == ""
    assert done.returncode == 0
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    expected = Classifier.load(classifier_file).predict(files)
    assert [row["label"] for row in rows] == [one.label for one in expected]
    assert [row["known"] for row in rows] == [one.known for one in expected]
    assert {row["known"] for row in rows} == {True, False}
    for row, one in zip(rows, expected, strict=True):
        assert list(row["probabilities"].values()) == pytest.approx(one.probabilities, abs=1e-5)


def test_it_checks_its_examples(folder):
    done = alone(folder / "predict.py", "--check")
    assert done.returncode == 0
    assert "largest difference of a probability" in done.stdout
    examples = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    examples["00-colours.jpg"][0] += 0.01
    (folder / "examples.json").write_text(json.dumps(examples), encoding="utf-8")
    done = alone(folder / "predict.py", "--check")
    assert done.returncode == 1
    assert "0.01" in done.stdout


def test_an_example_that_is_missing_is_one_line(folder):
    (folder / "examples" / "01-colours.png").unlink()
    done = alone(folder / "predict.py", "--check")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "01-colours.png" in done.stderr


def test_it_goes_on_after_what_it_cannot_read(folder):
    (folder / "bad.png").write_bytes(b"nothing")
    good = folder / "examples" / "01-colours.png"
    done = alone(folder / "predict.py", folder / "bad.png", good, folder / "none.png")
    assert done.returncode == 3
    assert [json.loads(line)["image"] for line in done.stdout.splitlines()] == [str(good)]
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == [
        str(folder / "bad.png"),
        str(folder / "none.png"),
    ]
    assert alone(folder / "predict.py").returncode == 2
    assert "pip install numpy pillow onnxruntime" in alone(folder / "predict.py", "-h").stdout


def test_a_missing_engine_is_one_line(folder):
    code = ALONE.replace('sys.modules["cv2"]', 'sys.modules["onnxruntime"]')
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, folder / "predict.py", "x.png"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 8
    assert len(done.stderr.splitlines()) == 1
    assert "onnxruntime" in done.stderr


def test_an_image_beyond_the_limit_is_refused_before_it_is_decoded(folder, tmp_path):
    files = [tmp_path / "large.png", tmp_path / "huge.png"]
    sizes = [(10_001, 10_000), (30_000, 30_000)]
    for file, (width, height) in zip(files, sizes, strict=True):
        image = bytearray()
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")):
            check = struct.pack(">I", zlib.crc32(kind + content))
            image += struct.pack(">I", len(content)) + kind + content + check
        file.write_bytes(b"\x89PNG\r\n\x1a\n" + image)
    done = alone(folder / "predict.py", *files)
    assert done.returncode == 3
    assert done.stdout == ""
    large, huge = done.stderr.splitlines()
    expected = "an image may have 100 million pixels at most; found"
    assert large == f"{files[0]}: {expected} 10001 x 10000; make it smaller first"
    assert huge == f"{files[1]}: {expected} more; make it smaller first"
    assert standalone.MAX_PIXELS == MAX_PIXELS


def test_a_reader_that_goes_early_ends_it_quietly(folder):
    files = sorted((folder / "examples").iterdir())
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, str(folder / "predict.py"), *map(str, files)]
    done = subprocess.run(
        command, stdout=writing, stderr=subprocess.PIPE, text=True, env=UNBUFFERED, check=False
    )
    os.close(writing)
    assert done.stderr == ""


def test_it_prints_json_in_every_terminal(folder, tmp_path):
    facts = json.loads((folder / "convlens.json").read_text(encoding="utf-8"))
    other = shutil.copytree(folder, tmp_path / "貓")
    names = ["貓" + name for name in facts["class_names"]]
    content = json.dumps(facts | {"class_names": names}, ensure_ascii=False)
    (other / "convlens.json").write_text(content, encoding="utf-8")
    odd = os.fsencode(tmp_path) + b"/\xbf\xdf.png"
    shutil.copyfile(other / "examples" / "01-colours.png", odd)
    command = [sys.executable, str(other / "predict.py"), odd]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    found = json.loads(done.stdout)
    assert found["label"] in names
    assert os.fsencode(found["image"]) == odd
