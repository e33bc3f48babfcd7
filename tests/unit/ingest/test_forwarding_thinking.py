"""Forwarding without a database: what is chosen, how refusals are narrowed down, where it may lead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import xapi
from hypothesis import given
from hypothesis import strategies as st
from ingest.forwarding.addresses import AddressRefused, check_reachable, checked_endpoint
from ingest.forwarding.choosing import as_sent, is_chosen
from ingest.forwarding.repository import DeadLetter
from ingest.forwarding.schemas import Filters, NewForwarding
from ingest.forwarding.sending import Answer, Delivery, Item, Waits, deliver, retry_after
from xapi.parsing import JsonObject

VERB, ACTIVITY, TYPE = "https://e.org/v", "https://e.org/a", "https://e.org/t"
REGISTRATION = str(uuid4())


def statement(**parts: Any) -> JsonObject:
    return {
        "id": str(uuid4()),
        "actor": {"mbox": "mailto:ada@example.org"},
        "verb": {"id": VERB},
        "object": {"id": ACTIVITY, "definition": {"type": TYPE}},
        "context": {"registration": REGISTRATION.upper()},
        "stored": "2026-01-01T00:00:00.000000Z",
        "authority": {"mbox": "mailto:lrs@example.org"},
        "version": "1.0.0",
    } | parts


def item(one: JsonObject | None = None) -> Item:
    one = one or statement()
    return Item(f"t/{one['id']}", one, as_sent(one))


@dataclass
class Other:
    """Another LRS: `answer` says what it makes of a batch; it keeps what it takes, in order."""

    answer: Callable[[Sequence[Item]], int]
    taken: list[str] = field(default_factory=list)
    holds: dict[str, JsonObject] = field(default_factory=dict)

    async def post(self, items: Sequence[Item]) -> Answer:
        status = self.answer(items)
        if status == 200:
            self.taken += [one.key for one in items]
        return Answer(status)

    async def held(self, statement_id: str) -> JsonObject | None:
        return self.holds.get(statement_id)


class TestChoosing:
    @pytest.mark.parametrize(
        ("filters", "chosen"),
        [
            (Filters(), True),
            (Filters(verbs=[VERB, "https://e.org/w"]), True),
            (Filters(verbs=["https://e.org/w"]), False),
            (Filters(activities=[ACTIVITY]), True),
            (Filters(activities=["https://e.org/b"]), False),
            (Filters(activity_types=[TYPE]), True),
            (Filters(activity_types=["https://e.org/u"]), False),
            (Filters(registrations=[REGISTRATION]), True),
            (Filters(registrations=[uuid4()]), False),
            (Filters(verbs=[VERB], activities=["https://e.org/b"]), False),
        ],
    )
    def test_each_filter_holds_its_part(self, filters: Filters, chosen: bool) -> None:
        assert is_chosen(filters, statement()) is chosen

    def test_what_is_no_activity(self) -> None:
        target = {"objectType": "Agent", "mbox": "mailto:b@example.org"}
        assert is_chosen(Filters(), statement(object=target))
        assert not is_chosen(Filters(activities=[ACTIVITY]), statement(object=target))

    def test_what_the_other_lrs_sets_is_not_sent(self) -> None:
        one = statement(result={"score": {"raw": 1}})
        assert xapi.loads(as_sent(one)) == {k: v for k, v in one.items() if k not in ("stored", "authority", "version")}


class TestDelivering:
    @given(st.integers(1, 40), st.sets(st.integers(0, 39)))
    async def test_what_is_refused_is_found_and_the_rest_taken_in_order(self, count: int, bad: set[int]) -> None:
        items = [item() for _ in range(count)]
        wrong = {items[i].key for i in bad if i < count}
        other = Other(lambda batch: 400 if any(one.key in wrong for one in batch) else 200)
        delivery = await deliver(other, items)
        assert {letter.statement for letter in delivery.dead} == wrong
        assert other.taken == [one.key for one in items if one.key not in wrong]
        assert delivery.forwarded == len(other.taken)

    @pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 429, 500, 502, 503])
    async def test_waits(self, status: int) -> None:
        with pytest.raises(Waits, match=str(status)):
            await deliver(Other(lambda _: status), [item(), item()])

    async def test_a_conflict_with_the_same_is_none(self) -> None:
        same, other_one, hidden = statement(), statement(), statement()
        changed = {**other_one, "verb": {"id": "https://e.org/w"}}
        other = Other(lambda _: 409, holds={same["id"]: same, other_one["id"]: changed})
        delivery = await deliver(other, [item(same), item(other_one), item(hidden)])
        assert delivery.forwarded == 1
        assert [letter.statement for letter in delivery.dead] == [f"t/{other_one['id']}", f"t/{hidden['id']}"]

    async def test_one_that_fails_the_other_for_long_is_set_apart(self) -> None:
        items = [item() for _ in range(7)]
        poison = items[3].key
        other = Other(lambda batch: 500 if any(one.key == poison for one in batch) else 200)
        delivery = await deliver(other, items, failing_long=True)
        assert delivery.dead == [DeadLetter(poison, "500")]
        assert delivery.forwarded == 6

    async def test_where_all_fail_none_is_suspected(self) -> None:
        with pytest.raises(Waits):
            await deliver(Other(lambda _: 500), [item() for _ in range(5)], failing_long=True)

    async def test_nothing_to_send(self) -> None:
        assert await deliver(Other(lambda _: 500), []) == Delivery()


class TestAddresses:
    @pytest.mark.parametrize(
        "url",
        [
            "http://169.254.169.254/latest",
            "http://[fe80::1]/xapi",
            "http://[::ffff:169.254.169.254]/",
            "http://metadata.google.internal/x",
            "http://0.0.0.0:8001/xapi",
            "http://[::]/xapi",
            "http://224.0.0.1/xapi",
            "ftp://lrs.example/xapi",
            "file:///etc/passwd",
            "http:///xapi",
            "https://user:pw@lrs.example/xapi",
            "https://lrs.example/xapi?x=1",
            "https://lrs.example/xapi#x",
            "lrs.example",
            "http://lrs.example:99999/xapi",
            "http://[::1/xapi",
        ],
    )
    def test_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"expected|refused|Port|IPv6"):
            checked_endpoint(url)

    @pytest.mark.parametrize("url", ["https://lrs.example/xapi/", "http://127.0.0.1:8080/xapi", "http://10.0.0.7"])
    def test_allowed(self, url: str) -> None:
        assert checked_endpoint(url) == url.rstrip("/")

    @pytest.mark.parametrize("url", ["http://0xa9fea9fe/x", "http://2852039166/x"])
    async def test_other_spellings_are_refused_when_looked_up(self, url: str) -> None:
        with pytest.raises(AddressRefused):
            await check_reachable(url)

    def test_a_secret_is_not_shown(self) -> None:
        made = NewForwarding.model_validate({"name": "n", "endpoint": "http://a", "key": "k", "secret": "hush"})
        assert "hush" not in repr(made)
        assert "hush" not in made.model_dump_json()


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            (None, None),
            ("soon", None),
            ("7", 7.0),
            ("0", 0.1),
            ("999999", 3600.0),
            ("Sun, 22 Nov 2026 08:00:30 GMT", 30.0),
            ("Sun, 22 Nov 2026 07:00:00 GMT", 0.1),
        ],
    )
    def test_both_forms(self, value: str | None, seconds: float | None) -> None:
        assert retry_after(value, datetime(2026, 11, 22, 8, tzinfo=UTC)) == seconds
