"""Why a step of a training has failed."""

import errno
import os

import pytest

from convlens.errors import StorageError
from convlens.training.failures import explained_log


def fail(folder, reason):
    """Raise an error with the text of TensorFlow's."""
    operation = "{{function_node __wrapped__CreateSummaryFileWriter_device_/CPU:0}}"
    with explained_log(folder):
        raise RuntimeError(f"{operation} {folder}/train; {reason} [Op:CreateSummaryFileWriter]")


def test_a_log_that_cannot_be_written_is_said_as_any_other_file(tmp_path):
    """TensorFlow raises an error of the kind that stands for a lack of memory, too."""
    said = rf"^{tmp_path}: .*TensorBoard cannot be written; .* Free some space on the disk, or"
    with pytest.raises(StorageError, match=said):
        fail(tmp_path, os.strerror(errno.ENOSPC))
    with pytest.raises(StorageError, match="Choose a folder that can be written to"):
        fail(tmp_path, os.strerror(errno.EACCES))


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(RuntimeError, match="something else"):
        fail(tmp_path, "something else")
    with pytest.raises(RuntimeError, match="elsewhere"), explained_log(tmp_path):
        raise RuntimeError("elsewhere; No space left on device [Op:Write]")
