"""Stamps, cursors, secrets, the cache: plain values in, plain values out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest.credentials.secrets import digest, matches, new_secret, parse_basic
from ingest.identities.cache import Cache
from ingest.statements.reading import Cursor, page_size, pages, result, selection
from ingest.statements.repository import Place
from ingest.statements.stamps import Stamps, from_micros, to_micros
from service_kit.problems import BadRequest
from xapi import StatementQuery

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class TestStamps:
    @given(st.lists(st.integers(1, 50), min_size=1), st.lists(st.integers(-5_000, 5_000), min_size=1))
    def test_rise_whatever_the_clock_does(self, sizes: list[int], jumps: list[int]) -> None:
        moments = iter(NOON + timedelta(microseconds=jump) for jump in jumps * len(sizes))
        stamps = Stamps(lambda: next(moments))
        given_out: list[int] = []
        for size in sizes:
            with stamps.reserve(size) as reserved:
                given_out += reserved
        assert len(given_out) == sum(sizes)
        assert given_out == sorted(set(given_out))

    def test_consistent_through_ends_before_what_is_being_written(self) -> None:
        stamps = Stamps(lambda: NOON)
        with stamps.reserve(3) as first:
            with stamps.reserve(2):
                assert stamps.consistent_through() == first[0] - 1
            assert stamps.consistent_through() == first[0] - 1
        assert stamps.consistent_through() == first[0] + 4

    def test_nothing_is_stamped_below_what_was_called_consistent(self) -> None:
        stamps = Stamps(lambda: NOON)
        through = stamps.consistent_through()
        with stamps.reserve(1) as later:
            assert later[0] > through

    def test_a_failed_write_is_no_longer_waited_for(self) -> None:
        stamps = Stamps(lambda: NOON)
        with pytest.raises(ZeroDivisionError), stamps.reserve(1) as reserved:
            _ = 1 / 0
        assert stamps.consistent_through() >= reserved[0]

    @given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
    def test_micros_and_back(self, moment: datetime) -> None:
        assert from_micros(to_micros(moment)) == moment


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
        assert selection(StatementQuery(ascending=True, until=later), None, through).until == through
        assert selection(StatementQuery(ascending=True), None, through).until == through
        assert selection(StatementQuery(until=later), None, through).until == to_micros(later)
        assert selection(StatementQuery(), None, through).until is None

    def test_related(self) -> None:
        query = StatementQuery(activity="a:b", related_activities=True, related_agents=True)
        assert selection(query, "agent", 0).fields == {"related_agents": "agent", "related_activities": "a:b"}

    def test_result(self) -> None:
        assert result([b"1", b"2"], "") == b'{"statements":[1,2],"more":""}'


class TestSecrets:
    def test_matches(self) -> None:
        secret = new_secret()
        assert matches(secret, digest(secret))
        assert not matches(new_secret(), digest(secret))

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
