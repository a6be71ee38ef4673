"""What the operating system says is said in the chosen language."""

import errno
import os
import re
from pathlib import Path

import pytest
from PIL import Image

import convlens
from convlens.errors import ImageError
from convlens.language import again
from convlens.language_choice import using
from convlens.preprocess import open_image
from convlens.reasons import KNOWN, TEMPLATES, system_reason


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EACCES, errno.ENOENT, errno.EROFS, errno.EADDRINUSE, errno.EIO]
)
def test_usual_reasons_have_a_chinese_text(number):
    error = OSError(number, os.strerror(number), "photos")
    reason = system_reason(error)
    assert reason == os.strerror(number)
    assert reason in KNOWN
    with using("zh"):
        assert re.search("[一-龥]", system_reason(error))
        assert again(reason) == system_reason(error)


def test_other_errors_keep_their_text():
    with using("zh"):
        assert system_reason(OSError("the disk is on fire")) == "the disk is on fire"
        assert system_reason(OSError(errno.EXDEV, "Invalid cross-device link")) == (
            "Invalid cross-device link"
        )


@pytest.mark.parametrize(
    ("said", "template"),
    [
        (
            "image file is truncated (12 bytes not processed)",
            "image file is truncated ({number} bytes not processed)",
        ),
        ("broken PNG file (chunk IDAT)", "broken PNG file (chunk {name})"),
        ("decoder error -2 when reading image file",) * 2,
        ("broken data stream when reading image file",) * 2,
    ],
)
def test_what_pillow_says_can_be_translated(said, template):
    reason = system_reason(OSError(said))
    assert reason == said
    assert reason.template == template.replace("-2", "{number}")
    assert reason.template in (*KNOWN, *TEMPLATES)


def test_the_name_of_a_chunk_is_not_written_as_python_writes_bytes():
    for name, plain in (("b'IDAT'", "IDAT"), ('b"ID\'T"', "ID'T"), ("IDAT", "IDAT")):
        reason = system_reason(SyntaxError(f"broken PNG file (bad header checksum in {name})"))
        assert reason == f"broken PNG file (bad header checksum in {plain})"
    path = "cannot identify image file 'b'IDAT'.png'"
    assert system_reason(OSError(path)) == path


def test_an_image_that_is_cut_off_says_so_in_every_language(tmp_path):
    path = tmp_path / "cut.jpg"
    Image.effect_noise((64, 64), 50).save(path)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(ImageError) as caught:
        open_image(path)
    assert caught.value.args[0].fields["reason"].template in (*KNOWN, *TEMPLATES)


def test_no_message_takes_the_reason_from_elsewhere():
    source = Path(convlens.__file__).parent
    asking = [
        path.name
        for path in source.rglob("*.py")
        if re.search(r"(?<!os)\.strerror|\"strerror\"", path.read_text(encoding="utf-8"))
    ]
    assert asking == ["reasons.py"]
