"""Times, durations, scores and versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xapi import Version, VersionUnsupported, fraction, negotiate
from xapi.durations import comparable, seconds
from xapi.models import Score
from xapi.timestamps import parse, render

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


class TestTimestamps:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-01-02T12:00:00Z", NOON),
            ("2026-01-02t12:00:00z", NOON),
            ("2026-01-02 12:00:00Z", NOON),
            ("2026-01-02T13:30:00+01:30", NOON),
            ("2026-01-02T12:00", NOON),
            ("20260102T120000Z", NOON),
            ("2026-01-02T12:00:00.1234567Z", NOON + timedelta(microseconds=123456)),
            ("2026-01-02T12:00:00,5Z", NOON + timedelta(seconds=0.5)),
            ("2026-01-02T11:59:60Z", NOON),
            ("2026-01-02T11:59:60.9Z", NOON),
            ("2026-01-02T12:00:00+00", NOON),
        ],
    )
    def test_read(self, text: str, moment: datetime) -> None:
        assert parse(text) == moment
        assert parse(text).tzinfo is UTC

    @pytest.mark.parametrize(
        "text",
        ["", "2026", "2026-01-02", "12:00", "2026-W01-1T12:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:01:00Z",
         "2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00+25:00", "2026-01-01T00:00:00+12:99",
         "0001-01-01T00:00:00+01:00", "2026-01-01T00:00:00Z\n",
         "2026-01-01T00:00.5Z", "٢٠٢٦-01-01T00:00:00Z", "9999-12-31T23:59:60-01:00", "9999-12-31T23:59:60Z"],
    )  # fmt: skip
    def test_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            parse(text)

    @given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))]), min_value=datetime(2, 1, 1)))  # noqa: DTZ001
    def test_round_trip(self, moment: datetime) -> None:
        if moment.year > 9998:
            return
        text = render(moment)
        assert len(text) == 27
        assert parse(text, rfc3339=True) == moment

    @given(st.lists(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)), min_size=2))  # noqa: DTZ001
    def test_text_sorts_as_time_does(self, moments: list[datetime]) -> None:
        assert sorted(render(moment) for moment in moments) == [render(moment) for moment in sorted(moments)]


class TestDurations:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("PT1H30M", 5400),
            ("PT0S", 0),
            ("PT16559.14S", 16559.14),
            ("PT0,5S", 0.5),
            ("P4W", 2419200),
            ("P1DT1S", 86401),
            ("P1Y", 31557600),
            ("P2M", 5259600),
            ("PT0.5H", 1800),
        ],
    )
    def test_read(self, text: str, expected: float) -> None:
        assert seconds(text) == expected

    @pytest.mark.parametrize(
        "text", ["", "P", "PT", "1H", "-PT1S", "PT1H1", "P1S", "P1.5Y1M", "PT1S ", "P1D1W", "pt1s"]
    )
    def test_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="ISO 8601"):
            seconds(text)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("PT1.239S", "PT1.23S"), ("PT1.200S", "PT1.2S"), ("PT1.001S", "PT1S"), ("PT1S", "PT1S"), ("PT1,5S", "PT1.5S")],
    )
    def test_comparable(self, text: str, expected: str) -> None:
        assert comparable(text) == expected


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (Score(raw=5, min=0, max=10), 0.5),
        (Score(raw=-5, min=-10, max=10, scaled=1), 0.25),
        (Score(scaled=0.7, raw=3), 0.7),
        (Score(scaled=-0.7), 0.0),
        (Score(raw=3, max=10), None),
        (Score(), None),
    ],
)
def test_fraction(score: Score, expected: float | None) -> None:
    assert fraction(score) == expected


class TestVersions:
    @pytest.mark.parametrize("header", ["1.0", "1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.9", " 1.0.3 "])
    def test_1_0_3(self, header: str) -> None:
        assert negotiate(header) is Version.V1_0_3
        assert not negotiate(header).is_2

    @pytest.mark.parametrize("header", ["2.0.0", "2.0.1", "2.0"])
    def test_2_0(self, header: str) -> None:
        assert negotiate(header) is Version.V2_0_0

    @pytest.mark.parametrize(
        "header", [None, "", "1", "0.9", "0.95", "1.1", "1.1.0", "2.1.0", "3.0.0", "1.0.x", "10.0"]
    )
    def test_refused(self, header: str | None) -> None:
        with pytest.raises(VersionUnsupported, match=r"expected 1\.0"):
            negotiate(header)
