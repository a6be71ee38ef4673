"""The camera of the page: however often it is asked for, it is opened once."""

import pytest

from tests.export.web.conftest import serving, wait

COUNTED = """() => {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  window.opened = 0;
  navigator.mediaDevices.getUserMedia = (wanted) => {
    window.opened += 1;
    return open(wanted);
  };
}"""


@pytest.fixture(scope="module")
def address(exported):
    with serving(exported("web")) as found:
        yield found


def test_a_double_click_opens_the_camera_once(visit, address):
    page = visit(address, permissions=["camera"])
    wait(page)
    page.evaluate(COUNTED)
    page.dblclick("#start")
    page.wait_for_selector("#seen .bars")
    assert page.evaluate("window.opened") == 1
    page.click("#stop")
    page.click("#start")
    page.wait_for_selector("#camera:not([hidden]) .bars")
    assert page.evaluate("window.opened") == 2
