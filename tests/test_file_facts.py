"""What an image file says of itself: its camera and its time, and nothing where it says nothing."""

import pytest
from PIL import ExifTags, Image

from convlens.file_facts import FileFacts, file_facts
from convlens.preprocess import read_image

IMAGE = Image.new("RGB", (20, 30), (90, 40, 10))


def test_camera_program_and_time_are_read(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Canon"
    exif[ExifTags.Base.Model] = "EOS 5D "
    exif[ExifTags.Base.Software] = "Darktable"
    moment = exif.get_ifd(ExifTags.IFD.Exif)
    moment[ExifTags.Base.DateTimeOriginal] = "2026:05:01 12:30:59"
    IMAGE.save(tmp_path / "a.jpg", exif=exif)
    with Image.open(tmp_path / "a.jpg") as image:
        found = file_facts(image)
    assert found == FileFacts("RGB", "JPEG", "Canon EOS 5D", "Darktable", "2026:05:01 12:30:59")


def test_a_file_without_metadata_has_its_mode_and_format(tmp_path):
    IMAGE.convert("L").save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert file_facts(image) == FileFacts("L", "PNG")


@pytest.mark.parametrize("unset", ["0000:00:00 00:00:00", "    :  :     :  :  "])
def test_a_clock_that_was_not_set_tells_no_time(tmp_path, unset):
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "EOS 5D"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = unset
    IMAGE.save(tmp_path / "a.jpg", exif=exif)
    facts = read_image(tmp_path / "a.jpg").facts
    assert (facts.camera, facts.taken) == ("EOS 5D", "")


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning:PIL")
def test_broken_metadata_counts_as_none(tmp_path):
    IMAGE.save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*broken")
    assert read_image(tmp_path / "a.jpg").facts == FileFacts("RGB", "JPEG")
