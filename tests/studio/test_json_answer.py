"""Answers of the studio hold names of any bytes."""

import os

from convlens.studio.json_answer import JSONResponse
from tests.studio.conftest import picture


def test_a_name_that_is_not_utf8_is_answered_as_its_text():
    content = {"name": os.fsdecode(b"gr\xf6n"), "emoji": "🐈"}
    expected = '{"name":"gr\\\\udcf6n","emoji":"🐈"}'
    assert JSONResponse(content).body == expected.encode()


def test_a_refusal_may_name_such_a_file(own):
    path = own.studio.workspace.places.images / "cat" / os.fsdecode(b"gr\xf6n.png")
    path.write_bytes(picture(9)[:60])
    own.studio.workspace.rescan()
    row = own.rows()["cat/gr\\udcf6n.png"]
    found = own.image(f"/images/{row['id']}/thumb")
    assert found.status_code == 422
    assert "gr\\udcf6n.png: the image is cut off" in found.json()["message"]
