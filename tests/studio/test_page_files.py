"""The page of the studio: files, folders and zips that are dropped or chosen."""

import io
import os
import zipfile

from tests.studio.browsing import (  # noqa: F401 - fixtures
    names,
    served,
    wait_for,
    window,
    write_folder,
    write_image,
)


def test_files_go_to_a_class_and_those_that_are_no_images_are_named_there(served, window, tmp_path):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    card = page.locator(".way").nth(2)
    card.locator("input").fill("../x")
    card.get_by_role("button").click()
    assert "this one has / in it" in page.inner_text(".way .problem")
    card.locator("input").fill("cat")
    card.get_by_role("button").click()
    page.wait_for_selector(".board canvas")
    good = [write_image(tmp_path / "files" / f"{n}.png", n) for n in range(5)]
    bad = tmp_path / "files" / "notes.png"
    bad.write_text("no image", encoding="utf-8")
    page.set_input_files(".class-tools input[type=file]", [*good, bad])
    page.wait_for_selector(".class-card .refused")
    assert "notes.png" in page.inner_text(".class-card .refused")
    wait_for(page, lambda: names(page), ["cat 5"])
    assert len(served.files) == 5
    tabs.check(served.origin)


def test_a_folder_and_a_zip_bring_their_classes(served, window, tmp_path):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    folder = write_folder(tmp_path / "photos", cat=4, dog=3)
    page.set_input_files(".way input[type=file][webkitdirectory]", str(folder))
    page.wait_for_selector(".seen-classes")
    assert [one.split("\n") for one in page.locator(".seen-classes li").all_inner_texts()] == [
        ["cat", "4 images"],
        ["dog", "3 images"],
    ]
    page.locator(".import footer .primary").click()
    wait_for(page, lambda: names(page), ["cat 4", "dog 3"])
    page.wait_for_selector(".dialog", state="detached")

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(2):
            archive.write(
                write_image(tmp_path / f"bird{number}.png", 50 + number), f"bird/{number}.png"
            )
    file = {"name": "birds.zip", "mimeType": "application/zip", "buffer": packed.getvalue()}
    drop(page, "body", [file])
    page.locator(".dialog footer .primary").click()
    wait_for(page, lambda: names(page), ["bird 2", "cat 4", "dog 3"])
    page.wait_for_selector(".dialog", state="detached")

    loose = {
        "name": "one.png",
        "mimeType": "image/png",
        "buffer": (tmp_path / "bird1.png").read_bytes(),
    }
    drop(page, "body", [loose])
    page.locator(".dialog .class-choice .button", has_text="dog").click()
    wait_for(page, lambda: names(page), ["bird 2", "cat 4", "dog 4"])
    tabs.check(served.origin)


def test_broken_files_are_named_once_and_loose_ones_ask_for_their_class(served, window, tmp_path):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    broken = tmp_path / "holiday"
    broken.mkdir()
    whole = write_image(tmp_path / "whole.png", 1).read_bytes()
    for name, content in (("cut.png", whole[:400]), ("empty.png", b""), ("text.jpg", b"text")):
        (broken / name).write_bytes(content)
    page.set_input_files(".way input[type=file][webkitdirectory]", str(broken))
    page.wait_for_selector(".dialog >> text=None of these files is an image")
    lines = page.locator(".dialog .refused li").all_inner_texts()
    assert "holiday/cut.png The image is cut off or damaged." in lines
    for name in ("cut.png", "empty.png", "text.jpg"):
        assert sum(line.count(name) for line in lines) == 1
    assert str(served.folder) not in page.inner_text(".dialog")
    page.locator(".dialog footer").get_by_role("button", name="Close").click()
    page.wait_for_selector(".dialog", state="detached")

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("cat.14.png", whole)
    zipped = {"name": "one.zip", "mimeType": "application/zip", "buffer": packed.getvalue()}
    drop(page, "body", [zipped])
    page.get_by_role("button", name="Put all into one class").click()
    page.locator(".dialog .name-field input").fill("cats")
    page.locator(".dialog .name-field button").click()
    wait_for(page, lambda: names(page), ["cats 1"])

    other = write_image(tmp_path / "other.png", 2).read_bytes()
    photo = {"name": "cat.15.png", "mimeType": "image/png", "buffer": other}
    notes = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"text"}
    drop(page, "body", [photo, notes])
    page.locator(".dialog .class-choice .button", has_text="cats").click()
    wait_for(page, lambda: names(page), ["cats 2"])
    page.wait_for_selector(".class-card .refused")
    assert page.inner_text(".class-card .refused").count("notes.txt") == 1
    tabs.check(served.origin)


