"""Gathering: while one call is under way, whatever else comes waits and shares the next."""

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from service_kit.mongo import MongoAway

T = TypeVar("T")
R = TypeVar("R")


class NotBegun(MongoAway):
    """The item waited in vain; nothing was done about it, and nothing will be."""


class Gathering(Generic[T, R]):
    """One call for many callers. `call` gives for each item, in order, its result or its own exception.

    An item that comes while nothing is under way is called for at once: gathering delays nobody who is alone. After a
    call comes a breath of `breath_seconds`, in which more gather: fewer calls under load, for a little latency. Who
    waits longer than `patience_seconds`, or finds `most_waiting` before it, gets `MongoAway` (`NotBegun` where its turn
    had not come); a call that was begun is never broken off.
    """

    def __init__(
        self,
        call: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]],
        *,
        most_a_call: int = 500,
        most_waiting: int = 2_000,
        patience_seconds: float = 10.0,
        breath_seconds: float = 0.0,
    ) -> None:
        self._call = call
        self._most_a_call = most_a_call
        self._most_waiting = most_waiting
        self._patience_seconds = patience_seconds
        self._breath_seconds = breath_seconds
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._under_way: frozenset[asyncio.Future[R]] = frozenset()
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, item: T) -> R:
        if len(self._waiting) >= self._most_waiting:
            raise NotBegun("too many wait for the database")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, future))
        if self._running is None:  # in a context of its own: it serves many requests, and belongs to none's trace
            self._running = loop.create_task(self._run(), context=contextvars.Context())
        timer = loop.call_later(self._patience_seconds, self._give_up, future)  # a third of what asyncio.timeout costs
        try:
            return await future
        finally:
            timer.cancel()

    def _give_up(self, future: asyncio.Future[R]) -> None:
        if not future.done():
            kind = MongoAway if future in self._under_way else NotBegun
            future.set_exception(kind("the database does not answer in time"))

    async def _run(self) -> None:
        try:
            while self._waiting:
                count = min(len(self._waiting), self._most_a_call)
                taken = [self._waiting.popleft() for _ in range(count)]
                await self._serve([one for one in taken if not one[1].done()])
                if self._breath_seconds:
                    await asyncio.sleep(self._breath_seconds)
        finally:
            self._running = None

    async def _serve(self, taken: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        if not taken:
            return
        self._under_way = frozenset(future for _, future in taken)
        try:
            results: Sequence[R | BaseException] = await self._call([item for item, _ in taken])
        except BaseException as error:
            results = [error if isinstance(error, Exception) else MongoAway("stopped")] * len(taken)
            if not isinstance(error, Exception):
                _settle(taken, results)
                raise
        _settle(taken, results)


def _settle(taken: Sequence[tuple[T, "asyncio.Future[R]"]], results: "Sequence[R | BaseException]") -> None:
    for (_, future), result in zip(taken, results, strict=True):
        if future.done():  # gave up meanwhile
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)
