"""What the operating system says is said in the chosen language."""

import errno
import os
import re
from pathlib import Path

import pytest

import convlens
from convlens.language import again
from convlens.language_choice import using
from convlens.reasons import KNOWN, system_reason


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


def test_no_message_takes_the_reason_from_elsewhere():
    source = Path(convlens.__file__).parent
    asking = [
        path.name
        for path in source.rglob("*.py")
        if re.search(r"(?<!os)\.strerror|\"strerror\"", path.read_text(encoding="utf-8"))
    ]
    assert asking == ["reasons.py"]
