"""Until when copies from before there were keys lie in the clear."""

from datetime import UTC, datetime, timedelta

from events import topics
from service_kit.keys.clearing import Note, status

LAST = datetime(2026, 11, 1, tzinfo=UTC)
NOTES = [Note("statements.bytes", True, 10, LAST), Note("identities.bytes", True, 3, LAST - timedelta(days=1))]
TOPICS = [topics.STATEMENTS, topics.PROFILES]


def left(days: float, oldest: datetime | None) -> dict[str, float | None]:
    """Seconds by copy, so many days after the last clear byte."""
    said = status(NOTES, oldest, TOPICS, LAST + timedelta(days=days))
    return {one.where: one.clear_seconds for one in said.copies}


def test_where_nothing_was_clear_no_copy_is() -> None:
    said = status([Note("statements.bytes", True, 0, None)], LAST, TOPICS, LAST)
    assert (said.last_clear_at, said.copies) == (None, [])


def test_topics_count_down_to_the_end_of_their_retention() -> None:
    week = topics.STATEMENTS.retention_days
    for days, expected in [(0, week * 86_400.0), (week - 1, 86_400.0), (week, 0.0), (week + 1, 0.0)]:
        found = left(days, LAST)
        assert found[topics.STATEMENTS.name] == expected
        assert found[topics.PROFILES.name] is None, "compacted: until the next record of each key"


def test_the_oplog_counts_down_to_the_last_clear_byte() -> None:
    assert left(0, LAST - timedelta(hours=2))["oplog"] == 7200.0
    assert left(0, LAST + timedelta(seconds=1))["oplog"] == 0.0
    assert left(0, None)["oplog"] is None, "where one may not look"


def test_the_last_of_all_places_counts() -> None:
    assert status(NOTES, None, TOPICS, LAST).last_clear_at == LAST
