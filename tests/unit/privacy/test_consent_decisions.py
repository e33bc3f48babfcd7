"""Objections and the officer's word, notices that ask again, and what is built anew, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from events.payloads import Basis, ConsentStatus, Notice, Policy, PurposePolicy, Unknown
from privacy.consents.decisions import ENFORCERS, Dossier, allowed_again, decide, rule, settled
from service_kit.consent import Standing

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
GRANTED, WITHDRAWN, OBJECTED = ConsentStatus.granted, ConsentStatus.withdrawn, ConsentStatus.objected


def acknowledged(dossier: Dossier) -> Dossier:
    return replace(dossier, acknowledged=dict.fromkeys(ENFORCERS, dossier.version))


class TestObjection:
    def test_waits_for_an_officer(self) -> None:
        dossier = decide(Dossier(), "profile", OBJECTED, NOW)
        assert dossier.objections["profile"].outcome is None
        assert dossier.decisions["profile"].status is OBJECTED

    def test_upheld_nothing_is_to_be_enforced_anew(self) -> None:
        dossier = acknowledged(decide(Dossier(), "profile", OBJECTED, NOW))
        ruled = rule(dossier, "profile", "upheld", LATER)
        assert ruled is not None
        assert (ruled.version, ruled.enforcement("profile")) == (dossier.version, "effective")
        assert (ruled.objections["profile"].outcome, ruled.objections["profile"].decided_at) == ("upheld", LATER)

    def test_overridden_the_default_holds_and_has_to_be_enforced(self) -> None:
        dossier = acknowledged(decide(Dossier(), "profile", OBJECTED, NOW))
        ruled = rule(dossier, "profile", "overridden", LATER)
        assert ruled is not None
        assert ("profile" in ruled.decisions, ruled.enforcement("profile")) == (False, "pending")
        assert ruled.objections["profile"].since == NOW
        again = decide(ruled, "profile", OBJECTED, LATER)
        assert again.objections["profile"].outcome is None

    def test_taken_back_none_is_left_to_decide(self) -> None:
        dossier = decide(decide(Dossier(), "profile", OBJECTED, NOW), "profile", None, LATER)
        assert dossier.objections == {}
        assert rule(dossier, "profile", "upheld", LATER) is None


class TestBuiltAnew:
    def test_only_once_everybody_allows_it_again(self) -> None:
        dossier = acknowledged(decide(Dossier(), "profile", WITHDRAWN, NOW))
        granted = allowed_again(decide(dossier, "profile", GRANTED, LATER), ["profile", "research"])
        assert granted.resumed == {"profile"}, "nothing else is derived and removed"
        for number in range(len(ENFORCERS)):
            held = dict.fromkeys(ENFORCERS[:number], granted.version)
            assert settled(replace(granted, acknowledged=held)) is not None
            assert settled(replace(granted, acknowledged=held)).rebuild == {}
        done = settled(acknowledged(granted))
        assert (done.rebuild, done.resumed, done.version) == ({"profile": 1}, frozenset(), granted.version + 1)
        assert done.enforcement("profile") == "effective"
        assert settled(done) is done
        assert done.message().rebuild == {"profile": 1}

    def test_not_if_it_is_withdrawn_again_before(self) -> None:
        granted = allowed_again(decide(Dossier(), "profile", GRANTED, NOW), ["profile"])
        withdrawn = acknowledged(decide(granted, "profile", WITHDRAWN, LATER))
        assert settled(withdrawn) is withdrawn


class TestNotice:
    @pytest.mark.parametrize(
        ("given", "ask_again", "allowed"),
        [("1", True, False), ("2", True, True), ("1", False, True), (None, True, False)],
    )
    def test_a_new_version_asks_again_where_the_policy_says_so(
        self, given: str | None, ask_again: bool, allowed: bool
    ) -> None:
        notice = Notice(version="2", ask_again=ask_again)
        rules = {"research": PurposePolicy(basis=Basis.consent, unknown=Unknown.denied, notice=notice)}
        state = decide(Dossier(), "research", GRANTED, NOW, given).message()
        for policy in (Policy(version=1, purposes=rules), Policy(version=1, purposes=rules).enforced()):
            assert Standing(policy, state).allows("research") is allowed
            assert Standing(policy, state).asks_again("research") is not allowed

    def test_to_consent_to_a_newer_one_is_a_new_decision(self) -> None:
        first = decide(Dossier(), "research", GRANTED, NOW, "1")
        assert decide(first, "research", GRANTED, LATER, "1") is first
        assert decide(first, "research", GRANTED, LATER, "2").version == 2
