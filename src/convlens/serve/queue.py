"""Queue: the images that wait to be classified. A few threads decode and compute them.

The queue is bounded. An image whose client has gone is not computed.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens.classifier.prediction import Prediction
from convlens.errors import ImageError
from convlens.image_file import ImageLike, name_of
from convlens.language import _, language, using
from convlens.preprocess import ImageArray, Preprocessing, fit_image, read_image
from convlens.serve.limits import Limits, Refusal
from convlens.serve.model import Served


class Answer(NamedTuple):
    """What is said of an image.

    Attributes:
        prediction: The prediction.
        milliseconds: The time since the image was accepted.
    """

    prediction: Prediction
    milliseconds: float


@dataclass(eq=False)
class Job:
    """An image that waits, encoded or already as pixels.

    Attributes:
        image: The encoded image, or uint8 (height, width, channels) as the network takes it.
        preprocessing: How an encoded image is brought to the input of the network; None for pixels.
        language: The language of an error.
        future: What the event loop waits for: the (num_classes,) probabilities.
        loop: That event loop.
        dropped: Whether the client has gone.
    """

    image: ImageLike
    preprocessing: Preprocessing | None
    language: str
    future: "asyncio.Future[NDArray[np.float32]]"
    loop: asyncio.AbstractEventLoop
    dropped: bool = field(default=False)


class Queue:
    """Images that wait, and the threads that classify them.

    Attributes:
        served: What classifies.
        waiting: The number of images that were accepted and not yet answered.
        is_open: False once no further image is accepted.
        computed: A function that is called with the number of images that were computed together.
    """

    def __init__(self, served: Served, limits: Limits) -> None:
        self.served = served
        self.waiting = 0
        self.is_open = True
        self.computed: Callable[[int], None] = lambda _images: None
        self._most = limits.max_queue
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name="convlens-serve", daemon=True)
            for _number in range(served.threads)
        ]
        for thread in self._threads:
            thread.start()

    async def classify(self, images: Sequence[ImageLike]) -> list[Answer | ImageError]:
        """Return an answer, or what is wrong, for each encoded image.

        Raises:
            Refusal: If the queue is full.
        """
        start = time.perf_counter()
        predictor = self.served.predictor
        jobs = self._accept(images, predictor.preprocessing)
        answers: list[Answer | ImageError] = []
        for image, row in zip(images, await self._finish(jobs), strict=True):
            if isinstance(row, ImageError):
                answers.append(row)
                continue
            if isinstance(row, BaseException):
                raise row
            prediction = predictor.prediction(name_of(image) or "", row)
            answers.append(Answer(prediction, 1000 * (time.perf_counter() - start)))
        return answers

    async def compute(self, images: ImageArray) -> NDArray[np.float32]:
        """Return (n, num_classes) for uint8 (n, height, width, channels), n > 0.

        Raises:
            Refusal: If the queue is full.
        """
        rows = await self._finish(self._accept(list(images), None))
        return np.stack([_or_raise(row) for row in rows])

    def check_room(self, number: int = 1) -> None:
        """Raise Refusal if so many further images are not accepted now."""
        if number > self._most:
            raise Refusal(
                413,
                _("a request may have {most} images at most; found {number}.").format(
                    most=self._most, number=number
                ),
            )
        if not self.is_open:
            raise Refusal(503, _("the server is stopping."), {"Retry-After": "10"})
        if self.waiting + number > self._most:
            raise Refusal(
                503,
                _("{waiting} images are waiting, which is the most; try again soon.").format(
                    waiting=self.waiting
                ),
                {"Retry-After": "1"},
            )

    def close(self) -> None:
        """Let the threads end."""
        self.is_open = False
        for _thread in self._threads:
            self._jobs.put(None)

    def _accept(self, images: Sequence[Any], preprocessing: Preprocessing | None) -> list[Job]:
        self.check_room(len(images))
        self.waiting += len(images)
        loop = asyncio.get_running_loop()
        said_in = language()
        jobs = [Job(image, preprocessing, said_in, loop.create_future(), loop) for image in images]
        for job in jobs:
            self._jobs.put(job)
        return jobs

    async def _finish(self, jobs: Sequence[Job]) -> list[NDArray[np.float32] | BaseException]:
        """Return what the jobs give, and drop them if this is cancelled."""
        try:
            return await asyncio.gather(*(job.future for job in jobs), return_exceptions=True)
        except asyncio.CancelledError:
            for job in jobs:
                job.dropped = True
            raise

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            result: NDArray[np.float32] | Exception | None = None
            if not job.dropped:
                try:
                    result = self._classify(job)
                except Exception as error:  # is raised where the answer is awaited
                    result = error
            try:
                job.loop.call_soon_threadsafe(self._answer, job, result)
            except RuntimeError:  # the loop was closed
                return

    def _classify(self, job: Job) -> NDArray[np.float32]:
        pixels = job.image
        if job.preprocessing is not None:
            with using(job.language):
                seen = job.preprocessing
                reading = read_image(job.image, seen.shape[:2], seen.unit)
                pixels = fit_image(reading.image, seen)
        row: NDArray[np.float32] = self.served.run(np.asarray(pixels)[None])[0]
        self.computed(1)
        return row

    def _answer(self, job: Job, result: NDArray[np.float32] | Exception | None) -> None:
        self.waiting -= 1
        if job.future.done():  # cancelled
            return
        if isinstance(result, Exception):
            job.future.set_exception(result)
        else:
            job.future.set_result(result if result is not None else np.empty(0, np.float32))


def _or_raise(row: NDArray[np.float32] | BaseException) -> NDArray[np.float32]:
    if isinstance(row, BaseException):
        raise row
    return row
