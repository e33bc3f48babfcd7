"""What stands around every payload: `{"id", "type", "tenant", "occurred_at", "traceparent", "key", "data"}`.

`key` is the sealing key's name (null: `data` is JSON in the clear; else `data` is base64 of the sealed JSON). The
learner stands in the record key alone: `tenant/learner`.
"""

import asyncio
import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from events.errors import Forgotten, InvalidMessage
from events.sealing import Owner, Sealed, Sealer
from events.topics import Topic

Place = tuple[str, int, int]  # topic (without namespace), partition, offset


def newest(messages: Sequence["Message"]) -> dict[str, dict[str, Any]]:
    """Of messages of one compacted topic the last payload of each subject.

    tenant → subject → payload; None: removed.
    """
    found: dict[str, dict[str, Any]] = {}
    for message in messages:
        if message.subject:
            found.setdefault(message.tenant, {})[message.subject] = message.payload
    return found


class Envelope(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    type: str
    tenant: str
    occurred_at: datetime
    traceparent: str | None = None
    key: str | None = None
    data: Any


class Outgoing(NamedTuple):
    """A message to publish. `subject` is what follows the tenant in the record key (learner, activity), if anything.

    `payload` None is a tombstone: it removes the key from a compacted topic. `clear`: it says nothing of a learner but
    what must be read when the learner's key is gone.
    """

    topic: Topic
    id: str
    tenant: str
    subject: str | None
    occurred_at: datetime
    payload: BaseModel | dict[str, Any] | None
    traceparent: str | None = None
    clear: bool = False

    @property
    def sealed(self) -> bool:
        return self.topic.sealed and not self.clear

    @property
    def record_key(self) -> bytes:
        return (self.tenant if self.subject is None else f"{self.tenant}/{self.subject}").encode()


class Message(NamedTuple):
    """A message received. `payload` is an instance of `topic.payload`, or None for a tombstone."""

    topic: Topic
    partition: int
    offset: int
    tenant: str
    subject: str | None
    id: str
    occurred_at: datetime
    traceparent: str | None
    payload: Any

    @property
    def place(self) -> Place:
        return (self.topic.name, self.partition, self.offset)


class Record(NamedTuple):
    """A record as it lies on Kafka."""

    topic: Topic
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None

    @property
    def place(self) -> Place:
        return (self.topic.name, self.partition, self.offset)


def _json(payload: BaseModel | dict[str, Any]) -> bytes:
    if isinstance(payload, BaseModel):
        return payload.model_dump_json(exclude_none=True).encode()
    return orjson.dumps(payload)


async def encode(messages: Sequence[Outgoing], sealer: Sealer) -> list[bytes | None]:
    """Record values of the messages, each sealed under its subject where its topic is; None for a tombstone.

    Raises `KeyGone` where a subject is forgotten, `KeysAway`.
    """
    bodies = [(m, _json(m.payload)) for m in messages if m.payload is not None]
    owned = [(Owner(m.tenant, m.subject or ""), body) for m, body in bodies if m.sealed]
    sealed = iter(await sealer.seal(owned) if owned else [])
    values = iter([_wrap(m, next(sealed) if m.sealed else Sealed(body)) for m, body in bodies])
    return [None if m.payload is None else next(values) for m in messages]


def _wrap(message: Outgoing, sealed: Sealed) -> bytes:
    data = orjson.Fragment(sealed.data) if sealed.key is None else base64.b64encode(sealed.data).decode()
    return orjson.dumps(
        {
            "id": message.id,
            "type": message.topic.message_type,
            "tenant": message.tenant,
            "occurred_at": message.occurred_at,
            "traceparent": message.traceparent,
            "key": sealed.key,
            "data": data,
        }
    )


async def decode(record: Record, sealer: Sealer) -> Message:
    """The message in a record. Raises `InvalidMessage`, whose reason holds no value of the message, and `KeysAway`."""
    [message] = await decode_all([record], sealer)
    if isinstance(message, InvalidMessage):
        raise message
    return message


async def decode_all(records: Sequence[Record], sealer: Sealer) -> list[Message | InvalidMessage]:
    """The message in each record, or why there is none; keys are fetched once for all. Raises `KeysAway`.

    Lets others run now and then: a batch takes longer than heartbeats wait.
    """
    envelopes = [_unwrapped(record) for record in records]
    items = [e.sealed for e in envelopes if isinstance(e, _Unwrapped) and e.sealed is not None]
    opened = iter(await sealer.open_each(items) if items else [])
    messages: list[Message | InvalidMessage] = []
    for number, (record, envelope) in enumerate(zip(records, envelopes, strict=True)):
        if number % 50 == 49:
            await asyncio.sleep(0)
        if isinstance(envelope, _Unwrapped) and envelope.sealed is not None:
            messages.append(_message(record, envelope, next(opened)))
        elif isinstance(envelope, _Unwrapped):
            messages.append(_message(record, envelope, None))
        else:
            messages.append(envelope)
    return messages


class _Unwrapped(NamedTuple):
    """An envelope whose data may still be sealed."""

    head: Envelope
    sealed: Sealed | None


def _unwrapped(record: Record) -> _Unwrapped | Message | InvalidMessage:
    if record.key is None:
        return InvalidMessage("the record has no key")
    tenant, subject = _key_of(record)
    if record.value is None:
        at = datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)
        return Message(record.topic, record.partition, record.offset, tenant, subject, "", at, None, None)
    try:
        envelope = Envelope.model_validate(orjson.loads(record.value))
        if envelope.type != record.topic.message_type or envelope.tenant != tenant:
            return InvalidMessage("type or tenant of the envelope is not the record's")
        if envelope.key is None:
            return _Unwrapped(envelope, None)
        if not isinstance(envelope.data, str):
            return InvalidMessage("sealed data is not a string")
        return _Unwrapped(envelope, Sealed(base64.b64decode(envelope.data), envelope.key))
    except ValidationError as error:
        return InvalidMessage(describe(error))
    except ValueError:
        return InvalidMessage("the value is not a JSON envelope")


def _message(record: Record, unwrapped: _Unwrapped, opened: bytes | None) -> Message | InvalidMessage:
    head, model = unwrapped.head, record.topic.payload
    if unwrapped.sealed is not None and opened is None:
        return Forgotten("the key that sealed it is destroyed")
    try:
        payload = model.model_validate(head.data if opened is None else orjson.loads(opened))
    except ValidationError as error:
        return InvalidMessage(describe(error))
    except orjson.JSONDecodeError:
        return InvalidMessage("what was sealed is not JSON")
    tenant, subject = _key_of(record)
    place = (record.topic, record.partition, record.offset)
    return Message(*place, tenant, subject, head.id, head.occurred_at, head.traceparent, payload)


def _key_of(record: Record) -> tuple[str, str | None]:
    """Tenant and subject."""
    tenant, slash, subject = (record.key or b"").decode(errors="replace").partition("/")
    return tenant, subject if slash else None


def describe(error: ValidationError) -> str:
    """Where and what, without the values."""
    places = [f"/{'/'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False)[:5]]
    return "; ".join(places)
