"""The audit of a workspace: a process of its own, findings as filters, and what they propose."""

import io
import json
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from convlens.audit.audit import audit_data
from convlens.audit.finding import Finding
from convlens.data.sources import load_data
from convlens.studio import findings
from tests.studio.conftest import opened


def smooth(seed: int) -> Image.Image:
    """Return an image with outlines, in which near-duplicates can be told."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8))
    return small.resize((120, 120), Image.Resampling.BICUBIC)


def file_of(image: Image.Image, kind: str = "PNG", **how) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Return a page of a workspace with two copies, an image under two labels and a blank one."""
    with opened(tmp_path_factory.mktemp("audit") / "pets") as found:
        cat = found.make("cat")
        dog = found.make("dog")
        for seed in range(1, 7):
            found.add((cat, dog)[seed % 2], f"{seed}.png", file_of(smooth(seed)))
        found.add(cat, "copy.png", file_of(smooth(2)))
        found.add(cat, "near.jpg", file_of(smooth(4), "JPEG", quality=60))
        found.add(dog, "other.png", file_of(smooth(6)))
        found.add(dog, "blank.png", file_of(Image.new("RGB", (64, 64), "white")))
        started = found.post("/api/audit")
        assert started.status_code == 202, started.text
        assert found.post("/api/audit").status_code == 409
        finish(found)
        yield found


def finish(page) -> dict:
    """Wait until the audit is done, and return what is said of it."""
    end = time.monotonic() + 300
    while (status := page.state()["audit"])["state"] == "running" and time.monotonic() < end:
        assert {"stage", "stage_text", "done", "total"} <= status.keys()
        time.sleep(0.1)
    return status


def test_it_finds_what_the_audit_of_the_command_line_finds(page):
    status = page.state()["audit"]
    assert status["state"] == "done", status
    assert not status["stale"]
    assert {"two_labels", "blank", "near_duplicate", "exact_copy"} <= {
        one["code"] for one in status["codes"]
    }
    images = page.studio.workspace.places.images
    expected = audit_data(load_data(str(images), for_training=False))
    assert {one["code"]: one["findings"] for one in status["codes"]} == expected.codes
    found = [row["text"] for row in page.get("/api/findings").json()["rows"]]
    assert len(found) == len(expected.findings)


def test_findings_are_filters_and_pairs(page):
    assert list(page.rows("finding=blank")) == ["dog/blank.png"]
    assert set(page.rows("finding=exact_copy")) == {"cat/2.png", "cat/copy.png"}
    assert page.rows("finding=dark") == {}
    (row,) = page.get("/api/findings?code=near_duplicate").json()["rows"]
    assert row["layout"] == "pair"
    assert {one["name"] for one in row["images"]} == {"cat/4.png", "cat/near.jpg"}
    assert row["action_text"] == "keep together"
    found = page.image(f"/images/difference/{row['number']}/1")
    assert found.headers["content-type"] == "image/png"
    assert max(Image.open(io.BytesIO(found.content)).size) >= 64
    assert found.headers["cache-control"] == "no-store"  # another audit gives the same numbers
    said = page.get(f"/api/findings/{row['number']}/difference/1").json()["text"]
    assert "mean difference" in said
    for place in ("0", "9"):
        assert page.image(f"/images/difference/{row['number']}/{place}").status_code == 404
    assert page.image("/images/difference/999/1").status_code == 409
    blank = page.rows()["dog/blank.png"]["id"]
    assert page.get(f"/api/images/{blank}").json()["findings"] != []


def test_one_image_under_two_labels_has_a_choice_of_them(page):
    (row,) = page.get("/api/findings?code=two_labels").json()["rows"]
    classes = page.classes()
    assert row["choices"]["classes"] == [classes["cat"], classes["dog"]]
    names = {one["name"] for one in row["images"]}
    assert len(row["choices"]["images"]) == len(names)
    assert row["choices"]["agreed"] is False
    asked = {"images": row["choices"]["images"], "class": classes["dog"]}
    assert page.post("/api/relabel", asked).json()["changed"] == 1
    (row,) = page.get("/api/findings?code=two_labels").json()["rows"]
    assert row["choices"]["agreed"] is True
    page.post("/api/undo")
    (row,) = page.get("/api/findings?code=blank").json()["rows"]
    assert row["choices"] == {"images": [], "classes": [], "agreed": False}


def test_what_is_proposed_is_done_and_undone(page):
    (row,) = page.get("/api/findings?code=blank").json()["rows"]
    assert [one["action"] for one in row["proposals"]] == ["exclude"]
    done = page.post("/api/apply", {"finding": row["number"]}).json()
    assert done["changed"] == 1
    assert page.state()["audit"]["stale"]
    assert page.post("/api/apply", {"finding": row["number"]}).json()["changed"] == 0  # no step
    assert list(page.rows("show=excluded")) == ["dog/blank.png"]
    assert page.post("/api/apply", {"code": "near_duplicate"}).json()["changed"] == 2
    kept = page.studio.workspace.marks.kept
    assert {one.action for one in kept} == {"group"}
    for _step in range(2):
        page.post("/api/undo")
    assert page.studio.workspace.marks.kept == []
    assert page.rows("show=excluded") == {}
    assert not page.state()["audit"]["stale"]
    assert page.post("/api/apply", {}).status_code == 422
    assert page.post("/api/apply", {"finding": True}).status_code == 422


