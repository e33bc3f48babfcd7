"""What each pack says, and where it says it from."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from events.payloads import Basis
from hypothesis import given
from hypothesis import strategies as st
from privacy.packs import PACKS, Pack, Right, pack_named
from privacy.packs.dates import age_on, birthday, months_after

ASKED = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
EU, US, FREE = (pack_named(name) for name in ("eu-school", "us-k12", "open"))
DAYS = st.dates(date(1990, 1, 1), date(2030, 12, 31))


class TestCalendar:
    @pytest.mark.parametrize(
        ("start", "months", "end"),
        [
            (date(2026, 1, 31), 1, date(2026, 2, 28)),
            (date(2028, 1, 31), 1, date(2028, 2, 29)),
            (date(2026, 12, 15), 1, date(2027, 1, 15)),
            (date(2026, 11, 30), 3, date(2027, 2, 28)),
        ],
    )
    def test_months_end_with_the_month(self, start: date, months: int, end: date) -> None:
        assert months_after(start, months) == end

    @given(DAYS, st.integers(0, 30))
    def test_of_an_age_from_the_birthday_on(self, born: date, age: int) -> None:
        day = birthday(born, age)
        assert age_on(born, day) == age
        assert age == 0 or age_on(born, day - timedelta(days=1)) == age - 1


class TestDeadlines:
    def test_one_month_and_two_more(self) -> None:
        deadline = EU.deadline("erasure", ASKED)
        assert (deadline.due, deadline.extendable_to) == (
            ASKED.replace(month=2, day=28),
            ASKED.replace(month=4, day=30),
        )
        assert str(deadline.clause) == "GDPR 12(3)"

    def test_forty_five_days_and_none_more(self) -> None:
        deadline = US.deadline(Right.access, ASKED)
        assert (deadline.due - ASKED, deadline.extendable_to) == (timedelta(days=45), None)
        assert str(deadline.clause) == "34 CFR 99.10(b)"

    @pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
    @pytest.mark.parametrize("right", Right)
    def test_every_right_has_one(self, pack: Pack, right: Right) -> None:
        deadline = pack.deadline(right, ASKED)
        assert ASKED < deadline.due <= (deadline.extendable_to or deadline.due)


class TestRefusals:
    def test_a_task_in_the_public_interest_stands_against_erasure(self) -> None:
        codes = {ground.code: str(ground.clause) for ground in EU.may_refuse("erasure", [Basis.public_task])}
        assert codes["legal-obligation-or-public-task"] == "GDPR 17(3)(b)"
        assert EU.ground("legal-obligation-or-public-task", "erasure", [Basis.consent]) is None
        assert EU.ground("legal-claims", "erasure", [Basis.consent]) is not None

    def test_portability_only_of_what_rests_on_consent_or_contract(self) -> None:
        assert EU.may_refuse("portability", [Basis.public_task])[0].code == "no-such-right"
        assert EU.ground("no-such-right", "portability", [Basis.contract]) is None

    def test_ferpa_knows_no_general_erasure(self) -> None:
        assert US.entitles("erasure", [Basis.legal_obligation]) is None
        assert US.ground("no-such-right", "erasure", [Basis.legal_obligation]) is not None
        assert str(US.entitles("erasure", [Basis.consent])) == "16 CFR 312.6(a)(2)"
        both = [Basis.consent, Basis.public_task]
        assert US.ground("education-record", "erasure", both) is not None, "one consent opens no way to all the rest"
        assert US.ground("education-record", "erasure", [Basis.consent]) is None

    @pytest.mark.parametrize("right", Right)
    def test_open_refuses_nothing(self, right: Right) -> None:
        assert FREE.may_refuse(right, list(Basis)) == ()
        assert all(FREE.entitles(right, [basis]) for basis in Basis)

    def test_nothing_is_destroyed_under_inspection(self) -> None:
        assert str(US.waits_for("erasure", ["access"])) == "34 CFR 99.10(e)"
        assert US.waits_for("erasure", ["rectification"]) is None
        assert EU.waits_for("erasure", ["access"]) is None


class TestMinors:
    def test_rights_pass_at_eighteen_or_on_postsecondary_enrolment(self) -> None:
        born = date(2010, 9, 1)
        assert US.guardian_until(born) == date(2028, 9, 1)
        assert US.guardian_until(born, date(2027, 8, 20)) == date(2027, 8, 20)
        assert EU.guardian_until(born, date(2027, 8, 20)) == date(2028, 9, 1)
        assert FREE.guardian_until(born) is None
        assert US.guardian_until(None) is None

    def test_the_age_counts_only_for_services_offered_directly(self) -> None:
        assert EU.consent_giver(12, None, offered_to_child=True) == "guardian"
        assert EU.consent_giver(12, None, offered_to_child=False) == "learner"
        assert EU.consent_giver(14, 13, offered_to_child=True) == "learner"
        assert EU.consent_giver(15, None, offered_to_child=True) == "guardian"
        assert US.consent_giver(12, None, offered_to_child=False) == "guardian_or_school"
        assert US.consent_giver(13, None, offered_to_child=False) == "learner"
        assert FREE.consent_giver(5, None, offered_to_child=True) == "learner"


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        ("eu-school", {"GDPR 12(3)", "GDPR 17(3)(b)", "GDPR 12(6)", "GDPR 8(1)", "GDPR 21(1)"}),
        (
            "us-k12",
            {"34 CFR 99.10(b)", "34 CFR 99.10(e)", "34 CFR 99.20(a)", "34 CFR 99.21(a)", "34 CFR 99.22"}
            | {"34 CFR 99.32(a)(2)", "34 CFR 99.3, 99.5(a)", "16 CFR 312.10", "16 CFR 312.5(a)(2)"},
        ),
    ],
)
def test_every_rule_cites_its_clause(name: str, sources: set[str]) -> None:
    clauses = pack_named(name).clauses()
    assert sources <= {clause.source for clause in clauses}
    assert all(clause.source and clause.says for clause in clauses)