def drop(page, selector, files):
    """Drop files on an element."""
    given = [{**one, "buffer": list(one["buffer"])} for one in files]
    page.evaluate(
        """([selector, files]) => {
          const data = new DataTransfer();
          for (const { name, mimeType, buffer } of files)
            data.items.add(new File([new Uint8Array(buffer)], name, { type: mimeType }));
          const options = { dataTransfer: data, bubbles: true, cancelable: true };
          const place = document.querySelector(selector);
          place.dispatchEvent(new DragEvent("dragover", options));
          place.dispatchEvent(new DragEvent("drop", options));
        }""",
        [selector, given],
    )


def test_a_folder_that_is_dropped_is_walked_through(served, window, tmp_path):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    folder = write_folder(tmp_path / "photos", cat=120, dog=3)  # a browser lists 100 at a time
    (folder / "cat" / ".hidden").write_text("no image", encoding="utf-8")
    client = tabs.context.new_cdp_session(page)
    data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        place = {"type": kind, "x": 640, "y": 400, "data": data}
        client.send("Input.dispatchDragEvent", place)
    page.wait_for_selector(".seen-classes")
    assert page.locator(".seen-classes li b").all_inner_texts() == ["120 images", "3 images"]
    page.get_by_role("button", name="Do not import them").click()
    page.wait_for_selector(".dialog", state="detached")
    assert names(page) == []
    tabs.check(served.origin)


def test_an_import_that_was_cancelled_does_not_come_back(served, window, tmp_path):  # noqa: F811
    tabs = window()
    page = tabs.tab(served.address)
    held = []
    page.route("**/api/imports/*/look", lambda route: held.append(route))
    folder = write_folder(tmp_path / "photos", cat=2, dog=1)
    page.set_input_files(".way input[type=file][webkitdirectory]", str(folder))
    wait_for(page, lambda: len(held), 1)
    page.locator(".import footer .button").click()
    page.wait_for_selector(".dialog", state="detached")
    held[0].fulfill(status=422, json={"message": "too late.", "field": None})
    page.wait_for_timeout(300)
    assert page.locator(".dialog, .message.error").count() == 0
    wait_for(page, lambda: page.locator(".notice").count(), 0)
    tabs.check(served.origin)


def test_what_is_too_large_is_not_sent(served, window, tmp_path):  # noqa: F811
    """A server that refuses breaks the connection, after which the page would send it again."""
    tabs = window()
    page = tabs.tab(served.address)
    card = page.locator(".way").nth(2)
    card.locator("input").fill("cat")
    card.get_by_role("button").click()
    page.wait_for_selector(".board canvas")
    large = tmp_path / "large.png"
    archive = tmp_path / "large.zip"
    for path, size in ((large, 50_000_001), (archive, 4_000_000_001)):
        path.touch()
        os.truncate(path, size)
    page.set_input_files(".class-tools input[type=file]", [large, archive])
    refused = "large.png The file is larger than 50 MB, which is the most that is taken."
    wait_for(page, lambda: page.inner_text(".class-card .refused li"), refused)
    refused = "large.zip The file is larger than 4,000 MB, which is the most that is taken."
    wait_for(page, lambda: page.inner_text(".import .refused li"), refused)
    sent = [url for url in tabs.requested if "/images?name" in url or "/zip?" in url]
    assert sent == []
    tabs.check(served.origin)
