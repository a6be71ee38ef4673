"""Queue: the images that wait to be classified. A few threads decode and compute them.

The queue is bounded. An image whose client has gone is not computed.
"""

import asyncio
import io
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convlens.classifier.prediction import Prediction
from convlens.decode import may_begin_deep, read_header
from convlens.errors import ImageError
from convlens.export.folder import Exported
from convlens.image_file import name_of
from convlens.language import _
from convlens.language_choice import language, using
from convlens.preprocess import ImageArray, Preprocessing, prepare
from convlens.serve.limits import Limits, Refusal
from convlens.serve.model import Served
from convlens.serve.untrusted import give_memory_back, is_large

T = TypeVar("T")


class Answer(NamedTuple):
    """What is said of an image.

    Attributes:
        prediction: The prediction.
        milliseconds: The time from its acceptance to its probabilities.
    """

    prediction: Prediction
    milliseconds: float


class Row(NamedTuple):
    """The (num_classes,) probabilities of an image, and when they were computed."""

    probabilities: NDArray[np.float32]
    time: float


@dataclass(eq=False)
class Job:
    """Something that a thread computes for a request.

    Attributes:
        work: A function without arguments, which is called in the language of the request; None if
            the client has gone.
        language: That language.
        done: Gets what the function returns, or its error; the request waits for it.
    """

    work: Callable[[], Any] | None
    language: str
    done: "asyncio.Future[Any]"


class Queue:
    """Images that wait, and the threads that classify them.

    Attributes:
        served: What classifies.
        waiting: The number of images that were accepted and not yet computed.
        is_open: False once no further image is accepted.
        computed: A function that is called with the number of images that are computed at the same
            time, whenever one has been.
    """

    def __init__(self, served: Served, limits: Limits) -> None:
        self.served = served
        self.waiting = 0
        self.is_open = True
        self.computed: Callable[[int], None] = lambda _images: None
        self._most = limits.max_queue
        self._large = threading.RLock()  # held while a large image is decoded, for the memory
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name="convlens-serve", daemon=True)
            for _number in range(served.threads)
        ]
        for thread in self._threads:
            thread.start()

    async def classify(self, images: Sequence[io.BytesIO]) -> list[Answer | ImageError]:
        """Return an answer, or what is wrong, for each of some encoded images.

        Raises:
            Refusal: If the queue is full.
        """
        start = time.perf_counter()
        self.check_room(len(images))
        with self._places(len(images)):
            predictor = self.served.predictor
            if len(images) > 1 and predictor.preprocessing.unit is None:
                # As in `convlens predict`, deep images that come together have one unit.
                predictor = await self._do(partial(self._with_unit_of, predictor, images))
            seen = predictor.preprocessing
            found = await self._do_all([partial(self._classify, one, seen) for one in images])
        answers: list[Answer | ImageError] = []
        for image, row in zip(images, found, strict=True):
            if isinstance(row, ImageError):
                answers.append(row)
            elif isinstance(row, BaseException):
                raise row
            else:
                prediction = predictor.prediction(name_of(image) or "", row.probabilities)
                answers.append(Answer(prediction, 1000 * (row.time - start)))
        return answers

    async def compute(self, images: ImageArray) -> NDArray[np.float32]:
        """Return (n, num_classes) for uint8 (n, height, width, channels), n > 0.

        Raises:
            Refusal: If the queue is full.
        """
        self.check_room(len(images))
        with self._places(len(images)):
            found = await self._do_all([partial(self._compute, image) for image in images])
        for row in found:
            if isinstance(row, BaseException):
                raise row
        return np.stack([row.probabilities for row in found])

    def check_room(self, number: int = 1) -> None:
        """Raise Refusal if so many further images cannot be accepted now."""
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
                _("too many images are waiting ({waiting}); try again soon.").format(
                    waiting=self.waiting
                ),
                {"Retry-After": "1"},
            )

    def close(self) -> None:
        """Let the threads end when what was accepted is done."""
        self.is_open = False
        for _thread in self._threads:
            self._jobs.put(None)

    @contextmanager
    def _places(self, number: int) -> Iterator[None]:
        """Take places in the queue, which are given back at the end."""
        self.waiting += number
        try:
            yield
        finally:
            self.waiting -= number

    async def _do(self, work: Callable[[], T]) -> T:
        """Return what a thread computes."""
        (found,) = await self._do_all([work])
        if isinstance(found, BaseException):
            raise found
        return cast(T, found)

    async def _do_all(self, works: Sequence[Callable[[], Any]]) -> list[Any]:
        """Return what threads compute, or the errors; if this is cancelled, they are dropped."""
        loop = asyncio.get_running_loop()
        said_in = language()
        jobs = [Job(work, said_in, loop.create_future()) for work in works]
        for job in jobs:
            self._jobs.put(job)
        try:
            return [await job.done for job in jobs]
        finally:
            for job in jobs:
                job.work = None  # which also frees the image

    def _work(self) -> None:
        """Do what waits; the program of each thread."""
        while (job := self._jobs.get()) is not None:
            _carry_out(job)
            del job  # which has the image, while this thread waits for the next one

    def _classify(self, image: io.BytesIO, seen: Preprocessing) -> Row | ImageError:
        try:
            pixels = self._prepare(image, seen)
        except ImageError as error:
            # The traceback of an error that is kept would keep the image.
            return ImageError(*error.args)
        return self._compute(pixels)

    def _prepare(self, image: io.BytesIO, seen: Preprocessing) -> ImageArray:
        with ExitStack() as turn:

            def check(opened: Image.Image) -> None:
                if is_large(opened, image):
                    turn.enter_context(self._large)
                    turn.callback(give_memory_back)

            return prepare(image, seen, check)

    def _with_unit_of(self, predictor: Exported, images: Sequence[io.BytesIO]) -> Exported:
        deep = [image for image in images if _is_deep(image)]
        if not deep:
            return predictor
        with self._large:  # all of them are decoded for it
            return predictor.with_unit_of(deep)

    def _compute(self, pixels: ImageArray) -> Row:
        engine = self.served.engine
        together = max(1, min(self.waiting, self.served.threads))  # its client may have gone
        run = engine.alone if together == 1 else engine.beside
        row = Row(run(pixels[None])[0], time.perf_counter())
        self.computed(together)
        return row


def _carry_out(job: Job) -> None:
    """Do what a job asks for, and give the result to the event loop of its request."""
    work = job.work
    if work is None:
        return
    found: Any
    try:
        with using(job.language):
            found = work()
    except Exception as error:  # which is raised where the result is awaited
        found = error
    with suppress(RuntimeError):  # the loop has ended
        job.done.get_loop().call_soon_threadsafe(_set, job.done, found)


def _set(done: "asyncio.Future[Any]", found: Any) -> None:
    """Set the result of a future, unless it was cancelled meanwhile."""
    if not done.done():
        done.set_result(found)


def _is_deep(image: io.BytesIO) -> bool:
    """Return whether an image may have 16 or 32 bits, and may be decoded."""
    if not may_begin_deep(image.getvalue()[:25]):
        return False
    try:
        is_large(read_header(image), image)
    except ImageError:  # which is said when the image is classified
        return False
    return True
