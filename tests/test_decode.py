"""Headers and pixels of image files of all kinds."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from convlens.decode import read_header
from convlens.preprocess import (
    FRAMES,
    GUESSED,
    Preprocessing,
    open_image,
    prepare,
    read_image,
    read_values,
)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_large_jpeg_is_decoded_as_a_whole(tmp_path, channels):
    # At a fraction of its size, such saturated colours would differ by several levels.
    y, x = np.mgrid[:1200, :1600]
    waves = [np.sin(x / 90 + shift) * np.cos(y / 70) * 400 + 127 for shift in range(3)]
    saturated = np.clip(np.stack(waves, -1), 0, 255).astype(np.uint8)
    Image.fromarray(saturated).save(tmp_path / "p.jpg", quality=75)
    mode = "L" if channels == 1 else "RGB"
    whole = Image.open(tmp_path / "p.jpg").convert(mode).resize((32, 32), Image.Resampling.BILINEAR)
    found = prepare(tmp_path / "p.jpg", Preprocessing(32, 32, channels))
    np.testing.assert_array_equal(found, np.asarray(whole).reshape(found.shape))


def test_an_image_of_the_user_stays_as_it_was():
    image = Image.effect_noise((40, 30), 50)
    before = np.asarray(image)
    open_image(image).thumbnail((4, 4))
    assert image.size == (40, 30)
    np.testing.assert_array_equal(np.asarray(image), before)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tiff", "webp"])
def test_header_is_upright(tmp_path, suffix):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / f"p.{suffix}", exif=exif)
    header = read_header(tmp_path / f"p.{suffix}")
    assert header.size == open_image(tmp_path / f"p.{suffix}").size == (20, 40)
    assert not header.is_grey


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage-that-is-no-tiff", b"Exif\0\0MM\0*\0\0\0\x08\0\x09", b"\0\x08\0\x02"]
)
@pytest.mark.filterwarnings("ignore")
def test_broken_exif_does_not_decide_about_pixels(tmp_path, suffix, exif):
    image = Image.effect_noise((20, 10), 50).convert("RGB")
    options = {"lossless": True} if suffix == "webp" else {}
    image.save(tmp_path / f"whole.{suffix}", **options)
    image.save(tmp_path / f"broken.{suffix}", exif=exif, **options)
    whole = open_image(tmp_path / f"whole.{suffix}")
    np.testing.assert_array_equal(open_image(tmp_path / f"broken.{suffix}"), whole)
    assert read_header(tmp_path / f"broken.{suffix}").size == (20, 10)


def png(depth, colours, rows, key):
    """Return a PNG file with a transparent colour.

    Args:
        depth: Bits of a sample.
        colours: 0 for grey, 2 for RGB.
        rows: The bytes of each row.
        key: The samples of the transparent colour.
    """
    width = 8 * len(rows[0]) // (depth * (3 if colours else 1))

    def chunk(kind, data):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, len(rows), depth, colours, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
        + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("depth", "colours", "row", "key", "expected"),
    [
        (1, 0, bytes([0b01000000]), [0], [255, 255, 255, 255, 255, 255, 255, 255]),
        (2, 0, bytes([0b00011011]), [1], [0, 255, 170, 255]),
        (4, 0, bytes([0x07, 0x8F]), [7], [0, 255, 136, 255]),
        (8, 0, bytes([0, 7, 9]), [7], [0, 255, 9]),
        (16, 0, struct.pack(">3H", 0, 0x0701, 0x0702), [0x0701], [0, 255, 7]),
        (8, 2, bytes([1, 2, 3, 1, 2, 4]), [1, 2, 3], [(255, 255, 255), (1, 2, 4)]),
        (
            16, 2, struct.pack(">6H", 0x0101, 0x0201, 0x0301, 0x0102, 0x0201, 0x0301),
            [0x0101, 0x0201, 0x0301], [(255, 255, 255), (1, 2, 3)],
        ),
    ],
)  # fmt: skip
def test_a_transparent_colour_is_white(depth, colours, row, key, expected):
    found = np.asarray(open_image(png(depth, colours, [row], key), unit=(0, 65535)))
    np.testing.assert_array_equal(found[0], expected)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [3, 4])
def test_colours_of_16_bits_are_read_whole(suffix, channels):
    values = np.random.default_rng(0).integers(0, 1024, (6, 7, channels)).astype(np.uint16)
    values[..., 3:] = 65535  # opaque
    content = cv2.imencode(suffix, values)[1].tobytes()
    found = np.asarray(open_image(content, unit=(0, 1023)))
    np.testing.assert_array_equal(found, values[..., 2::-1] >> 2)
    assert read_values(content).high == values[..., :3].max()
    former = np.asarray(open_image(content, unit=GUESSED))
    np.testing.assert_array_equal(former, values[..., 2::-1] >> 8)


@pytest.mark.parametrize("suffix", ["gif", "tiff", "webp", "png"])
def test_files_of_several_frames_give_the_first_and_a_remark(tmp_path, suffix):
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("black", "white"))
    first.save(tmp_path / f"a.{suffix}", save_all=True, append_images=[second])
    first.save(tmp_path / f"b.{suffix}")
    reading = read_image(tmp_path / f"a.{suffix}")
    assert reading.remarks == (FRAMES,)
    assert np.asarray(reading.image).max() == 0
    assert read_image(tmp_path / f"b.{suffix}").remarks == ()
