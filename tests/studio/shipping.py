"""Shipping: what the tests of the room Ship ask a page."""

import time

PATIENCE = 300.0  # seconds; other work may keep the processors busy


def ship(page):
    found = page.get("/api/ship")
    assert found.status_code == 200, found.text
    return found.json()


def wait(page, what, states):
    """Wait until something is in none of some states."""
    end = time.monotonic() + PATIENCE
    while (found := ship(page)[what])["state"] in states:
        assert time.monotonic() < end, found
        time.sleep(0.2)
    return found
