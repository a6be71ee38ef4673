"""Connection: work for a client, which ends when the client goes."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

T = TypeVar("T")


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return what some work gives, which is cancelled if the client goes meanwhile.

    The body of the request has been read.

    Raises:
        ClientDisconnect: If the client has gone.
    """
    task = asyncio.current_task()
    assert task is not None

    def cancel(_leaving: "asyncio.Future[Any]") -> None:
        task.cancel()

    # The work runs in the task of the request, because another task would cost time in each one.
    leaving = asyncio.ensure_future(request.receive())
    leaving.add_done_callback(cancel)
    try:
        return await work
    except asyncio.CancelledError:
        if not leaving.done():  # another one has cancelled the request
            raise
        task.uncancel()
        raise ClientDisconnect from None
    finally:
        leaving.remove_done_callback(cancel)
        leaving.cancel()
