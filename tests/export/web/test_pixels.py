"""The pixels of the page are those of `predict.py`, for files of all kinds and sizes."""

import base64
import shutil

import numpy as np
import PIL
import pytest
from PIL import Image

from convlens.export.golden import IMAGES, pattern, write_examples
from convlens.export.standalone import read
from convlens.export.web import page as page_module
from tests.export.web.conftest import serving

UNIT = [0.0, 1023.0]
SCRIPT = """async ([name, seen]) => {
  const { decode } = await import('./decode.mjs');
  const { fit } = await import('./resize.mjs');
  const file = await (await fetch('images/' + name, { cache: 'no-store' })).blob();
  try {
    const found = fit(await decode(file, seen.unit), seen);
    const text = Array.from(found.data, (level) => String.fromCharCode(level)).join("");
    return [found.height, found.width, found.channels, btoa(text)];
  } catch (error) {
    if (!error.key) throw error;
    return error.key;
  }
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the scripts of the page, an empty page, and a place for images."""
    folder = tmp_path_factory.mktemp("site")
    for script in page_module.HERE.glob("*.mjs"):
        shutil.copyfile(script, folder / script.name)
    (folder / "empty.html").write_text("<!DOCTYPE html><title>empty</title>")
    (folder / "images").mkdir()
    return folder


@pytest.fixture(scope="module")
def page(site, browser):
    with serving(site) as address:
        opened = browser.new_page()
        opened.goto(f"{address}empty.html")
        yield opened
        opened.close()


def pixels(page, path, seen):
    """Return the pixels that the page reads, or the key of its refusal."""
    found = page.evaluate(SCRIPT, [path.name, seen])
    if isinstance(found, str):
        return found
    *shape, data = found
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(shape)


def seen(width, height, channels=3, how="stretch", unit=UNIT):
    return {"width": width, "height": height, "channels": channels, "fit": how, "unit": unit}


def difference(page, path, how):
    return int(np.abs(pixels(page, path, how).astype(int) - read(path, how)).max())


def test_every_example_has_the_same_pixels(page, site):
    paths = write_examples(site / "images", tuple(UNIT), page_module.UNREADABLE)
    assert len(paths) == len(IMAGES)  # one more, which is deep, and one less
    for path in paths:
        for how in (seen(64, 48), seen(40, 90, 1, "crop"), seen(224, 200, 3, "pad")):
            assert difference(page, path, how) <= 1, path.name


def save(path, mode, bits=8, **options):
    """Write a PNG of a mode whose rows and columns are odd."""
    rng = np.random.default_rng(len(path.name))
    image = pattern(rng, 53, 39).convert("LA" if mode == "LA" else mode)
    if "A" in mode:
        image.putalpha(pattern(rng, 53, 39, 1))
    image.save(path, bits=bits, **options)


def sixteen_bits(path, mode):
    """Write a PNG of 16 bits, which Pillow does for grey only."""
    import cv2

    values = np.random.default_rng(2).integers(0, 1024, (39, 53, len(mode)), dtype=np.uint16)
    if "A" in mode:
        values[..., -1] *= 64
    cv2.imwrite(str(path), values)


SAME_SIZE = seen(53, 39)
PNGS = {
    "rgb": lambda path: save(path, "RGB"),
    "rgba": lambda path: save(path, "RGBA"),
    "grey-alpha": lambda path: save(path, "LA"),
    "grey": lambda path: save(path, "L"),
    "grey-transparent": lambda path: save(path, "L", transparency=131),
    "rgb-transparent": lambda path: save(path, "RGB", transparency=(127, 127, 127)),
    "one-bit": lambda path: save(path, "1"),
    "one-bit-transparent": lambda path: save(path, "1", transparency=0),
    "palette-1": lambda path: pattern(np.random.default_rng(5), 53, 39).quantize(2).save(path),
    "palette-2": lambda path: pattern(np.random.default_rng(5), 53, 39).quantize(4).save(path),
    "palette-4": lambda path: (
        pattern(np.random.default_rng(5), 53, 39)
        .quantize(16)
        .save(path, transparency=bytes(range(0, 240, 16)))
    ),
    "deep-grey": lambda path: sixteen_bits(path, "L"),
}


