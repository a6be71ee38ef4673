"""How the page of the studio does with many images: first paint, gaps while scrolling, memory.

    python benchmarks/studio_page.py [--images 20000] [--side 256]

A studio is started on as many JPEG files as benchmarks/studio.py makes, and Chromium opens it.
A gap is a place in the window for which the page has no cell when a frame is drawn; a blank cell
is one whose image has not come yet.
"""

import argparse
import shutil
import time
from typing import Any

import psutil
from playwright.sync_api import sync_playwright

from studio import running

SECONDS = 8.0  # of scrolling at each speed
SPEEDS = (1000, 3000, 10000)  # pixels per second

# Whether all images in the window are there; the images, the places and the cells without image.
LOOK = """() => {
  const view = document.querySelector(".grid").getBoundingClientRect();
  const cells = [...document.querySelectorAll(".cell")].filter((cell) => {
    const box = cell.getBoundingClientRect();
    return box.bottom > view.top && box.top < view.bottom;
  });
  const blank = cells.filter((cell) => !cell.querySelector("img")?.naturalWidth);
  return { cells: cells.length, blank: blank.length };
}"""
# Milliseconds until the browser had drawn text or an image for the first time.
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
SCROLL = """async ([speed, seconds]) => {
  const grid = document.querySelector(".grid");
  const watch = LOOK_HERE;
  const box = document.querySelector(".cell").getBoundingClientRect();
  const columns = Math.round(grid.clientWidth / (box.width + 8));
  const least = columns * Math.floor(grid.clientHeight / (box.height + 8));
  const found = { frames: 0, gaps: 0, blank: 0, cells: 0 };
  const begin = performance.now();
  let before = begin;
  for (;;) {
    const now = await new Promise(requestAnimationFrame);
    if (now - begin > 1000 * seconds) return found;
    const { cells, blank } = watch();
    found.frames += 1;
    found.cells += cells;
    found.blank += blank;
    if (cells < least) found.gaps += 1;
    grid.scrollTop += (speed * (now - before)) / 1000;
    before = now;
  }
}"""


def main() -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--side", type=int, default=256)
    given = parser.parse_args()
    with running(given.images, given.side) as (_process, url, token):
        measure(f"{url}/#token={token}")


def measure(address: str) -> None:
    """Print what the page does."""
    with sync_playwright() as playwright:
        program = shutil.which("chromium")
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = chromium.new_context(viewport={"width": 1280, "height": 860}, locale="en-GB")
        page = context.new_page()
        for which in ("first time", "again"):
            begun, complete = first_paint(page, address)
            print(f"first paint, {which}: {begun:.2f} s; with all images: {complete:.2f} s")
        page.wait_for_function("() => document.querySelector('.cells').clientHeight > 100000")
        for speed in SPEEDS:
            found = page.evaluate(SCROLL.replace("LOOK_HERE", LOOK), [speed, SECONDS])
            blank = 100 * found["blank"] / max(1, found["cells"])
            print(
                f"scrolling {speed} pixels a second: {found['frames'] / SECONDS:.0f} frames a "
                f"second, {found['gaps']} with gaps, {blank:.1f} % of the cells blank"
            )
        client = context.new_cdp_session(page)
        client.send("HeapProfiler.collectGarbage")
        heap = client.send("Runtime.getHeapUsage")["usedSize"]
        print(f"memory: {renderer() / 1e6:.0f} MB, of which scripts {heap / 1e6:.0f} MB")
        chromium.close()


def first_paint(page: Any, address: str) -> tuple[float, float]:
    """Return the seconds until the page shows its first content, and all images in the window."""
    page.goto("about:blank")
    begin = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(".cell")
    page.wait_for_function(
        f"() => {{ const seen = ({LOOK})(); return seen.cells && !seen.blank; }}"
    )
    complete = time.perf_counter() - begin
    return page.evaluate(PAINTED) / 1000, complete


def renderer() -> float:
    """Return the bytes that the process of the page alone holds."""
    found = [
        child.memory_full_info().uss
        for child in psutil.Process().children(recursive=True)
        if "--type=renderer" in child.cmdline()
    ]
    return max(found)


if __name__ == "__main__":
    main()
