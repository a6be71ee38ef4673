"""The room Ship in Chromium: both languages, two tabs, reload and kill, keyboard, axe, a phone."""

import json
import shutil
import socket
import subprocess

import pytest

from tests.studio.browsing import (  # noqa: F401 - fixtures
    PHONE,
    Served,
    wait_for,
    window,
    write_folder,
)
from tests.studio.test_page_access import WIDTH, complaints, tab_to

SHIP = "#room=ship"
EXPORTING = 300_000  # milliseconds that an export may take


@pytest.fixture(scope="module")
def exported_digits(finished_run, tmp_path_factory):
    """Return an exported folder of the run, made in this process."""
    from convlens.export.export import export_classifier
    from convlens.export.target import Target

    out = tmp_path_factory.mktemp("exports") / "digits-ready"
    path = finished_run.folder / "classifier.keras"
    export_classifier(path, Target("openvino"), out, report=finished_run.report)
    return out


@pytest.fixture
def shipping(finished_run, tmp_path):
    """Return a studio whose workspace has images and a finished run; it is not started."""
    served = Served(tmp_path / "workspace")
    write_folder(served.folder / "images", cat=3, dog=3)
    shutil.copytree(finished_run.folder, served.folder / "runs" / "digits")
    (served.folder / ".studio").mkdir()
    facts = {"format": 1, "source": None}
    (served.folder / ".studio" / "studio.json").write_text(json.dumps(facts), encoding="utf-8")
    yield served
    served.close()  # with the server, which outlives a studio


def enter(tabs, served):
    """Return a page that shows the room."""
    page = tabs.tab(served.address)
    page.goto(f"{served.origin}/{SHIP}")
    page.wait_for_selector(".ship-main")
    return page


def card(page, name):
    return page.locator(f'article[aria-label="{name}"]')


def test_a_classifier_leaves_with_its_proof(shipping, window):  # noqa: F811
    shipping.start()
    tabs = window(accept_downloads=True)
    page = enter(tabs, shipping)
    other = enter(tabs, shipping)  # before it begins, since a small export may soon end
    page.locator(".format", has_text="OpenVINO").click()
    page.get_by_role("button", name="Export", exact=True).click()
    page.wait_for_selector(".running progress")
    # The second tab shows the same, or its end if that comes before.
    other.wait_for_selector(".running progress, .export-form .good")
    page.reload()  # loses nothing
    page.wait_for_selector(".running progress, .export-form .good")
    card(page, "digits-openvino").wait_for(timeout=EXPORTING)
    card(other, "digits-openvino").wait_for()
    made = card(page, "digits-openvino")
    proof = json.loads((shipping.folder / "exports" / "digits-openvino" / "proof.json").read_text())
    total = proof["examples"] + proof["images"]
    assert made.locator(".verdict").inner_text() == "proof holds"
    assert f"{total} of {total}" in made.locator(".proof").inner_text()
    assert made.locator(".scores-list li").count() == 5
    # The same export again is refused where it was asked for.
    page.get_by_role("button", name="Export", exact=True).click()
    page.locator(".export-form .problem", has_text="this folder exists").wait_for()
    with page.expect_download() as saved:
        made.get_by_role("button", name="Save as zip").click()
    assert saved.value.suggested_filename == "digits-openvino.zip"
    _serve(page, made)
    page.get_by_role("button", name="中文").click()
    made.get_by_text("比對通過").wait_for()
    tabs.check(shipping.origin)


def _serve(page, made):
    made.get_by_role("button", name="Serve").click()
    made.locator(".at-work .address").wait_for()
    page.reload()
    curl = made.locator(".at-work code").inner_text()
    if shutil.which("curl"):
        subprocess.run(curl, shell=True, capture_output=True, timeout=120, check=True)
        made.get_by_text("1 request answered").wait_for()
    made.get_by_role("button", name="Stop the server").click()
    made.locator(".at-work").wait_for(state="detached")


def test_a_workspace_is_saved_and_opened(shipping, window):  # noqa: F811
    shipping.start()
    tabs = window(accept_downloads=True)
    page = enter(tabs, shipping)
    panel = page.locator(".ship-side .panel").first
    panel.locator(".zip-size").wait_for()
    with page.expect_download() as saved:
        panel.get_by_role("button", name="Save as zip").click()
    file = shipping.folder.parent / "again.zip"
    saved.value.save_as(file)
    panel.locator('input[type="file"]').set_input_files(file)
    panel.locator(".good").wait_for()
    again = shipping.folder.parent / "again"
    assert str(again) in panel.locator(".good").inner_text()
    assert "convlens studio" in panel.locator("code").inner_text()
    for place in ("images", "runs"):
        ours = {
            path.relative_to(shipping.folder): path.read_bytes()
            for path in (shipping.folder / place).rglob("*")
            if path.is_file()
        }
        assert ours
        assert all((again / name).read_bytes() == content for name, content in ours.items())
    (shipping.folder.parent / "no.zip").write_bytes(b"no zip")
    panel.locator('input[type="file"]').set_input_files(shipping.folder.parent / "no.zip")
    panel.locator(".problem", has_text="no.zip: this is no zip archive").wait_for()
    tabs.check(shipping.origin)