@pytest.mark.parametrize("name", PNGS)
def test_png_files_are_decoded_exactly(page, site, name):
    path = site / "images" / f"{name}.png"
    PNGS[name](path)
    assert np.array_equal(pixels(page, path, SAME_SIZE), read(path, SAME_SIZE))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_of_16_bits_are_those_of_convlens(page, site, mode):
    from convlens.preprocess import Preprocessing, prepare

    path = site / "images" / f"deep-{mode}.png"
    sixteen_bits(path, mode)
    expected = prepare(path, Preprocessing(39, 53, 3, unit=(0.0, 1023.0)))
    assert np.array_equal(pixels(page, path, SAME_SIZE), expected)
    assert pixels(page, path, seen(53, 39, unit=None)) == "deep"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_a_turned_image_is_upright(page, site, orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = site / "images" / f"turned-{orientation}.{kind}"
    pattern(np.random.default_rng(3), 41, 30).save(path, exif=exif, quality=95)
    how = seen(30, 41) if orientation >= 5 else seen(41, 30)
    assert np.array_equal(pixels(page, path, how), read(path, how))


def test_an_interlaced_png_is_decoded(page, site):
    path = site / "images" / "interlaced.png"
    image = pattern(np.random.default_rng(4), 53, 39)
    write_interlaced(path, np.asarray(image))
    assert np.array_equal(np.asarray(Image.open(path)), np.asarray(image))
    assert np.array_equal(pixels(page, path, SAME_SIZE), np.asarray(image))


def write_interlaced(path, values):
    """Write an RGB image in the seven passes of Adam7, which Pillow reads and does not write."""
    import struct
    import zlib

    def chunk(name, content):
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    rows = b""
    for left, top, across, down in (
        *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
        *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
    ):
        part = values[top::down, left::across]
        rows += b"".join(b"\0" + row.tobytes() for row in part if row.size)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 8, 2, 0, 0, 1)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_sizes_of_all_kinds_are_resized_as_pillow_does(page, site):
    rng = np.random.default_rng(6)
    path = site / "images" / "sized.png"
    worst = 0
    for index in range(60):
        width, height, wide, high = (int(side) for side in rng.integers(1, 160, 4))
        noise = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
        noise.save(path)
        how = seen(wide, high, 1 + 2 * (index % 2), ("stretch", "crop", "pad")[index % 3])
        worst = max(worst, difference(page, path, how))
    # Before version 13, Pillow resized rows and columns in another order.
    assert worst <= (0 if int(PIL.__version__.partition(".")[0]) >= 13 else 1)


@pytest.mark.parametrize("kind", ["webp", "gif", "bmp"])
def test_other_kinds_of_files_are_decoded_by_the_browser(page, site, kind):
    path = site / "images" / f"other.{kind}"
    pattern(np.random.default_rng(7), 90, 64).save(path)
    assert difference(page, path, seen(48, 48)) <= 1


def test_what_browsers_decode_in_different_ways_is_refused(page, site):
    IMAGES["cmyk.jpg"](site / "images" / "cmyk.jpg", np.random.default_rng(0))
    assert pixels(page, site / "images" / "cmyk.jpg", SAME_SIZE) == "cmyk"


@pytest.mark.parametrize("length", [20, 60, 200, -20])
def test_a_truncated_png_is_refused(page, site, length):
    whole = site / "images" / "whole.png"
    save(whole, "RGB")
    part = site / "images" / "part.png"
    part.write_bytes(whole.read_bytes()[:length])
    assert pixels(page, part, SAME_SIZE) == "unreadable"


def test_a_damaged_png_is_refused(page, site):
    whole = site / "images" / "whole.png"
    save(whole, "RGB")
    content = bytearray(whole.read_bytes())
    content[18] ^= 1  # in its width
    (site / "images" / "damaged.png").write_bytes(content)
    assert pixels(page, site / "images" / "damaged.png", SAME_SIZE) == "unreadable"


def test_an_image_beyond_the_limit_is_refused_before_it_is_decoded(page, site):
    path = site / "images" / "large.png"
    save(path, "RGB")
    content = bytearray(path.read_bytes())
    content[16:24] = (20_000).to_bytes(4, "big") * 2
    path.write_bytes(content)
    assert pixels(page, path, SAME_SIZE) == "large"
