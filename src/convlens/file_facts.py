"""File facts: what an image file says of itself besides its pixels, such as the camera."""

import re
from typing import NamedTuple

from PIL import ExifTags, Image

CAMERA = (ExifTags.Base.Make, ExifTags.Base.Model)


class FileFacts(NamedTuple):
    """What an image file says of itself besides its pixels; empty texts where it says nothing.

    Attributes:
        mode: Pillow's mode before any conversion: "RGB", "L", "P" (palette), "I;16", ...
        format: Pillow's name of the file format; "array" for arrays.
        camera: The make and the model of the camera.
        software: The program that wrote the file.
        taken: When it was taken, as "2026:05:01 12:30:59.123".
    """

    mode: str = ""
    format: str = ""
    camera: str = ""
    software: str = ""
    taken: str = ""


def file_facts(image: Image.Image) -> FileFacts:
    """Return what a decoded file says of itself; broken metadata counts as none."""
    facts = FileFacts(image.mode, str(image.format or ""))
    try:
        exif = image.getexif()
        if not exif:
            return facts
        moment = exif.get_ifd(ExifTags.IFD.Exif)
        taken = _text(moment.get(ExifTags.Base.DateTimeOriginal))
        # A camera whose clock was not set writes zeros, or colons only.
        taken = taken if re.search("[1-9]", taken) else ""
        fraction = _text(moment.get(ExifTags.Base.SubsecTimeOriginal))
        return facts._replace(
            camera=" ".join(filter(None, (_text(exif.get(tag)) for tag in CAMERA))),
            software=_text(exif.get(ExifTags.Base.Software)),
            taken=f"{taken}.{fraction}" if taken and fraction else taken,
        )
    except Exception:
        return facts


def _text(value: object) -> str:
    return value.strip(" \0") if isinstance(value, str) else ""
