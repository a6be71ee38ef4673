"""How fast the room Try answers: pictures of a fake webcam, from the page to the page.

    python benchmarks/studio_try.py SOURCE RUN...

SOURCE is what `convlens studio` opens; each RUN is a folder of a finished training, which is copied
into the workspace. Chromium shows a camera of 640 x 480 pixels. Each run is opened twice, the first
time without its converted network in the cache. The answers a second are the median of ten seconds;
the times of a map and of the nearest training images are those of the first question and of the
second one.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import sync_playwright
from studio_process import started

SECONDS = 10
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


def main() -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source")
    parser.add_argument("runs", nargs="+", type=Path)
    given = parser.parse_args()
    source = str(Path(given.source).resolve())
    runs = [run.resolve() for run in given.runs]
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        os.environ["CONVLENS_CACHE"] = str(Path(place) / "cache")
        with started(source):
            pass  # it has made the workspace
        (workspace,) = Path(place).glob("*-studio")
        for run in runs:
            shutil.copytree(run, workspace / "runs" / run.name)
        with started(source) as (process, url, token):
            for run in runs:
                address = f"{url}/#token={token}&room=try&run={run.name}"
                for which in ("the first time", "again"):
                    measure(address, f"{run.name}, {which}", process.pid)
                    for one in answers_of(process.pid):
                        one.kill()
                        one.wait()


def measure(address: str, run: str, server: int) -> None:
    """Print what the room does with a run."""
    with sync_playwright() as playwright:
        program = shutil.which("chromium")
        arguments = ["--no-sandbox", *CAMERA]
        chromium = playwright.chromium.launch(executable_path=program, args=arguments)
        page = chromium.new_context(viewport={"width": 1280, "height": 860}).new_page()
        page.set_default_timeout(120_000)
        answered: list[float] = []

        def hear(response: Any) -> None:
            if "/api/try?" in response.url and response.ok:
                answered.append(time.perf_counter())

        page.on("response", hear)
        began = time.perf_counter()
        page.goto(address)
        page.locator(".looked-at .button.primary").click()  # the webcam
        page.wait_for_selector(".said")
        spent = sum(answers_of(server)[0].cpu_times()[:2])
        print(
            f"{run}: first answer after {time.perf_counter() - began:.1f} s, for which the process "
            f"that answers has computed {spent:.1f} s"
        )
        page.wait_for_timeout(2000)
        start = time.perf_counter()
        page.wait_for_timeout(1000 * SECONDS)
        each = [
            sum(start + second <= one < start + second + 1 for one in answered)
            for second in range(SECONDS)
        ]
        print(f"{run}: {statistics.median(each):.0f} answers a second (least {min(each)})")
        print(f"{run}: {page.inner_text('.pace')}")
        page.keyboard.press("Space")
        page.wait_for_selector(".stage .still")
        for button, part in ((0, ".why"), (1, ".near")):
            for which in ("first", "again"):
                seconds = opened(page, button, part)
                print(f"{run}: {part[1:]}, {which}: {seconds:.2f} s")
        for name, one in (("answers", *answers_of(server)), ("server", psutil.Process(server))):
            print(f"{run}: memory of the {name}: {one.memory_full_info().uss / 1e6:.0f} MB")
        chromium.close()


def answers_of(server: int) -> list[psutil.Process]:
    """Return the processes that answer."""
    children = psutil.Process(server).children()
    return [one for one in children if "answer_process" in " ".join(one.cmdline())]


def opened(page: Any, button: int, part: str) -> float:
    """Return the seconds until a part of the page has its answer; then close it."""
    began = time.perf_counter()
    page.locator(".ask-more .button").nth(button).click()
    page.wait_for_selector(f"{part}[aria-busy=false]")
    seconds = time.perf_counter() - began
    page.locator(".ask-more .button").nth(button).click()
    return seconds


if __name__ == "__main__":
    main()
