import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile

from convlens.decode import read_header
from convlens.errors import ImageError
from convlens.preprocess import (
    FRAMES,
    GUESSED,
    Preprocessing,
    open_image,
    prepare,
    read_image,
    read_values,
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


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size_and_looks_the_same(tmp_path):
    y, x = np.mgrid[:1200, :1600]
    values = (127 + 100 * np.sin(x / 200) * np.cos(y / 150)).astype(np.uint8)
    Image.fromarray(values).save(tmp_path / "p.jpg", quality=95)
    assert max(open_image(tmp_path / "p.jpg", reduce_to=(32, 32)).size) < 400
    reduced = prepare(tmp_path / "p.jpg", Preprocessing(32, 32, 1))
    whole = np.asarray(Image.fromarray(values).resize((32, 32), Image.Resampling.BILINEAR))
    assert np.abs(reduced[..., 0].astype(int) - whole).max() <= 3


def test_empty_truncated_and_other_files_are_named(tmp_path):
    Image.effect_noise((64, 64), 50).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:700])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("no image")
    for name, words in (
        ("cut.jpg", "damaged"),
        ("empty.png", "0 bytes"),
        ("text.png", "not an image"),
        ("no.png", "no such"),
    ):
        with pytest.raises(ImageError, match=words) as caught:
            open_image(tmp_path / name)
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("width", "found"), [(11_000, "found 11000 x 10000"), (20_000, "found 200 million")]
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_many_pixels_are_refused_before_decoding(tmp_path, width, found):
    header = struct.pack(">IIBBBBB", width, 10_000, 8, 2, 0, 0, 0)  # only the header claims so much
    chunk = b"IHDR" + header
    png = (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )
    data = b"IDAT" + zlib.compress(b"\0" * 100)
    png += struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    (tmp_path / "bomb.png").write_bytes(png)
    for read in (open_image, read_header):
        with pytest.raises(ImageError, match=f"100 million pixels at most; {found}"):
            read(tmp_path / "bomb.png")


def test_pillows_own_limit_stays_for_the_host_program():
    assert Image.MAX_IMAGE_PIXELS is not None


def _changed(content: bytes, rng: np.random.Generator, start: int, reach: int) -> bytes:
    changed = bytearray(content)
    for place in rng.integers(start, min(reach, len(content)), rng.integers(1, 12)):
        changed[place] = rng.integers(256)
    return bytes(changed)


def _damaged(rng: np.random.Generator) -> bytes:
    """Return a small image file with changed EXIF data or bytes (not the first 12), or cut off."""
    kind = rng.choice(["JPEG", "PNG", "GIF", "TIFF", "WEBP"])
    image = Image.fromarray(rng.integers(0, 256, (24, 32, 3)).astype(np.uint8)).convert(
        rng.choice(["L", "RGB"])
    )
    exif = Image.Exif()
    exif.update(
        {
            0x0112: 6,
            0x011A: 72.0,
            0x010F: "maker",
            0x8769: {0x829A: 0.01, 0x9003: "2024:01:01 00:00:00"},
        }
    )
    options = {} if kind == "GIF" else {"exif": exif.tobytes()}
    if kind == "TIFF":
        options = {
            "compression": str(rng.choice(["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]))
        }
    damage = rng.choice(["exif", "start", "anywhere", "cut"])
    if damage == "exif" and "exif" in options:
        options["exif"] = _changed(options["exif"], rng, 14, 1000)
    file = io.BytesIO()
    image.save(file, kind, **options)
    content = file.getvalue()
    if damage == "cut":
        return content[: rng.integers(12, len(content))]
    return (
        content
        if damage == "exif"
        else _changed(content, rng, 12, 150 if damage == "start" else len(content))
    )


@pytest.mark.filterwarnings("ignore")
def test_damaged_bytes_raise_nothing_but_an_image_error(tmp_path):
    # With this seed, one of the images makes Pillow raise struct.error.
    rng = np.random.default_rng(3)
    refused = 0
    for number in range(300):
        path = tmp_path / f"{number}.png"
        path.write_bytes(_damaged(rng))
        for read in (open_image, read_header):
            try:
                read(path)
            except ImageError:
                refused += 1
    assert 100 < refused < 600


@pytest.mark.parametrize(
    "fault", [struct.error("short"), TypeError(), KeyError(1), IndexError(), ZeroDivisionError()]
)
def test_a_fault_inside_a_decoder_names_the_image(tmp_path, monkeypatch, fault):
    Image.new("RGB", (8, 8)).save(tmp_path / "odd.png")

    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr(Image.Image, "load", fail)
    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(ImageError, match=r"odd\.png: the image is damaged"):
        open_image(tmp_path / "odd.png")
    with pytest.raises(ImageError, match="the Pillow image: the image is damaged"):
        open_image(Image.new("RGB", (8, 8)))


@pytest.mark.parametrize("suffix", ["jpg", "png", "tiff", "webp"])
def test_header_is_upright(tmp_path, suffix):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / f"p.{suffix}", exif=exif)
    header = read_header(tmp_path / f"p.{suffix}")
    assert header.size == open_image(tmp_path / f"p.{suffix}").size == (20, 40)
    assert not header.is_grey


def test_arrays_of_other_types_are_refused():
    with pytest.raises(ImageError, match=r"must be uint8.*earlier convlens.*float64"):
        prepare(np.zeros((8, 8)), Preprocessing(8, 8, 1, unit=GUESSED))
    with pytest.raises(ImageError, match=r"must hold numbers.*<U1"):
        prepare(np.full((8, 8), "a"), GREY)
    with pytest.raises(ImageError, match=r"\(8, 8, 2\)"):
        prepare(np.zeros((8, 8, 2), np.uint8), GREY)


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


def test_damaged_tiff_files_write_nothing_to_the_terminal(tmp_path, capfd):
    file = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(file, "TIFF", compression="tiff_lzw")
    content = bytearray(file.getvalue())
    content[200:600] = bytes(range(200)) * 2
    with pytest.raises(ImageError, match="damaged"):
        open_image(bytes(content))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (b"tEXt", None),  # its checksum is wrong
        (b"zTXt", b"a\0\0" + zlib.compress(b"x" * 3_000_000)),
        (b"iCCP", b"a"),
        (b"pHYs", b"a"),
        (b"acTL", b"a"),
    ],
)
def test_broken_metadata_of_a_png_does_not_decide_about_its_pixels(tmp_path, kind, data):
    values = np.arange(128, dtype=np.uint16).reshape(8, 16) * 8
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(values).save(file, "PNG", exif=exif)
    content = file.getvalue()
    checksum = struct.pack(">I", 1 if data is None else zlib.crc32(kind + data))
    chunk = struct.pack(">I", len(data or b"a")) + kind + (data or b"a") + checksum
    (tmp_path / "a.png").write_bytes(content[:33] + chunk + content[33:])
    found = open_image(tmp_path / "a.png", unit=(0, 1023))
    np.testing.assert_array_equal(found, values[::-1, ::-1] >> 2)
    assert read_header(tmp_path / "a.png").size == (16, 8)
    assert read_values(tmp_path / "a.png").high == 1016
    (tmp_path / "cut.png").write_bytes((content[:33] + chunk + content[33:])[:-30])
    with pytest.raises(ImageError, match=r"cut\.png"):
        open_image(tmp_path / "cut.png")
