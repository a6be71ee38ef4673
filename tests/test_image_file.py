"""Which files are images, and how the faults of others are named."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from convlens.decode import read_header
from convlens.errors import ImageError
from convlens.preprocess import open_image, read_values


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


def test_a_file_that_the_system_refuses_is_not_called_damaged(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ImageError, match=r"b\.png: this cannot be read \(Not a directory\)\.$"):
        open_image(tmp_path / "file" / "b.png")
