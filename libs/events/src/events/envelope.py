"""What stands around every payload: `{"id", "type", "tenant", "occurred_at", "traceparent", "key", "data"}`.

`key` is the sealing key's name (null: `data` is JSON in the clear; else `data` is base64 of the sealed JSON). The
learner stands in the record key alone: `tenant/learner`.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from events.errors import InvalidMessage
from events.sealing import KeyGone, Owner, Sealed, Sealer
from events.topics import Topic

Place = tuple[str, int, int]  # topic (without namespace), partition, offset


class Envelope(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    type: str
    tenant: str
    occurred_at: datetime
    traceparent: str | None = None
    key: str | None = None
    data: Any


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish. `subject` is what follows the tenant in the record key (learner, activity), if anything.

    `payload` None is a tombstone: it removes the key from a compacted topic.
    """

    topic: Topic
    id: str
    tenant: str
    subject: str | None
    occurred_at: datetime
    payload: BaseModel | dict[str, Any] | None
    traceparent: str | None = None

    @property
    def record_key(self) -> bytes:
        return (self.tenant if self.subject is None else f"{self.tenant}/{self.subject}").encode()


@dataclass(frozen=True, slots=True)
class Message:
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


@dataclass(frozen=True, slots=True)
class Record:
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
    """Record values of the messages, sealed under their subjects; None for a tombstone."""
    bodies = [(m, _json(m.payload)) for m in messages if m.payload is not None]
    sealed = await sealer.seal([(Owner(m.tenant, m.subject or ""), body) for m, body in bodies])
    values = iter([_wrap(m, one) for (m, _), one in zip(bodies, sealed, strict=True)])
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
    """The message in a record. Raises `InvalidMessage`, whose reason holds no value of the message."""
    if record.key is None:
        raise InvalidMessage("the record has no key")
    tenant, slash, subject = record.key.decode(errors="replace").partition("/")
    head = (record.topic, record.partition, record.offset, tenant, subject if slash else None)
    if record.value is None:
        return Message(*head, "", datetime.fromtimestamp(record.timestamp_ms / 1000, UTC), None, None)
    try:
        envelope = Envelope.model_validate(orjson.loads(record.value))
        if envelope.type != record.topic.message_type or envelope.tenant != tenant:
            raise InvalidMessage("type or tenant of the envelope is not the record's")
        if envelope.key is None:
            payload = record.topic.payload.model_validate(envelope.data)
        else:
            if not isinstance(envelope.data, str):
                raise InvalidMessage("sealed data is not a string")
            opened = await sealer.open([Sealed(base64.b64decode(envelope.data), envelope.key)])
            payload = record.topic.payload.model_validate_json(opened[0])
    except ValidationError as error:
        raise InvalidMessage(describe(error)) from None
    except ValueError:
        raise InvalidMessage("the value is not a JSON envelope") from None
    except KeyGone:
        raise InvalidMessage("the key that sealed it is destroyed") from None
    return Message(*head, envelope.id, envelope.occurred_at, envelope.traceparent, payload)


def describe(error: ValidationError) -> str:
    """Where and what, without the values."""
    places = [f"/{'/'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False)[:5]]
    return "; ".join(places)
