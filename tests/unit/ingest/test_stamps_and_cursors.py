"""Stamps, cursors, secrets, the cache: plain values in, plain values out."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest.credentials.secrets import digest, is_one_of, new_secret, parse_basic
from ingest.gathering import NotBegun
from ingest.identities.cache import Cache, Seen
from ingest.statements.indexing import ACTIVITY, AGENT, RELATED_ACTIVITY, RELATED_AGENT, VERB, token
from ingest.statements.reading import Cursor, page_size, pages, result, selection
from ingest.statements.repository import Place
from ingest.statements.stamps import (
    GOOD_SECONDS,
    LONGEST_WRITE_SECONDS,
    RENEW_SECONDS,
    Stamps,
    from_micros,
    rendered,
    to_micros,
)
from ingest.statements.writers import Renewed
from service_kit.mongo import MongoAway
from service_kit.problems import BadRequest
from xapi import StatementQuery, timestamps

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Registry:
    """Answers soon; what it is asked for is kept."""

    def __init__(self, *answers: Renewed) -> None:
        self.bounds: list[int] = []
        self._answers = list(answers)

    async def renew(self, replica: str, bound: int) -> Renewed:
        self.bounds.append(bound)
        await asyncio.sleep(0)
        if self._answers:
            return self._answers.pop(0)
        return Renewed(through=bound - 1, highest=bound, now=NOON)

    async def leave(self, replica: str) -> None:
        self.bounds.append(-1)


class TestStamps:
    @given(st.lists(st.integers(1, 50), min_size=1), st.lists(st.integers(-5_000, 5_000), min_size=1))
    def test_rise_whatever_the_clock_does(self, sizes: list[int], jumps: list[int]) -> None:
        moments = cycle(NOON + timedelta(microseconds=jump) for jump in jumps)
        stamps = Stamps(lambda: next(moments), Registry())
        stamps.renewed(Renewed(0, 0, NOON), asked_at=time.monotonic())
        given_out: list[int] = []
        for size in sizes:
            with stamps.reserve(size) as reserved:
                given_out += reserved
        assert len(given_out) == sum(sizes)
        assert given_out == sorted(set(given_out))

    async def test_the_bound_is_the_oldest_that_is_being_written(self) -> None:
        stamps = Stamps(lambda: NOON, registry := Registry())
        await stamps.ready()
        with stamps.reserve(3) as first:
            with stamps.reserve(2):
                assert stamps.bound() == first[0]
            assert stamps.bound() == first[0]
            assert await stamps.confirmed() == first[0] - 1
        assert stamps.bound() == first[0] + 5
        assert registry.bounds == [to_micros(NOON), first[0]]

    async def test_nothing_is_stamped_below_a_bound(self) -> None:
        stamps = Stamps(lambda: NOON, Registry())
        await stamps.ready()
        bound = stamps.bound()
        with stamps.reserve(1) as later:
            assert later[0] >= bound

    async def test_nothing_is_stamped_below_what_anyone_called_consistent(self) -> None:
        through = to_micros(NOON + timedelta(hours=1))
        stamps = Stamps(lambda: NOON, Registry(Renewed(through, through + 1, NOON)))
        await stamps.ready()
        assert stamps.consistent_through() == through
        with stamps.reserve(1) as later:
            assert later[0] > through

    async def test_follows_a_clock_a_little_ahead_and_no_mad_one(self) -> None:
        for ahead, follows in ((900_000, 900_000), (10**12, 1_000_000)):
            stamps = Stamps(lambda: NOON, Registry(Renewed(0, to_micros(NOON) + ahead, NOON)))
            await stamps.ready()
            assert stamps.bound() == to_micros(NOON) + follows

    @pytest.mark.parametrize("hours", [-3, 3])
    async def test_a_clock_far_off_is_corrected_by_the_database(self, hours: int) -> None:
        stamps = Stamps(lambda: NOON + timedelta(hours=hours), Registry(Renewed(0, 0, NOON)))
        stamps.renewed(Renewed(0, 0, NOON), asked_at=0)
        assert stamps.bound() == to_micros(NOON)

    async def test_without_a_lease_nothing_is_stamped(self) -> None:
        now = 100.0
        stamps = Stamps(lambda: NOON, Registry(), lambda: now)
        with pytest.raises(MongoAway), stamps.reserve(1):
            pass
        await stamps.ready()
        now += GOOD_SECONDS
        with stamps.reserve(1):
            pass
        now += 0.001
        with pytest.raises(MongoAway), stamps.reserve(1):
            pass

    async def test_a_failed_write_is_no_longer_waited_for(self) -> None:
        stamps = Stamps(lambda: NOON, Registry())
        await stamps.ready()
        for error in (ZeroDivisionError(), NotBegun()):
            with pytest.raises(type(error)), stamps.reserve(1) as reserved:
                raise error
            assert stamps.bound() > reserved[0]

    @pytest.mark.parametrize("error", [MongoAway("no answer"), asyncio.CancelledError(), TimeoutError()])
    async def test_a_write_without_an_answer_may_still_come_about(self, error: BaseException) -> None:
        now = 0.0
        stamps = Stamps(lambda: NOON, Registry(), lambda: now)
        await stamps.ready()
        with pytest.raises(type(error)), stamps.reserve(1) as reserved:
            raise error
        assert stamps.bound() == reserved[0]
        now += LONGEST_WRITE_SECONDS
        assert stamps.bound() > reserved[0]

    async def test_who_waits_for_a_renewal_shares_it(self) -> None:
        stamps = Stamps(lambda: NOON, registry := Registry())
        await asyncio.gather(*(stamps.confirmed() for _ in range(10)))
        assert len(registry.bounds) == 2  # the first caller's, and one that began after all the others had come

    async def test_the_lease_is_kept_and_given_back(self) -> None:
        stamps = Stamps(lambda: NOON, registry := Registry())
        async with stamps.kept():
            await asyncio.sleep(RENEW_SECONDS * 2.5)
        assert len(registry.bounds) >= 4
        assert registry.bounds[-1] == -1

    @given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
    def test_micros_and_back(self, moment: datetime) -> None:
        assert from_micros(to_micros(moment)) == moment
        assert rendered(to_micros(moment)) == timestamps.render(moment)


class TestCursor:
    @given(st.lists(st.tuples(st.text(), st.text())), st.integers(0, 2**60), st.uuids())
    def test_round_trip(self, params: list[tuple[str, str]], stored: int, statement_id: object) -> None:
        cursor = Cursor(params, Place(stored, str(statement_id)))
        assert Cursor.decode(cursor.encode()) == cursor

    @given(st.text(max_size=50))
    def test_any_other_text_is_refused(self, text: str) -> None:
        with pytest.raises(BadRequest):
            Cursor.decode(text)

    @pytest.mark.parametrize(
        "text",
        ["W10", "WzEsMiwzXQ", "W1tdLCJ4IiwieSJd", "W1tdLHRydWUsInkiXQ", "W1tdLDE4NDQ2NzQ0MDczNzA5NTUxNjE1LCJ5Il0"],
    )
    def test_other_json_is_refused(self, text: str) -> None:
        with pytest.raises(BadRequest):
            Cursor.decode(text)

    def test_goes_with_nothing_else(self) -> None:
        cursor = Cursor([("limit", "2")], Place(7, "x")).encode()
        assert pages([("more", cursor)]) == ([("limit", "2")], Place(7, "x"))
        with pytest.raises(BadRequest):
            pages([("more", cursor), ("limit", "3")])


class TestSelection:
    def test_page_size(self) -> None:
        assert [page_size(StatementQuery(limit=limit)) for limit in (0, 1, 500, 501)] == [500, 1, 500, 500]

    def test_an_ascending_walk_ends_where_others_still_write(self) -> None:
        later = NOON + timedelta(days=1)
        through = to_micros(NOON)
        assert selection(StatementQuery(ascending=True, until=later), [], through).until == through
        assert selection(StatementQuery(ascending=True), [], through).until == through
        assert selection(StatementQuery(until=later), [], through).until == to_micros(later)
        assert selection(StatementQuery(), [], through).until is None

    def test_related(self) -> None:
        query = StatementQuery(activity="a:b", related_activities=True, related_agents=True)
        assert list(selection(query, ["agent"], 0).keys) == [
            [token(AGENT, "agent"), token(RELATED_AGENT, "agent")],
            [token(ACTIVITY, "a:b"), token(RELATED_ACTIVITY, "a:b")],
        ]
        narrow = StatementQuery(activity="a:b", verb="c:d")
        assert list(selection(narrow, ["agent"], 0).keys) == [
            [token(AGENT, "agent")],
            [token(ACTIVITY, "a:b")],
            [token(VERB, "c:d")],
        ]

    def test_result(self) -> None:
        assert result([b"1", b"2"], "") == b'{"statements":[1,2],"more":""}'


class TestSecrets:
    def test_matches(self) -> None:
        secret = new_secret()
        assert is_one_of(digest(secret), [digest(new_secret()), digest(secret)])
        assert not is_one_of(digest(new_secret()), [digest(secret)])

    def test_parse_basic(self) -> None:
        assert parse_basic("Basic a2V5OnNlOmNyZXQ=") == ("key", "se:cret")
        assert parse_basic("basic a2V5Og==") == ("key", "")

    @pytest.mark.parametrize("header", [None, "", "Basic", "Basic %%", "Basic a2V5", "Bearer a2V5OnM=", "Basic /w=="])
    def test_what_is_not_basic(self, header: str | None) -> None:
        assert parse_basic(header) is None


class TestCache:
    def test_the_least_recently_used_goes_first(self) -> None:
        cache: Cache[str, int] = Cache(2, 10, lambda: 0)
        cache.put("a", 1)
        cache.put("b", 2)
        assert cache.get("a") == 1
        cache.put("c", 3)
        assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)
        assert len(cache) == 2

    def test_none_lives_longer_than_its_time(self) -> None:
        now = 0.0
        cache: Cache[str, int] = Cache(2, 10, lambda: now)
        cache.put("a", 1)
        now = 9.9
        assert cache.get("a") == 1
        now = 10.0
        assert cache.get("a") is None
        assert len(cache) == 0


class TestSeen:
    def test_lately_seen_things_are_known_and_old_ones_forgotten(self) -> None:
        now = 0.0
        seen = Seen(4, 10.0, lambda: now)
        for thing in ("a", "b"):
            seen.add(thing)
        seen.turn()
        seen.add("c")
        assert ("a" in seen, "b" in seen, "c" in seen, "d" in seen) == (True, True, True, False)
        seen.add("d")
        seen.turn()
        assert ("a" in seen, "c" in seen, "d" in seen) == (False, True, True)
        now = 20.0
        seen.turn()
        assert "c" not in seen