def states(page, shipping, exported_digits):
    """Yield the names of what can be seen, one after the other."""
    yield "run"
    page.locator(".format", has_text="LiteRT").click()
    page.locator(".chip", has_text="int8").click()
    page.locator(".export-form .problem").wait_for()
    page.locator(".export-form .terminal summary").click()
    yield "refused"
    web = shipping.folder / "exports" / "digits-web"
    shutil.copytree(exported_digits, web)
    facts = json.loads((web / "convlens.json").read_text())
    (web / "convlens.json").write_text(json.dumps(facts | {"format": "web"}))  # so it was changed
    (web / "index.html").write_text("<!doctype html>", encoding="utf-8")
    shutil.copytree(exported_digits, shipping.folder / "exports" / "digits-ready")
    page.reload()
    card(page, "digits-ready").wait_for()
    assert card(page, "digits-web").locator(".verdict").inner_text().startswith("changed")
    card(page, "digits-ready").get_by_role("button", name="Serve").click()
    card(page, "digits-ready").locator(".at-work .address").wait_for()
    card(page, "digits-web").get_by_role("button", name="Show on a phone").click()
    page.wait_for_selector(".phone-ways")
    yield "who can see it"
    page.locator(".way-button").first.click()
    card(page, "digits-web").locator(".qr").wait_for()
    for summary in page.locator("summary").all():
        summary.click()
    yield "at work"
    card(page, "digits-ready").get_by_role("button", name="Remove").click()
    page.wait_for_selector("dialog")
    yield "remove"


@pytest.mark.parametrize(("theme", "size"), [("light", None), ("dark", PHONE)])
def test_axe_finds_nothing_serious(
    shipping,
    window,  # noqa: F811
    exported_digits,
    theme,
    size,
):
    run = shutil.move(shipping.folder / "runs" / "digits", shipping.folder.parent / "digits")
    shipping.start()
    tabs = window(color_scheme=theme, **({} if size is None else {"size": size}))
    page = enter(tabs, shipping)
    page.locator(".notice-line").wait_for()
    found = {"empty": complaints(page)}
    shutil.move(run, shipping.folder / "runs" / "digits")
    page.wait_for_selector(".format")  # the page notices by itself
    for state in states(page, shipping, exported_digits):
        found[state] = complaints(page)
        if size is not None:
            assert page.evaluate(WIDTH) == PHONE["width"], state
    assert found == {state: [] for state in found}
    assert len(found) == 6
    tabs.check(shipping.origin)


def test_a_failed_export_is_shown_and_can_be_accepted(shipping, window):  # noqa: F811
    failed = {
        "asked": {
            "run": str(shipping.folder / "runs" / "digits"),
            "to": "openvino",
            "precision": "int8",
            "any_size": False,
            "accept_loss": False,
            "out": str(shipping.folder / "exports" / "digits-openvino-int8"),
        },
        "message": "int8 must not cost more than 1 point of the accuracy.",
        "may_accept": True,
    }
    (shipping.folder / ".studio" / "export.json").write_text(json.dumps(failed), encoding="utf-8")
    shipping.start()
    page = enter(window(), shipping)
    panel = page.locator(".failed")
    assert "digits-openvino-int8 was not written" in panel.inner_text()
    assert "int8 must not cost more" in panel.inner_text()
    panel.get_by_role("button", name="Accept the loss").click()
    page.wait_for_selector(".running")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_selector(".running", state="detached")
    left = shipping.folder / "exports"
    assert not left.exists() or list(left.iterdir()) == []


def test_the_keyboard_suffices_and_a_studio_that_is_gone_is_said(
    shipping,
    window,  # noqa: F811
    exported_digits,
):
    shutil.copytree(exported_digits, shipping.folder / "exports" / "digits-ready")
    shipping.start()
    tabs = window()
    page = enter(tabs, shipping)
    tab_to(page, "Classifier")
    page.keyboard.press("Tab")  # to the formats, which the arrows choose from
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.value") == "openvino"
    tab_to(page, "Remove")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog")  # until then, the same button would be found again
    tab_to(page, "Remove")
    page.keyboard.press("Enter")
    page.locator(".message", has_text="digits-ready was removed").wait_for()
    assert not (shipping.folder / "exports" / "digits-ready").exists()
    shipping.kill()
    page.get_by_role("button", name="Export", exact=True).click()
    page.locator(".banner", has_text="does not answer").wait_for()
    shipping.start()
    page.locator(".banner").wait_for(state="detached")


def _address():
    """Return an address of this computer that is not loopback, as a phone has it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this computer has no address in a network")
        return probe.getsockname()[0]


@pytest.mark.parametrize("https", [False, True])
def test_a_phone_takes_photos_over_http_and_has_a_live_camera_over_https(
    tmp_path,
    window,  # noqa: F811
    https,
):
    address = _address()
    words = ("--host", "0.0.0.0", *(("--https",) if https else ()))
    served = Served(tmp_path / "workspace", *words)
    served.start()
    try:
        tabs = window(size=PHONE, ignore_https_errors=True)
        there = served.address.replace("127.0.0.1", address)
        page = tabs.tab(there)
        page.get_by_label("Name of the first class").first.fill("cat")
        page.keyboard.press("Enter")
        if https:
            page.wait_for_selector(".hold:enabled")
            page.locator(".hold").press("Enter")
            wait_for(page, lambda: len(served.files), 1)
        else:
            page.get_by_role("button", name="Take a photo").wait_for()
            capture = page.locator('.no-camera input[type="file"]')
            assert capture.get_attribute("capture") == "environment"
        page.goto(there.partition("#")[0] + SHIP)
        at_work = page.locator('.camera-ways li[data-is="true"]')
        assert at_work.inner_text().startswith("Live webcam" if https else "Take a photo")
        page.get_by_role("button", name="Show the address for a phone").click()
        page.locator(".invitation .qr").wait_for()
        assert page.locator(".invitation code").inner_text() == there
        # Over http, Chromium says at the console which header it ignores there.
        tabs.problems = [text for text in tabs.problems if "Opener-Policy" not in text]
        tabs.check(there.partition("/#")[0])
    finally:
        served.close()
