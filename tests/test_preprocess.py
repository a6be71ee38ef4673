import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from convlens.errors import PictureError
from convlens.preprocess import Preprocessing, open_picture, prepare

GREY = Preprocessing(8, 8, 1)
RGB = Preprocessing(8, 8, 3)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "gif", "webp", "jpg"])
def test_formats_give_the_same_grey_picture(tmp_path, suffix):
    values = np.repeat(np.repeat(np.arange(0, 256, 32, dtype=np.uint8)[None], 8, 0), 1, 0)
    options = {"lossless": True} if suffix == "webp" else {"quality": 100} if suffix == "jpg" else {}
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
    picture = Image.new("P", (8, 8), 1)
    picture.putpalette([0, 0, 0, 200, 100, 50])
    picture.save(tmp_path / "p.png", transparency=0)
    assert tuple(prepare(tmp_path / "p.png", RGB)[0, 0]) == (200, 100, 50)


def test_sixteen_bits_keep_their_upper_eight(tmp_path):
    values = np.full((8, 8), 0x8000, np.uint16)
    Image.fromarray(values).save(tmp_path / "p.png")
    Image.fromarray(values).save(tmp_path / "p.tiff")
    assert prepare(tmp_path / "p.png", GREY)[0, 0, 0] == 127
    assert prepare(tmp_path / "p.tiff", GREY)[0, 0, 0] == 127


def test_exif_orientation_is_honoured(tmp_path):
    values = np.zeros((8, 8, 3), np.uint8)
    values[0, :] = 255  # a white top row
    picture = Image.fromarray(values)
    exif = picture.getexif()
    exif[0x0112] = 3  # upside down
    picture.save(tmp_path / "p.png", exif=exif)
    found = prepare(tmp_path / "p.png", RGB)
    assert found[-1].min() == 255
    assert found[0].max() == 0


@pytest.mark.parametrize(("fit", "corner", "middle"), [("stretch", 255, 0), ("crop", 0, 0), ("pad", 0, 0)])
def test_fit(fit, corner, middle):
    values = np.zeros((16, 64), np.uint8)
    values[:, :16] = values[:, -16:] = 255  # white at both ends of a wide picture
    found = prepare(values, Preprocessing(16, 16, 1, fit))[..., 0]
    assert found[0, 0] == corner
    assert found[8, 8] == middle
    if fit == "pad":
        assert found[8, 0] == 255
        assert (found[:5] == 0).all()


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size_and_looks_the_same(tmp_path):
    y, x = np.mgrid[:1200, :1600]
    values = (127 + 100 * np.sin(x / 200) * np.cos(y / 150)).astype(np.uint8)
    Image.fromarray(values).save(tmp_path / "p.jpg", quality=95)
    assert max(open_picture(tmp_path / "p.jpg", reduce_to=(32, 32)).size) < 400
    reduced = prepare(tmp_path / "p.jpg", Preprocessing(32, 32, 1))
    whole = np.asarray(Image.fromarray(values).resize((32, 32), Image.Resampling.BILINEAR))
    assert np.abs(reduced[..., 0].astype(int) - whole).max() <= 3


def test_empty_truncated_and_other_files_are_named(tmp_path):
    Image.effect_noise((64, 64), 50).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:700])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("no picture")
    for name, words in (
        ("cut.jpg", "damaged"),
        ("empty.png", "0 bytes"),
        ("text.png", "not a picture"),
        ("no.png", "no such"),
    ):
        with pytest.raises(PictureError, match=words) as caught:
            open_picture(tmp_path / name)
        assert name in str(caught.value)


def test_200_million_pixels_are_refused_before_decoding(tmp_path):
    header = struct.pack(">IIBBBBB", 20_000, 10_000, 8, 2, 0, 0, 0)  # only the header claims so much
    chunk = b"IHDR" + header
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    data = b"IDAT" + zlib.compress(b"\0" * 100)
    png += struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    (tmp_path / "bomb.png").write_bytes(png)
    with pytest.raises(PictureError, match="100 million pixels; found 20000 x 10000"):
        open_picture(tmp_path / "bomb.png")


def test_arrays_of_other_types_are_refused():
    with pytest.raises(PictureError, match="float64"):
        prepare(np.zeros((8, 8)), GREY)
    with pytest.raises(PictureError, match=r"\(8, 8, 2\)"):
        prepare(np.zeros((8, 8, 2), np.uint8), GREY)
