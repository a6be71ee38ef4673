"""Stores: object stores, which fsspec reaches by addresses such as s3://bucket/photos."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from convlens.errors import BackendError, ConvlensError, DataError
from convlens.language import N_, _
from convlens.reasons import system_reason

UNREADABLE = N_("{place}: the images cannot be listed; {reason}.")


def is_address(name: str) -> bool:
    """Return whether a name is an address in an object store, as s3://bucket/photos."""
    return "://" in name


def file_system(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it.

    Listings are not kept, as they would grow with the images and hide what others have written.

    Raises:
        DataError: If there is no such kind of store.
        BackendError: If its package is not installed.
    """
    import fsspec

    try:
        files, path = fsspec.core.url_to_fs(address, use_listings_cache=False)
    except ImportError as error:
        raise BackendError("{address}: {error}".format(address=address, error=error)) from error
    except ValueError as error:
        raise DataError(_(UNREADABLE).format(place=address, reason=error)) from error
    return files, path


@contextmanager
def store_errors() -> Iterator[None]:
    """Raise what a store raises inside as an OSError, since each kind has errors of its own.

    Raises:
        OSError: With the reason in one line.
    """
    try:
        yield
    except (OSError, ConvlensError):
        raise
    except Exception as error:
        raise OSError(reason_of(error)) from error


def reason_of(error: Exception) -> str:
    """Return why a store or a disk has failed, in one line."""
    text = " ".join(system_reason(error).split()).removesuffix(".")
    # Stores name the path alone where nothing is there.
    if isinstance(error, FileNotFoundError) and error.errno is None and " " not in text:
        return _("nothing is there")
    return text or type(error).__name__
