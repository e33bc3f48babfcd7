"""What a rule means at a moment, and how far a run has come."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from events.payloads import RetentionAction, RetentionOrder, Selection
from hypothesis import given
from hypothesis import strategies as st
from privacy.retention.rules import (
    COPIES,
    SERVICES,
    Rule,
    ago,
    limits,
    orders,
    portions,
    retention_of,
    selection_of,
    stages_of,
)
from privacy.retention.runs import Portion, PortionState, added, answered, opened, sent_again
from privacy.retention.schemas import HoldBody, RuleBody
from privacy.retention.settings import RetentionSettings
from pydantic import ValidationError

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
RESEND = timedelta(seconds=30)


def rule(**parts: object) -> Rule:
    plain = {"id": str(uuid4()), "version": 1, "name": "n", "reason": "r", "action": RetentionAction.delete}
    return Rule(**(plain | {"stored_for": "P3Y", "active": True} | parts))  # type: ignore[arg-type]


class TestAgo:
    @pytest.mark.parametrize(
        ("duration", "expected"),
        [
            ("P3Y", datetime(2023, 3, 31, 12, tzinfo=UTC)),
            ("P1M", datetime(2026, 2, 28, 12, tzinfo=UTC)),
            ("P1Y1M", datetime(2025, 2, 28, 12, tzinfo=UTC)),
            ("P2W", datetime(2026, 3, 17, 12, tzinfo=UTC)),
            ("P1DT2H30M", datetime(2026, 3, 30, 9, 30, tzinfo=UTC)),
            ("PT0M", NOW),
        ],
    )
    def test_as_calendars_count(self, duration: str, expected: datetime) -> None:
        assert ago(NOW, duration) == expected

    @pytest.mark.parametrize("duration", ["", "P", "PT", "3Y", "P3", "P-1Y", "P1.5Y", "P9999Y", "P1S", "PT1S"])
    def test_nothing_else_is_taken(self, duration: str) -> None:
        with pytest.raises(ValueError, match="duration"):
            ago(NOW, duration)


class TestSelection:
    def test_ages_become_times(self) -> None:
        found = selection_of(rule(inactive_for="P1Y", verbs=("v:1",)), NOW, {})
        assert found == Selection(
            stored_before=ago(NOW, "P3Y"), inactive_since=datetime(2025, 3, 31, 12, tzinfo=UTC), verbs=("v:1",)
        )

    def test_courses_that_ended_long_enough_ago(self) -> None:
        ended = {"c:old": date(2025, 9, 30), "c:new": date(2025, 10, 1)}
        one = rule(stored_for=None, after_course_end="P6M")
        found = selection_of(one, NOW, ended)
        assert found is not None
        assert found.activities == ("c:old",)
        assert selection_of(one, NOW, {}) is None, "no course: nothing, rather than everything"


class TestPortions:
    @pytest.mark.parametrize("count", [1, 16, 256])
    @given(learner=st.uuids(version=4))
    def test_each_learner_is_in_one(self, count: int, learner: object) -> None:
        name = str(learner)
        found = [1 for first, behind in portions(count) if first <= name and (behind is None or name < behind)]
        assert found == [1]

    def test_orders_say_the_same_but_for_the_learners(self) -> None:
        found = orders(rule(), Selection(), True, portions(16))
        assert [one.portion for one in found] == list(range(16))
        assert {one.model_copy(update={"portion": 0, "first": "", "behind": None}) for one in found} == {
            RetentionOrder(
                portion=0, services=SERVICES, action=RetentionAction.delete, selection=Selection(), preview=True
            )
        }

    def test_copies_come_first(self) -> None:
        assert stages_of(SERVICES) == [list(COPIES), ["learner_profile", "ingest"]]
        assert stages_of(["ingest"]) == [["ingest"]]


class TestProgress:
    def test_a_portion_goes_from_stage_to_stage(self) -> None:
        order = orders(rule(), Selection(), False, portions(1))[0]
        one = Portion(run="r", tenant="t", order=order)
        assert answered(one, "insights") is one, "nobody has been asked yet"
        one = opened(one, NOW, RESEND)
        assert one.silent == ["insights", "recommendation"]
        assert answered(one, "ingest") is one
        heard = answered(one, "insights")
        assert answered(heard, "insights") is heard
        second = answered(heard, "recommendation")
        assert (second.stage, second.state) == (1, PortionState.waiting)
        second = opened(second, NOW, RESEND)
        done = answered(answered(second, "ingest"), "learner_profile")
        assert done.state is PortionState.done

    def test_it_is_sent_again_later_each_time(self) -> None:
        one = opened(
            Portion(run="r", tenant="t", order=orders(rule(), Selection(), False, portions(1))[0]), NOW, RESEND
        )
        pauses = []
        for _ in range(9):
            one = sent_again(one, NOW, RESEND)
            assert one.send_again_at is not None
            pauses.append((one.send_again_at - NOW).total_seconds())
        assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]

    def test_sums(self) -> None:
        sums = added(added({}, "ingest", {"statements": 2}), "ingest", {"statements": 3, "documents": 1})
        assert added(sums, "insights", {}) == {"ingest": {"statements": 5, "documents": 1}, "insights": {}}


class TestPeriod:
    def test_the_rules_say_it_where_they_take_everything(self) -> None:
        narrow = rule(verbs=("v:1",))
        assert retention_of([rule()], "record", "P9Y") == "P3Y"
        assert retention_of([narrow], "record", "P9Y") == "P9Y"
        assert retention_of([rule(active=False), rule(ended_at=NOW)], "record", None) is None
        assert retention_of([rule(services=("ingest",))], "profile", "P9Y") == "P9Y"
        both = [rule(), rule(stored_for=None, inactive_for="P1Y")]
        assert retention_of(both, "record", None) == "P1Y after the learner's last activity; P3Y"
        assert limits([narrow], "record") == [narrow]


class TestBodies:
    def test_a_rule_has_an_age(self) -> None:
        with pytest.raises(ValidationError, match="stored_for"):
            RuleBody(name="n", reason="r", action=RetentionAction.delete)

    def test_a_hold_is_on_somebody_or_on_everyone(self) -> None:
        for body in ({}, {"everyone": True, "learners": [uuid4()]}):
            with pytest.raises(ValidationError, match="everyone"):
                HoldBody(name="n", reason="r", **body)


def test_the_number_of_portions_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_RETENTION_PORTIONS", "256")
    assert RetentionSettings().retention_portions == 256
    monkeypatch.setenv("TRELLIS_RETENTION_PORTIONS", "17")
    with pytest.raises(ValidationError):
        RetentionSettings()
