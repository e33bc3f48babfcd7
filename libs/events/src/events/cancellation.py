"""What a task that runs until cancelled needs on Python 3.11."""

import asyncio


def heed_cancellation() -> None:
    """Raise `asyncio.CancelledError` where the running task was asked to end and went on.

    `asyncio.wait_for`, with which drivers wait, loses a cancellation that comes at the moment at which the awaited
    thing is done (python/cpython#86296, mended in 3.12). Every loop that ends by cancellation calls this at its head.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
