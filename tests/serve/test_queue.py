"""Images that wait: the queue is bounded, and what nobody waits for is not computed."""

import asyncio
import gc
import io
import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from convlens.errors import ImageError
from convlens.serve import queue as queue_module
from convlens.serve.limits import Limits, Refusal
from convlens.serve.queue import Queue
from tests.export.conftest import SEEN
from tests.serve.conftest import answer_of


class Gate:
    """An engine whose runs wait until it is opened, and which counts them."""

    def __init__(self, served):
        self.opened = threading.Event()
        self.begun = 0
        self.engine = served.engine._replace(
            alone=lambda images: self.run(served.engine.alone, images),
            beside=lambda images: self.run(served.engine.beside, images),
        )

    def run(self, run, images):
        self.begun += 1
        assert self.opened.wait(20)
        return run(images)


@pytest.fixture
def gate(served):
    found = Gate(served)
    yield found
    found.opened.set()


@pytest.fixture
def queue(served, gate):
    """Return a queue of six images with two threads whose engine waits at the gate."""
    found = Queue(replace(served, engine=gate.engine), Limits(max_queue=6))
    yield found
    found.close()


def pixels(number):
    return np.random.default_rng(0).integers(0, 256, (number, *SEEN.shape), np.uint8)


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


def test_the_places_are_bounded_and_given_back(queue, gate):
    async def ask():
        tasks = [asyncio.create_task(queue.compute(pixels(2))) for _request in range(3)]
        await until(lambda: gate.begun == 2)
        assert queue.waiting == 6
        with pytest.raises(Refusal) as refused:
            await queue.compute(pixels(1))
        assert refused.value.status_code == 503
        assert refused.value.headers == {"Retry-After": "1"}
        with pytest.raises(Refusal) as refused:
            await queue.compute(pixels(7))
        assert refused.value.status_code == 413
        gate.opened.set()
        rows = await asyncio.gather(*tasks)
        assert queue.waiting == 0
        assert (await queue.compute(pixels(6))).shape == (6, 3)
        return rows

    for rows in answer_of(ask()):
        np.testing.assert_allclose(rows.sum(1), 1, atol=1e-5)


def test_what_nobody_waits_for_is_not_computed(queue, gate):
    async def ask():
        task = asyncio.create_task(queue.compute(pixels(6)))
        await until(lambda: gate.begun == 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert queue.waiting == 0
        gate.opened.set()
        await queue.compute(pixels(1))
        assert gate.begun == 3

    answer_of(ask())


def test_a_closed_queue_answers_what_it_has_accepted(queue, gate):
    async def ask():
        task = asyncio.create_task(queue.compute(pixels(4)))
        await until(lambda: gate.begun == 2)
        queue.close()
        with pytest.raises(Refusal, match="stopping"):
            await queue.compute(pixels(1))
        gate.opened.set()
        return await task

    assert answer_of(ask()).shape == (4, 3)


def test_images_do_not_change_each_other(served, queue, gate):
    async def ask():
        return await asyncio.gather(*(queue.compute(image[None]) for image in given))

    gate.opened.set()
    given = pixels(6)
    alone = np.concatenate([served.engine.alone(image[None]) for image in given])
    np.testing.assert_allclose(np.concatenate(answer_of(ask())), alone, atol=1e-6)


def stream(image, kind="PNG"):
    found = io.BytesIO()
    image.save(found, kind)
    return found


def test_damaged_images_among_others_are_errors(queue, gate):
    async def ask():
        whole = stream(Image.new("RGB", (30, 30), "red"))
        return await queue.classify([whole, io.BytesIO(b"text"), whole])

    gate.opened.set()
    first, second, third = answer_of(ask())
    assert isinstance(second, ImageError)
    assert first.prediction.label == third.prediction.label
    assert 0 < first.milliseconds <= third.milliseconds + 1000


@pytest.mark.parametrize("is_damaged", [False, True])
def test_images_are_freed_when_they_are_answered(queue, gate, is_damaged):
    async def ask():
        image = stream(Image.new("RGB", (30, 30), "red"))
        if is_damaged:
            image.truncate(60)
        left = weakref.ref(image)
        await queue.classify([image])
        del image
        await until(lambda: left() is None)

    gate.opened.set()
    gc.disable()
    try:
        answer_of(ask())
    finally:
        gc.enable()


def test_an_image_whose_client_has_gone_counts_as_one(queue, gate):
    computed = []
    queue.computed = computed.append

    async def ask():
        task = asyncio.create_task(queue.compute(pixels(1)))
        await until(lambda: gate.begun == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.opened.set()
        await until(lambda: computed)

    answer_of(ask())
    assert computed == [1]


def test_deep_images_of_one_request_have_one_unit(served, gate):
    seen = replace(served.predictor.preprocessing, unit=None)
    predictor = replace(served.predictor, preprocessing=seen)
    queue = Queue(replace(served, predictor=predictor), Limits(max_queue=6))
    rng = np.random.default_rng(0)
    deep = [
        stream(Image.fromarray((rng.random((40, 40)) * white).astype(np.uint16)))
        for white in (900, 60_000)
    ]

    async def ask():
        return await queue.classify(deep)

    expected = predictor.predict(deep)
    apart = [predictor.predict(image)[0] for image in deep]
    assert np.abs(apart[0].probabilities - expected[0].probabilities).max() > 1e-3
    for one, other in zip(answer_of(ask()), expected, strict=True):
        np.testing.assert_allclose(one.prediction.probabilities, other.probabilities, atol=1e-6)
    queue.close()


def test_deep_images_that_are_refused_do_not_decide_the_unit(monkeypatch):
    deep = stream(Image.fromarray(np.full((9, 9), 40_000, np.uint16)))
    assert queue_module._is_deep(deep)

    def refuse(_header, _image):
        raise ImageError("too many scans")

    monkeypatch.setattr(queue_module, "is_large", refuse)
    assert not queue_module._is_deep(deep)


def test_large_images_are_decoded_one_at_a_time(queue, gate, monkeypatch):
    decoding = []
    most = []

    def prepare(image, _seen, check):
        check(image)
        check(image)  # as for a PNG whose metadata is broken, which is opened again without it
        decoding.append(image)
        most.append(len(decoding))
        threading.Event().wait(0.02)
        decoding.pop()
        return pixels(1)[0]

    monkeypatch.setattr("convlens.serve.queue.prepare", prepare)
    gate.opened.set()

    async def ask(large):
        monkeypatch.setattr("convlens.serve.queue.is_large", lambda *_given: large)
        most.clear()
        await queue.classify([io.BytesIO() for _image in range(6)])
        return max(most)

    assert answer_of(ask(large=True)) == 1
    assert answer_of(ask(large=False)) == 2
