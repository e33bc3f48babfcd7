"""A loop that ends by cancellation ends also where a library on the way has missed it."""

import asyncio

import pytest
from events.cancellation import heed_cancellation


async def _loses_one() -> None:
    """What `asyncio.wait_for` does on Python 3.11 where the answer comes at the same moment (python/cpython#86296)."""
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        return


async def test_a_loop_ends_though_its_cancellation_was_lost() -> None:
    turns = 0

    async def loop() -> None:
        nonlocal turns
        while True:
            heed_cancellation()
            turns += 1
            await _loses_one()

    task = asyncio.create_task(loop())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(task), 5)
    assert turns == 1


async def test_a_task_that_nobody_cancelled_goes_on() -> None:
    async def once() -> str:
        heed_cancellation()
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(3600)
        except TimeoutError:
            heed_cancellation()  # a timeout's own cancellation has been taken back
        return "done"

    assert await asyncio.create_task(once()) == "done"