def test_a_finding_is_done_by_all_of_its_images_also_those_that_are_not_shown(page, monkeypatch):
    from convlens.studio import findings

    monkeypatch.setattr(findings, "GALLERY", 1)
    (row,) = page.get("/api/findings?code=exact_copy").json()["rows"]
    shown = {one["id"] for one in row["images"]}
    (proposal,) = row["proposals"]
    assert proposal["image"] not in shown
    assert proposal["done"] is False
    page.post("/api/apply", {"finding": row["number"]})
    (row,) = page.get("/api/findings?code=exact_copy").json()["rows"]
    assert row["proposals"][0]["done"] is True
    page.post("/api/undo")
    (row,) = page.get("/api/findings?code=exact_copy").json()["rows"]
    assert row["proposals"][0]["done"] is False


def test_a_finding_of_an_audit_before_is_not_done(page):
    before = page.get("/api/findings?code=blank").json()
    assert before["stamp"] == page.state()["audit"]["stamp"]
    page.post("/api/audit")
    finish(page)
    after = page.get("/api/findings?code=blank").json()
    assert after["stamp"] != before["stamp"]
    asked = {"finding": before["rows"][0]["number"], "stamp": before["stamp"]}
    refused = page.post("/api/apply", asked)
    assert refused.status_code == 409
    assert "another audit has ended" in refused.json()["message"]
    assert page.post("/api/apply", asked | {"stamp": after["stamp"]}).json()["changed"] == 1
    page.post("/api/undo")


def test_it_is_there_after_a_restart(page):
    root = page.studio.workspace.places.root
    with opened(root) as other:
        assert other.state()["audit"]["state"] == "done"
        chinese = {"Accept-Language": "zh-TW"}
        (code,) = [
            one
            for one in other.get("/api/state", **chinese).json()["audit"]["codes"]
            if one["code"] == "blank"
        ]
        assert code["title"] == "空白影像"


def test_what_cannot_be_checked_is_one_line(tmp_path):
    with opened(tmp_path / "pets") as page:
        assert page.state()["audit"] == {"state": "none"}
        page.make("cat")
        page.post("/api/audit")
        status = finish(page)
        assert status["state"] == "failed"
        assert "must hold images" in status["message"]


def test_what_an_audit_says_is_in_the_language_of_the_page(tmp_path):
    chinese = {"Accept-Language": "zh-TW"}
    with opened(tmp_path / "empty") as other:
        other.post("/api/audit")
        finish(other)
        failed = [other.get("/api/state", **how).json()["audit"] for how in ({}, chinese)]
    assert [one["state"] for one in failed] == ["failed", "failed"]
    assert failed[0]["message"] != failed[1]["message"]


def test_words_of_a_decoder_are_not_shown(own):
    said = "a.png: the image is damaged (image file is truncated (4 bytes not processed))."
    finding = Finding("truncated", "error", (0,), ("cat/1.png",), {"problem": said}, "exclude")
    auditing = SimpleNamespace(finding=lambda _number: finding)
    shown = findings.shown(own.studio.workspace, auditing, 1)
    assert "not processed" not in json.dumps(shown)
    assert shown["facts"] == []
    # The file was cut off after it had come.
    path = own.studio.workspace.places.images / "cat" / "1.png"
    path.write_bytes(path.read_bytes()[:-30])
    found = own.image(f"/images/{own.rows()['cat/1.png']['id']}/full")
    assert found.status_code == 422
    assert found.json()["message"] == f"{path}: the image is cut off or damaged."


def test_it_can_be_stopped(page):
    page.post("/api/audit")
    found = page.client.delete("/api/audit", headers=page.headers).json()
    assert found["audit"]["state"] == "done"  # what the last one has found stays
    assert page.post("/api/audit").status_code == 202
    assert finish(page)["state"] == "done"


def test_an_audit_that_was_killed_has_failed_and_one_that_was_stopped_has_not(own):
    auditing = own.studio.auditing
    own.post("/api/audit")
    process = auditing._process
    process.kill()
    wait_for_the_end(process)
    status = own.state()["audit"]
    assert status["state"] == "failed"
    assert "ended before it was done" in status["message"]
    own.post("/api/audit")
    process = auditing._process
    own.client.delete("/api/audit", headers=own.headers)
    wait_for_the_end(process)
    assert own.state()["audit"] == {"state": "none"}


def test_what_an_audit_tells_that_was_stopped_is_not_the_progress_of_the_next(own, monkeypatch):
    auditing = own.studio.auditing
    own.post("/api/audit")
    process = auditing._process
    auditing._process = None  # it was stopped
    monkeypatch.setattr(auditing, "_progress", {"stage": "", "done": 0, "total": 0})
    wait_for_the_end(process)
    assert auditing._progress == {"stage": "", "done": 0, "total": 0}


def test_a_result_is_read_before_it_is_said_to_be_read(page, monkeypatch):
    from convlens.studio import auditing as module

    auditing = page.studio.auditing
    before = auditing.result()
    stamps = []
    read = module._read

    def reading(file):
        stamps.append(auditing._read_at)
        return read(file)

    monkeypatch.setattr(module, "_read", reading)
    auditing._read_at = -1
    assert auditing.result() == before
    assert stamps == [-1]  # another thread that asks meanwhile does not take the former result


def wait_for_the_end(process) -> None:
    """Wait until a process has ended and the thread that follows it has said so."""
    process.wait(300)  # an audit may have to start and end meanwhile, on a busy computer
    while any("_follow" in one.name for one in threading.enumerate()):
        time.sleep(0.01)


def test_a_file_that_holds_something_else_is_no_audit(own):
    for content in ("[]", "3", '{"audit": []}'):
        (own.studio.workspace.places.hidden / "audit.json").write_text(content)
        own.studio.auditing._read_at = -1
        assert own.state()["audit"] == {"state": "none"}
