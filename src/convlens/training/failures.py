"""Failures: why a step of a training has failed, where its memory or its images are the cause.

Engines prepare batches in threads of their own and report an error there as one of theirs, with
many lines. The batches therefore note the error itself. What TensorFlow says of the log that it
writes for TensorBoard is told as what is said of any other file.
"""

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from convlens.data.batches import Batches
from convlens.errors import TrainingError
from convlens.files import storage_errors
from convlens.language import N_, _, sentences
from convlens.memory import LOWER, is_lack_of_memory

LACK = N_("the memory is not enough for this training.")
UNPREPARED = N_("the images of a step could not be prepared; {kind}: {reason}.")


@contextmanager
def explained_failures(
    *batches: Batches | None, how_to_go_on: Callable[[], str] = lambda: ""
) -> Iterator[None]:
    """Turn an error of a step inside the block into one line that names its cause.

    Args:
        batches: The batches of the steps, which note an error that occurs while they are prepared.
        how_to_go_on: Returns what was kept and what to type, as a sentence.

    Raises:
        TrainingError: If a step failed because the memory is not enough, or its images could not be
            prepared.
    """
    try:
        yield
    except Exception as error:
        noted = [one.failure for one in batches if one is not None and one.failure is not None]
        cause: BaseException = noted[0] if noted else error
        if is_lack_of_memory(cause):
            raise TrainingError(sentences(_(LACK), _(LOWER))) from error
        if not noted:
            raise
        said = _(UNPREPARED).format(kind=type(cause).__name__, reason=cause)
        raise TrainingError(sentences(said, how_to_go_on())) from error


@contextmanager
def explained_log(folder: Path) -> Iterator[None]:
    """Turn an error of TensorFlow inside the block that is about a log into one of convlens.

    TensorFlow calls a full disk an exhausted resource, as it calls a lack of memory.

    Args:
        folder: The folder of the log.

    Raises:
        StorageError: If the log could not be written.
    """
    try:
        yield
    except Exception as error:
        found = re.search(re.escape(str(folder)) + r"[^;]*; ([^\[\n]+)", str(error))
        reasons = {os.strerror(number): number for number in errno.errorcode}
        if found is None or (reason := found[1].strip()) not in reasons:
            raise
        with storage_errors(folder, _("the log for TensorBoard")):
            raise OSError(reasons[reason], reason) from error
