"""Policies, decisions and requests, thought through without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from events.payloads import PURPOSES, ConsentStatus
from hypothesis import given
from hypothesis import strategies as st
from privacy.consents.decisions import ENFORCERS, Dossier, decide, forget
from privacy.policies.rules import faults
from privacy.policies.schemas import PolicyBody
from privacy.requests.progress import CARRIERS, Carried, DataRequest, Status, overdue, received, started

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RESEND = timedelta(seconds=30)
MONTH = timedelta(days=30)
HOUR = timedelta(hours=1)
STATUSES = st.one_of(st.none(), st.sampled_from(ConsentStatus))
HISTORIES = st.lists(st.tuples(st.sampled_from(PURPOSES), STATUSES), max_size=20)


def body(basis: str, unknown: str) -> PolicyBody:
    return PolicyBody.model_validate({"purposes": {p: {"basis": basis, "unknown": unknown} for p in PURPOSES}})


class TestPolicy:
    @pytest.mark.parametrize("basis", ["contract", "legal_obligation", "public_task", "legitimate_interest"])
    @pytest.mark.parametrize("unknown", ["allowed", "denied"])
    def test_may_stand(self, basis: str, unknown: str) -> None:
        assert faults(body(basis, unknown)) == []

    def test_consent_must_be_given(self) -> None:
        assert faults(body("consent", "denied")) == []
        assert [fault["pointer"] for fault in faults(body("consent", "allowed"))] == [
            f"/purposes/{p}" for p in PURPOSES
        ]


class TestDecisions:
    @given(HISTORIES)
    def test_the_last_decision_holds_and_every_change_has_its_version(
        self, history: list[tuple[str, ConsentStatus | None]]
    ) -> None:
        dossier, changes = Dossier(), 0
        for purpose, status in history:
            after = decide(dossier, purpose, status, NOW)
            changes += after is not dossier
            assert decide(after, purpose, status, NOW) is after
            dossier = after
        last = {purpose: status for purpose, status in dict(history).items() if status is not None}
        assert {purpose: d.status for purpose, d in dossier.decisions.items()} == last
        assert dossier.version == changes
        assert dossier.message().version >= 1 if changes else dossier.version == 0

    @given(HISTORIES, st.dictionaries(st.sampled_from(ENFORCERS), st.integers(0, 20)))
    def test_effective_means_acknowledged_by_all(
        self, history: list[tuple[str, ConsentStatus | None]], acknowledged: dict[str, int]
    ) -> None:
        dossier = Dossier(acknowledged=acknowledged)
        for purpose, status in history:
            dossier = decide(dossier, purpose, status, NOW)
        for purpose in PURPOSES:
            slowest = min(acknowledged.get(service, 0) for service in ENFORCERS)
            effective = dossier.changed.get(purpose, 0) <= slowest
            assert dossier.enforcement(purpose) == ("effective" if effective else "pending")

    def test_of_the_forgotten_nothing_is_left(self) -> None:
        dossier = forget(decide(Dossier(), "profile", ConsentStatus.objected, NOW))
        assert (dossier.erased, dossier.decisions, dossier.version) == (True, {}, 2)


def running() -> DataRequest:
    asked = DataRequest("r", "erasure", "l", Status.pending, "dpo", NOW, due_at=NOW + MONTH)
    return started(asked, Carried({}, NOW), RESEND, NOW)


class TestProgress:
    @pytest.mark.parametrize("order", list(permutations(ENFORCERS))[::5])
    def test_completed_with_the_last_receipt_in_any_order(self, order: tuple[str, ...]) -> None:
        request = running()
        for number, service in enumerate(order, 1):
            assert request.status is Status.running
            request = received(request, service, Carried({"rows": number}, NOW + timedelta(seconds=9 - number)))
            assert received(request, service, Carried({"rows": 0}, NOW)) is request
        assert (request.status, request.completed_at) == (Status.completed, NOW + timedelta(seconds=8))
        assert request.receipts.keys() == CARRIERS
        assert request.send_again_at is None

    def test_nothing_is_received_before_it_runs(self) -> None:
        asked = DataRequest("r", "erasure", "l", Status.pending, "learner", NOW)
        assert received(asked, "ingest", Carried({}, NOW)) is asked

    def test_sent_again_ever_later_and_at_last_failed(self) -> None:
        request, now, pauses = running(), NOW + RESEND, []
        while True:
            request = overdue(request, now, RESEND, HOUR)
            if request.status is Status.failed:
                break
            assert request.send_again_at is not None
            pauses.append(request.send_again_at - now)
            assert (request.escalated_at is not None) == (now - NOW >= HOUR)
            now = request.send_again_at
        assert pauses[:3] == [RESEND * 2, RESEND * 4, RESEND * 8]
        assert max(pauses) == timedelta(hours=1)
        assert now - NOW > MONTH
        assert request.send_again_at is None

    def test_late_receipts_complete_what_had_failed(self) -> None:
        request = overdue(running(), NOW + MONTH * 2, RESEND, HOUR)
        assert request.status is Status.failed
        for service in ENFORCERS:
            request = received(request, service, Carried({}, NOW + MONTH * 2))
        assert request.status is Status.completed


def test_the_guides_policy_may_stand() -> None:
    guide = (Path(__file__).parents[3] / "docs/guides/privacy.md").read_text()
    example = guide.partition("```json\n")[2].partition("```")[0]
    assert faults(PolicyBody.model_validate_json(example)) == []
