"""Small images: upright, drawn anew, kept until their file changes, and made ahead."""

import io
import time

import numpy as np
import pytest
from PIL import Image, ImageCms

from convlens.studio import thumbs
from convlens.studio.thumbs import draw
from tests.studio.conftest import opened, picture


def opened_image(found) -> Image.Image:
    return Image.open(io.BytesIO(found.content))


def test_a_large_photograph_is_small_and_upright(own):
    left_red = np.zeros((600, 900, 3), np.uint8)
    left_red[:, :450, 0] = 255
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # it was taken with the camera turned to the right
    Image.fromarray(left_red).save(file, "JPEG", exif=exif)
    added = own.add(own.classes()["cat"], "a.jpg", file.getvalue())
    for query, sides in (("", (85, 128)), ("size=256", (171, 256))):
        found = own.image(f"/images/{added['image']['id']}/thumb?{query}")
        image = opened_image(found)
        assert image.size == sides
        assert image.getpixel((40, 5))[0] > 200  # red is above
        assert image.getpixel((40, sides[1] - 6))[0] < 50
        assert found.headers["content-type"] == "image/jpeg"
        assert len(found.content) < 10_000
    full = opened_image(own.image(f"/images/{added['image']['id']}/full"))
    assert full.size == (600, 900)
    assert own.image(f"/images/{added['image']['id']}/thumb?size=127").status_code == 422


def test_a_small_image_keeps_its_pixels(own):
    row = own.rows()["cat/1.png"]
    found = own.image(f"/images/{row['id']}/thumb")
    assert found.headers["content-type"] == "image/png"
    expected = np.asarray(Image.open(io.BytesIO(picture(1))))
    np.testing.assert_array_equal(np.asarray(opened_image(found)), expected)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "I;16", "CMYK", "1"])
@pytest.mark.parametrize("size", [(40, 30), (700, 500)])
def test_images_of_all_kinds_are_drawn(mode, size, tmp_path):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    if mode == "I;16":
        Image.fromarray(np.arange(size[0] * size[1], dtype=np.uint16).reshape(size)).save(path)
    else:
        Image.new("RGB", size, "red").convert(mode).save(path)
    content, _kind = draw(path, 128)
    assert max(Image.open(io.BytesIO(content)).size) <= 128


@pytest.mark.parametrize("size", [(40, 30), (700, 500), (300, 200)])
def test_nothing_that_a_file_says_besides_its_pixels_is_kept(size, tmp_path):
    path = tmp_path / "a.jpg"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.new("RGB", size, "red")
    image.save(path, "JPEG", comment=b"taken by Ann", icc_profile=profile)
    for side in (128, thumbs.LARGE):
        content, _kind = draw(path, side)
        assert b"taken by Ann" not in content
        assert Image.open(io.BytesIO(content)).info.keys() <= {
            "jfif", "jfif_version", "jfif_unit", "jfif_density",
        }  # fmt: skip


def test_a_browser_asks_again_and_gets_only_what_has_changed(own):
    row = own.rows()["cat/1.png"]
    for kind in ("thumb", "full"):
        path = f"/images/{row['id']}/{kind}?key={own.key}"
        first = own.client.get(path)
        assert first.headers["cache-control"] == "private, no-cache"
        known = {"If-None-Match": first.headers["etag"]}
        again = own.client.get(path, headers=known)
        assert (again.status_code, again.content) == (304, b"")
        file = own.studio.workspace.places.images / "cat" / "1.png"
        file.write_bytes(picture(len(kind), size=(30, 30)))
        changed = own.client.get(path, headers=known)
        assert changed.status_code == 200
        assert changed.content != first.content


def test_small_images_go_with_the_trash(own):
    row = own.rows()["cat/1.png"]
    content = own.image(f"/images/{row['id']}/thumb").content
    stays = own.image(f"/images/{own.rows()['cat/2.png']['id']}/thumb").content

    def is_kept(one: bytes) -> bool:
        files = own.studio.workspace.places.hidden.glob("thumbs.sqlite*")
        return any(one[-200:] in path.read_bytes() for path in files)

    own.post("/api/remove", {"images": [row["id"]]})
    assert is_kept(content)
    assert own.post("/api/trash/empty").json()["images"] == 1
    assert not is_kept(content)
    assert is_kept(stays)


def test_a_thumb_is_made_once_and_again_when_its_file_changes(own, monkeypatch):
    row = own.rows()["cat/1.png"]
    path = f"/images/{row['id']}/thumb"
    first = own.image(path).content
    monkeypatch.setattr(thumbs, "draw", None)
    assert own.image(path).content == first
    monkeypatch.undo()
    file = own.studio.workspace.places.images / "cat" / "1.png"
    file.write_bytes(picture(99, size=(30, 30)))
    assert own.image(path).content != first


def test_all_are_made_while_nobody_asks(tmp_path, monkeypatch):
    monkeypatch.setattr(thumbs, "QUIET", 0.01)
    with opened(tmp_path / "pets") as page:
        cat = page.make("cat")
        ids = [page.add(cat, f"{i}.png", picture(i))["image"]["id"] for i in range(5)]
        (page.studio.workspace.places.images / "cat" / "bad.png").write_bytes(b"damaged")
        made = page.studio.thumbs
        end = time.monotonic() + 120
        while made._missing(page.studio.workspace.listing.items) and time.monotonic() < end:
            time.sleep(0.02)
        monkeypatch.setattr(thumbs, "draw", None)
        for one in ids:
            assert page.image(f"/images/{one}/thumb").status_code == 200


def test_an_image_without_memory_for_it_does_not_stop_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(thumbs, "QUIET", 0.01)
    with opened(tmp_path / "pets") as page:
        made = page.studio.thumbs
        draw_one = made._of

        def of(item, side):
            if item.file == "cat/0.png":
                raise MemoryError
            return draw_one(item, side)

        monkeypatch.setattr(made, "_of", of)
        cat = page.make("cat")
        for number in range(3):
            page.add(cat, f"{number}.png", picture(number))
        end = time.monotonic() + 120
        while len(made._missing(page.studio.workspace.listing.items)) > 1:
            assert time.monotonic() < end
            time.sleep(0.02)


def test_none_is_made_ahead_while_a_page_opens(own, monkeypatch):
    made = own.studio.thumbs
    monkeypatch.setattr(made, "_asked", -1e9)
    before = time.monotonic()
    assert own.client.get("/page/main.js").status_code == 200
    assert made._asked >= before


def test_a_damaged_file_of_thumbs_is_made_anew(tmp_path):
    with opened(tmp_path / "pets") as page:
        page.add(page.make("cat"), "1.png", picture(1))
    file = tmp_path / "pets" / ".studio" / "thumbs.sqlite"
    file.write_bytes(b"this is no database, " * 300)
    with opened(tmp_path / "pets") as page:
        row = page.rows()["cat/1.png"]
        assert page.image(f"/images/{row['id']}/thumb").status_code == 200
