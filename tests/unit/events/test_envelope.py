"""What stands around a payload, there and back; what cannot be read is told without its values."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from events import topics
from events.envelope import Outgoing, Record, decode, encode
from events.errors import InvalidMessage
from events.payloads import ConsentState, Request
from events.sealing import ClearSealer, Owner, Sealed
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)
REQUEST = Request(request_id="r-1", type="erasure")


class Reversing:
    """Seals by turning the bytes around, so that a test sees whether they passed through."""

    async def seal(self, items: Sequence[tuple[Owner, bytes]]) -> list[Sealed]:
        return [Sealed(data[::-1], f"{owner.tenant}/{owner.learner}") for owner, data in items]

    async def open(self, items: Sequence[Sealed]) -> list[bytes]:
        return [item.data[::-1] for item in items]

    async def open_each(self, items: Sequence[Sealed]) -> list[bytes | None]:
        return [*await self.open(items)]


def outgoing(subject: str | None = "learner", payload: Any = REQUEST, tenant: str = "demo") -> Outgoing:
    return Outgoing(topics.REQUESTS, "id-1", tenant, subject, NOW, payload, "00-trace")


def record(value: bytes | None, key: bytes | None = b"demo/learner") -> Record:
    return Record(topics.REQUESTS, 3, 14, 1_700_000_000_000, key, value)


@given(tenant=st.text("abc-09", min_size=1), subject=st.one_of(st.none(), st.text(min_size=1, max_size=50)))
async def test_there_and_back(tenant: str, subject: str | None) -> None:
    sent = outgoing(subject if subject is None else subject.encode("utf-8", "replace").decode(), tenant=tenant)
    [value] = await encode([sent], ClearSealer())
    got = await decode(record(value, sent.record_key), ClearSealer())
    assert (got.tenant, got.subject, got.payload) == (sent.tenant, sent.subject, sent.payload)
    assert (got.id, got.occurred_at, got.traceparent, got.place) == (
        "id-1",
        NOW,
        "00-trace",
        (topics.REQUESTS.name, 3, 14),
    )


async def test_a_tombstone_has_no_value() -> None:
    values = await encode([outgoing(), outgoing(payload=None), outgoing()], ClearSealer())
    assert [value is None for value in values] == [False, True, False]
    got = await decode(record(None), ClearSealer())
    assert (got.subject, got.payload) == ("learner", None)


async def test_sealed_data_is_opened() -> None:
    [value] = await encode([outgoing()], Reversing())
    message = orjson.loads(value or b"")
    assert message["key"] == "demo/learner"
    assert base64.b64decode(message["data"])[::-1] == REQUEST.model_dump_json(exclude_none=True).encode()
    assert (await decode(record(value), Reversing())).payload == REQUEST


async def test_what_is_absent_does_not_travel() -> None:
    [value] = await encode([Outgoing(topics.CONSENTS, "i", "t", "l", NOW, ConsentState(version=1))], ClearSealer())
    assert orjson.loads(value or b"")["data"] == {
        "version": 1,
        "purposes": {},
        "erased": False,
        "restricted": False,
        "rebuild": {},
        "held": False,
    }


def envelope(**changes: Any) -> bytes:
    whole = {
        "id": "1",
        "type": topics.REQUESTS.name,
        "tenant": "demo",
        "occurred_at": "2026-11-22T05:00:00Z",
        "traceparent": None,
        "key": None,
        "data": {"request_id": "r", "type": "erasure"},
    }
    return orjson.dumps(whole | changes)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "not a JSON envelope"),
        (b"\xff", "not a JSON envelope"),
        (b"[" * 5000, "not a JSON envelope"),
        (b"[]", "/: Input should be a valid dictionary"),
        (b"{}", "/id: Field required"),
        (envelope(type="other.v1"), "type or tenant"),
        (envelope(tenant="other"), "type or tenant"),
        (envelope(data={"request_id": "r", "type": "s3cret"}), "/type: Input should be 'erasure'"),
        (envelope(data=None), "valid dictionary"),
        (envelope(key="k", data={"a": 1}), "not a string"),
        (envelope(key="k", data="****"), ""),
        (envelope(key="k", data="e30="), "destroyed"),
    ],
)
async def test_what_cannot_be_read(value: bytes, reason: str) -> None:
    with pytest.raises(InvalidMessage) as failure:
        await decode(record(value), ClearSealer())
    assert reason in failure.value.reason
    assert "s3cret" not in failure.value.reason


async def test_no_key() -> None:
    with pytest.raises(InvalidMessage, match="no key"):
        await decode(record(envelope(), None), ClearSealer())
