"""What the tests share: a cache folder, images, a backbone, a run, and reports without charts.

`make test` runs two worker processes of pytest-xdist. A fixture of the scope "session" is made once
in each of them, and no test may change what it returns.
"""

import contextlib
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from convlens import backend, language_choice
from convlens.audit import time_limit
from convlens.report import page

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


def pytest_configure() -> None:
    """Give TensorFlow one thread in each worker of pytest-xdist, and hear Ctrl-C in every shell."""
    os.environ["CONVLENS_LANG"] = "en"
    # Background jobs of a shell ignore the signal, which some tests send.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Seed every test before its fixtures, so that new layers get the same weights in each run.

    The language is English in every locale, and after each test that chooses another one.
    """
    os.environ[language_choice.VARIABLE] = "en"
    language_choice._chosen.set(None)
    random.seed(0)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["CONVLENS_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    backend.start()


@pytest.fixture(scope="session", autouse=True)
def _unhurried() -> Iterator[None]:
    """Let no audit before a training leave checks out because the computer is busy.

    Trainings in processes of their own are not reached.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time_limit, "time_for", lambda prepared: 600.0)
        yield


@contextlib.contextmanager
def without_charts() -> Iterator[None]:
    """Write reports without charts and maps, which take longer than small networks to train."""
    from convlens.report import results  # which imports Keras, so that the engine is chosen first

    blank = Figure()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "_charts", lambda *_: {"confusion": blank, "calibration": blank})
        patch.setattr(page, "_show_mistakes", lambda *_: None)
        patch.setattr(page, "draw", lambda *_: b"")
        patch.setattr(results, "explain_mistakes", lambda *_: None)
        yield


@contextlib.contextmanager
def without_maps() -> Iterator[None]:
    """Fail where the mistakes of a training are explained that should take no time for it."""
    from convlens.report import results

    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(results, "explain_mistakes")
        yield


@pytest.fixture
def no_charts() -> Iterator[None]:
    """Run a test whose subject is a training with `without_charts`."""
    with without_charts():
        yield


def forget_threads(folder: Path) -> None:
    """Remove the number of threads, which a process cannot change any more, from saved settings."""
    for path in folder.rglob("run.toml"):
        text = path.read_text(encoding="utf-8")
        assert "threads = 2\n" in text
        path.write_text(text.replace("threads = 2\n", ""), encoding="utf-8")


def draw_shape(
    kind: str, rng: np.random.Generator, size: tuple[int, int] = (40, 48)
) -> Image.Image:
    """Return a bright disc or bar on dark noise, in colour; `size` is (height, width)."""
    height, width = size
    image = rng.integers(0, 60, (height, width, 3))
    y, x = np.mgrid[:height, :width]
    cy = rng.integers(12, height - 12)
    cx = rng.integers(12, width - 12)
    inside = (
        (y - cy) ** 2 + (x - cx) ** 2 < 64
        if kind == "disc"
        else (abs(y - cy) < 3) & (abs(x - cx) < 11)
    )
    image[inside] = rng.integers(150, 255, 3)
    return Image.fromarray(image.astype(np.uint8))


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a folder for each class of 60 generated images in two sizes."""
    folder = tmp_path_factory.mktemp("shapes")
    rng = np.random.default_rng(0)
    for kind in ("bar", "disc"):
        (folder / kind).mkdir()
        for number in range(60):
            draw_shape(kind, rng, (40, 48) if number % 2 else (56, 40)).save(
                folder / kind / f"{number}.png"
            )
    return folder


@pytest.fixture(scope="session")
def digits():
    """Return the 1,797 digits of scikit-learn, 8 x 8 pixels each."""
    from convlens.data.sources import load_data

    return load_data("digits")


@pytest.fixture(scope="session")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a classifier of three other classes, with random weights."""
    import keras

    from convlens.classifier.assembly import assemble
    from convlens.classifier.classifier import Classifier
    from convlens.config import Config
    from convlens.preprocess import Preprocessing
    from convlens.zoo.create import build

    keras.utils.set_random_seed(0)
    tiny = Config().replace(model="custom_cnn", filters=(6, 8), dense=(8,)).model
    seen = Preprocessing(8, 8, 1)
    model = assemble(lambda x: build("custom_cnn", x, 3, config=tiny), seen, 3, "custom_cnn")
    path = tmp_path_factory.mktemp("backbone") / "trained.keras"
    Classifier.from_logits(model, ("a", "b", "c"), seen).save(path)
    return path


@pytest.fixture(scope="session")
def finished_run(digits, tmp_path_factory: pytest.TempPathFactory):
    """Return a finished run of digits with everything that belongs to one."""
    from convlens.pipeline import train
    from tests.trainings import CONFIG, QUIET

    with without_charts():
        return train(digits, CONFIG, run=tmp_path_factory.mktemp("runs") / "finished", screen=QUIET)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, with a camera that shows a test picture.

    There is one for all tests, since Playwright cannot be started twice in a process.
    """
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        pytest.skip("the page is tested in Chromium, which is not installed here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=CAMERA)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that opens an address in a window of its own, and gives the page."""
    contexts = []

    def open_page(address: str, *, before: str = "", **window: Any) -> Any:
        context = browser.new_context(**({"locale": "en-GB"} | window))
        context.set_default_timeout(120_000)  # other work may keep the processors busy
        contexts.append(context)
        page = context.new_page()
        page.requested = []
        page.on("request", lambda request: page.requested.append(request.url))
        if before:
            page.add_init_script(before)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(name="page")
def watched_page(visit: Callable[..., Any], address: str) -> Iterator[Any]:
    """The page at the fixture `address`; it asks for nothing else, and no script of it fails."""
    opened = visit(address)
    opened.problems = []
    opened.on("pageerror", lambda error: opened.problems.append(str(error)))
    yield opened
    assert opened.problems == []
    assert opened.requested == [address]
