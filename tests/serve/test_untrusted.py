"""Images that would take far longer to decode than their size says are refused."""

import io
import sys
import time

import numpy as np
import psutil
import pytest
from PIL import Image

from convlens.decode import read_header
from convlens.errors import ImageError
from convlens.serve.untrusted import MOST_SCANS, give_memory_back, has_too_many_scans, is_large


def progressive(scans: int, side: int = 64) -> bytes:
    """Return a progressive JPEG with so many scans besides its own."""
    stream = io.BytesIO()
    Image.new("L", (side, side), 128).save(stream, "JPEG", progressive=True)
    content = stream.getvalue()
    first = content.index(b"\xff\xc4", content.index(b"\xff\xda"))
    last = content.index(b"\xff\xc4", content.index(b"\xff\xda", first))
    end = content.rindex(b"\xff\xd9")
    return content[:end] + content[first:last] * scans + content[end:]


def is_large_file(content: bytes) -> bool:
    stream = io.BytesIO(content)
    stream.name = "sent.jpg"
    return is_large(read_header(stream), stream)


def test_a_jpeg_with_many_scans_is_refused():
    Image.open(io.BytesIO(progressive(50))).load()  # which is an image
    assert not is_large_file(progressive(50))
    with pytest.raises(ImageError, match=r"sent.jpg: a JPEG may have 100 scans at most"):
        is_large_file(progressive(MOST_SCANS))


def test_markers_in_metadata_and_behind_the_image_are_no_scans():
    marker = b"\xff\xda\x00\x02" * 200
    comment = b"\xff\xfe" + (len(marker) + 2).to_bytes(2, "big") + marker
    content = progressive(0)
    assert not has_too_many_scans(content[:2] + comment + content[2:] + marker)
    assert has_too_many_scans(content[:2] + marker + content[2:])


def test_the_search_is_quick():
    content = progressive(0)
    end = content.rindex(b"\xff\xd9")
    segments = b"\xff\xfe\x00\x02" * 10**6
    start = time.thread_time()  # of the processor, which other work may keep busy
    assert has_too_many_scans(content[:end] + b"\xff\xda" * 101 + segments)
    assert has_too_many_scans(content[:end] + segments + b"\xff\xda\x00\x02" * 101)
    # Bytes that may fill the space before a marker, where none follows.
    comment = b"\xff\xfe\x00\xcc" + b"\xff\xda" * 101
    assert not has_too_many_scans(content[:2] + comment + content[2:end] + b"\xff" * 10**6 + b"\0")
    assert time.thread_time() - start < 1


@pytest.mark.skipif(sys.platform != "linux", reason="glibc keeps memory; other libraries do not")
def test_the_memory_of_large_images_is_given_back():
    kept = [bytes(100_000) for _piece in range(2000)]
    pieces = [bytes(100_000) for _piece in range(2000)]
    kept.append(bytes(100_000))  # above the others, which therefore stay
    process = psutil.Process()
    before = process.memory_info().rss
    del pieces
    give_memory_back()
    assert before - process.memory_info().rss > 100e6


def test_large_images_are_known_by_their_header():
    stream = io.BytesIO()
    Image.fromarray(np.zeros((4001, 4000), np.uint8)).save(stream, "PNG")
    assert is_large_file(stream.getvalue())
    assert not is_large_file(progressive(0, side=1000))


def test_formats_whose_decoders_start_programs_are_no_images():
    content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"
    assert Image.open(io.BytesIO(content)).format == "EPS"
    with pytest.raises(ImageError, match="this is not an image that can be read"):
        is_large_file(content)
