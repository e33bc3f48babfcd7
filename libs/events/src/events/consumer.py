"""Messages in: a batch at a time, each batch and its positions in one transaction.

The position that counts is the one kept by the handler's own database (`Positions`), written in the transaction that
writes what the batch changed: a crash repeats nothing, and a worker that has lost its partition fails (`Fenced`).
Kafka's own offsets are committed afterwards, for lag monitors alone.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol, TypeVar

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError
from aiokafka.structs import OffsetAndMetadata

from events.cancellation import heed_cancellation
from events.dead_letters import DeadLetters
from events.envelope import Message, Place, Record, decode_all
from events.errors import Fenced, Forgotten, NotReady, TooManyInvalid
from events.kafka import Kafka, check_partitions, new_consumer, stop_within
from events.sealing import Sealer
from events.topics import Topic

log = logging.getLogger(__name__)

T = TypeVar("T")
Partition = tuple[str, int]  # topic (without namespace), partition


@dataclass(frozen=True, slots=True)
class Offsets:
    """What a partition holds now: its first offset, and the one after its last."""

    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Move:
    """A partition's position before and after a batch."""

    expected: int
    next: int


class Positions(Protocol):
    """Where a group stands in each partition, kept beside what its batches change."""

    async def load(self, group: str, partitions: Mapping[Partition, Offsets]) -> dict[Partition, int]:
        """The next offset of each.

        Where none is known yet, or the known one lies past the end (the broker's records were lost or replaced), the
        first one is stored and returned: handlers bear a repetition, not a gap.
        """
        ...

    async def transact(
        self, group: str, moves: Mapping[Partition, Move], body: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Run `body(session)` and the moves in one transaction, again where the database asks for it.

        Raises `Fenced` where a stored position is not the expected one, `NotReady` where the database is away.
        """
        ...


class Handler(Protocol):
    """What a worker does with messages."""

    async def handle(self, messages: Sequence[Message], session: Any) -> None:
        """Carry out the batch inside the session's transaction; it may be called again for the same batch.

        Raise `Rejected` to send single messages to the dead letters, `NotReady` to wait.
        """
        ...

    async def committed(self) -> None:
        """The batch is durable: wake whoever publishes what it changed."""
        ...


class Rejected(Exception):
    """Some messages of a batch cannot be handled; the rest is tried again without them."""

    def __init__(self, verdicts: Sequence[tuple[Message, str]]) -> None:
        super().__init__(f"{len(verdicts)} messages rejected")
        self.verdicts = verdicts


@dataclass
class Progress:
    """What liveness and readiness are read from. Times are monotonic seconds."""

    assigned: int = 0
    joined: bool = False
    last_turn: float = field(default_factory=time.monotonic)
    waiting_since: float | None = None
    waiting_for: str | None = None
    lag: dict[Partition, int] = field(default_factory=dict)
    handled: int = 0
    dead: int = 0

    def turn(self) -> None:
        self.last_turn = time.monotonic()


@dataclass(frozen=True)
class Bounds:
    """How many invalid messages are an accident and how many a fault of ours."""

    run: int = 50
    ratio: float = 0.1
    window: int = 1000


class BatchConsumer:
    """Feeds one handler from one or more topics as one consumer group."""

    def __init__(
        self,
        *,
        kafka: Kafka,
        group: str,
        topics: Sequence[Topic],
        handler: Handler,
        positions: Positions,
        dead_letters: DeadLetters,
        sealer: Sealer,
        max_records: int = 500,
        bounds: Bounds | None = None,
        pause_seconds: float = 0.5,
        gather_ms: int | None = None,
        alone: asyncio.Lock | None = None,
    ) -> None:
        """`gather_ms`: how long the broker may gather records before it answers (`new_consumer`). `alone`: held during
        each transaction.
        """
        self.group = group
        self.topics = list(topics)
        self.progress = Progress()
        self._kafka = kafka
        self._handler = handler
        self._positions = positions
        self._dead_letters = dead_letters
        self._sealer = sealer
        self._max_records = max_records
        self._bounds = bounds or Bounds()
        self._pause_seconds = pause_seconds
        self._gather_ms = gather_ms
        self._alone = alone or asyncio.Lock()
        self._by_name = {kafka.name(topic.name): topic for topic in topics}
        self._next: dict[Partition, int] = {}
        self._batching = asyncio.Lock()  # a batch under way holds it; a revocation waits for it
        self._leaving = False
        self._failure: Exception | None = None
        self._verdicts: deque[bool] = deque(maxlen=self._bounds.window)

    async def run(self) -> None:
        """Consume until cancelled. A broker that is away is waited for; a fault of ours ends the run."""
        while True:
            heed_cancellation()
            consumer = new_consumer(self._kafka, self.group, self._gather_ms)
            try:
                await consumer.start()
                await check_partitions(self._kafka, self.topics)
                consumer.subscribe(list(self._by_name), listener=_Assignments(self, consumer))
                await self._consume(consumer)
            except KafkaError as error:
                log.warning("kafka is away: %s", type(error).__name__, extra={"group": self.group})
            except Fenced:
                log.warning("another worker moved a partition; joining anew", extra={"group": self.group})
            finally:
                self._forget_assignment()
                await stop_within(consumer.stop())
            self.progress.turn()
            await asyncio.sleep(self._pause_seconds)

    async def _consume(self, consumer: Any) -> None:
        while True:
            heed_cancellation()
            fetched = await consumer.getmany(timeout_ms=500, max_records=self._max_records)
            if self._failure is not None:
                raise self._failure
            self.progress.turn()
            async with self._batching:
                await self._batch(consumer, fetched)
            self._measure_lag(consumer)

    async def _batch(self, consumer: Any, fetched: Mapping[Any, Sequence[Any]]) -> None:
        records, moves = self._expected(fetched)
        if not moves:
            return
        try:
            messages, invalid = await self._decode(records)
        except _Leaving:
            return
        dead: set[Place] = set()
        while True:
            dead |= {record.place for record, _ in invalid}
            verdicts = [record.place not in dead for record in records]
            await self._bury(invalid, verdicts)
            try:
                await self._transact(messages, moves)
                break
            except Rejected as rejected:
                by_place = {record.place: record for record in records}
                invalid = [(by_place[message.place], reason) for message, reason in rejected.verdicts]
                refused = {record.place for record, _ in invalid}
                messages = [m for m in messages if m.place not in refused]
            except _Leaving:
                return
        for partition, move in moves.items():
            self._next[partition] = move.next
        self.progress.handled += len(messages)
        self.progress.dead += len(dead)
        self._verdicts.extend(verdicts)
        await self._handler.committed()
        await self._report(consumer, moves)

    def _expected(self, fetched: Mapping[Any, Sequence[Any]]) -> tuple[list[Record], dict[Partition, Move]]:
        """The fetched records from our own positions on, and the moves they make."""
        records: list[Record] = []
        moves: dict[Partition, Move] = {}
        for place, found in fetched.items():
            topic = self._by_name[place.topic]
            partition = (topic.name, place.partition)
            start = self._next.get(partition)
            if start is None or not found:
                continue
            fresh = [r for r in found if r.offset >= start]
            records += [Record(topic, r.partition, r.offset, r.timestamp, r.key, r.value) for r in fresh]
            if fresh:
                moves[partition] = Move(start, fresh[-1].offset + 1)
        return records, moves

    async def _decode(self, records: Sequence[Record]) -> tuple[list[Message], list[tuple[Record, str]]]:
        """Messages, and records that hold none with the reason; what is about the forgotten is passed over."""
        messages: list[Message] = []
        invalid: list[tuple[Record, str]] = []
        decoded = await self._when_ready(lambda: decode_all(records, self._sealer))
        for record, message in zip(records, decoded, strict=True):
            if isinstance(message, Message):
                messages.append(message)
            elif not isinstance(message, Forgotten):
                invalid.append((record, message.reason))
        return messages, invalid

    async def _bury(self, invalid: Sequence[tuple[Record, str]], verdicts: Sequence[bool]) -> None:
        """Dead letters first, then the position moves on: one may be there twice, none is lost."""
        if not invalid:
            return
        recent = [*self._verdicts, *verdicts][-self._bounds.window :]
        dead = recent.count(False)
        if _longest_run(recent) > self._bounds.run or (len(recent) >= 100 and dead / len(recent) > self._bounds.ratio):
            raise TooManyInvalid(
                f"{dead} of the last {len(recent)} messages could not be handled, the last because of: {invalid[-1][1]}"
            )
        await self._dead_letters.bury(self.group, invalid)

    async def _transact(self, messages: Sequence[Message], moves: Mapping[Partition, Move]) -> None:
        async def step() -> None:
            async with self._alone:
                await self._positions.transact(
                    self.group, moves, lambda session: self._handler.handle(messages, session)
                )

        await self._when_ready(step)

    async def _when_ready(self, step: Callable[[], Awaitable[T]]) -> T:
        """The step's result; where something is not ready, the same again after a pause. Raises `_Leaving`."""
        while True:
            heed_cancellation()
            try:
                done = await step()
            except NotReady as error:
                if self._leaving:
                    raise _Leaving from None
                now = time.monotonic()
                if self.progress.waiting_since is None:
                    self.progress.waiting_since = now
                    log.warning("waiting: %s", error, extra={"group": self.group})
                self.progress.waiting_for = str(error)
                self.progress.turn()
                await asyncio.sleep(self._pause_seconds)
            else:
                self.progress.waiting_since = self.progress.waiting_for = None
                return done

    async def _report(self, consumer: Any, moves: Mapping[Partition, Move]) -> None:
        """Tell Kafka where we stand, for lag monitors. A failure here costs nothing."""
        commits = {
            TopicPartition(self._kafka.name(topic), partition): OffsetAndMetadata(move.next, "")
            for (topic, partition), move in moves.items()
        }
        try:
            await consumer.commit(commits)
        except (CommitFailedError, KafkaError):
            log.info("offsets not reported", extra={"group": self.group})

    def _measure_lag(self, consumer: Any) -> None:
        assigned = consumer.assignment()
        for partition, position in self._next.items():
            place = TopicPartition(self._kafka.name(partition[0]), partition[1])
            end = consumer.highwater(place) if place in assigned else None
            if end is not None:
                self.progress.lag[partition] = max(0, end - position)

    async def _revoked(self) -> None:
        """Let the batch under way end before another worker reads our positions; one that waits is given up."""
        self._leaving = True
        async with self._batching:
            self._forget_assignment()

    def _forget_assignment(self) -> None:
        self._next = {}
        self.progress.assigned = 0
        self.progress.joined = False
        self.progress.lag = {}

    async def _assigned(self, consumer: Any, assigned: Sequence[TopicPartition]) -> None:
        names = {place: (self._by_name[place.topic].name, place.partition) for place in assigned}
        firsts = await consumer.beginning_offsets(list(assigned)) if assigned else {}
        ends = await consumer.end_offsets(list(assigned)) if assigned else {}
        positions = await self._load({names[place]: Offsets(firsts[place], ends[place]) for place in assigned})
        for place, partition in names.items():
            consumer.seek(place, positions[partition])
        self._next = positions
        self._leaving = False
        self.progress.assigned = len(assigned)
        self.progress.joined = True
        self.progress.turn()

    async def _load(self, partitions: Mapping[Partition, Offsets]) -> dict[Partition, int]:
        while True:
            heed_cancellation()
            try:
                return await self._positions.load(self.group, partitions)
            except NotReady:
                self.progress.turn()
                await asyncio.sleep(self._pause_seconds)


class _Leaving(Exception):
    """The partitions go to another worker while a batch waits: it is theirs now."""


def _longest_run(verdicts: Sequence[bool]) -> int:
    """The longest run of invalid messages."""
    return max((len(list(run)) for good, run in groupby(verdicts) if not good), default=0)


class _Assignments(ConsumerRebalanceListener):  # type: ignore[misc]
    """aiokafka logs and forgets what a listener raises: failures are kept for the loop that consumes."""

    def __init__(self, owner: BatchConsumer, consumer: Any) -> None:
        self._owner = owner
        self._consumer = consumer
        owner._failure = None
        owner._leaving = False

    async def on_partitions_revoked(self, revoked: Any) -> None:
        await self._owner._revoked()

    async def on_partitions_assigned(self, assigned: Any) -> None:
        try:
            await self._owner._assigned(self._consumer, sorted(assigned))
        except Exception as error:
            self._owner._failure = error
