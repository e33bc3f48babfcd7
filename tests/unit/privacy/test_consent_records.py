"""Records and receipts hold every field that ISO/IEC TS 27560:2023 calls mandatory."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from events.payloads import PURPOSES, Basis, ConsentStatus, Notice, Policy
from privacy.consents.records import NOT_STATED, RECORD_SCHEMA, Subject, receipt, record
from privacy.consents.repository import HistoryEntry
from privacy.policies.schemas import PolicyBody

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
SUBJECT = Subject("school", "6f1d3c1e-6f0f-4a55-9df8-6b0a1e4f2a10")
STATES = ("dpv:hasConsentStatus", "dpv:hasStatus")

# TS 27560 field → where it stands. `*`: each element of the list; `|`: one of them.
MANDATORY = {
    "schema version": "dct:conformsTo",
    "record id": "dct:identifier",
    "pii principal id": "dpv:hasDataSubject/dct:identifier",
    "privacy notice": "dpv:hasProcess/dpv:hasNotice/dct:hasVersion",
    "language": "dpv:hasProcess/dct:language",
    "purpose": "dpv:hasProcess/dpv:hasPurpose/dct:identifier",
    "lawful basis": "dpv:hasProcess/dpv:hasLegalBasis",
    "pii information": "dpv:hasProcess/dpv:hasPersonalData/*/@type",
    "pii type": "dpv:hasProcess/dpv:hasPersonalData/*/dct:description",
    "pii controllers": "dpv:hasDataController/@type",
    "storage locations": "dpv:hasProcess/dpv:hasStorageCondition/0/dpv:hasLocation",
    "retention period": "dpv:hasProcess/dpv:hasStorageCondition/1/dpv:hasDuration",
    "jurisdiction": "dpv:hasProcess/dpv:hasJurisdiction",
    "recipient third parties": "dpv:hasProcess/dpv:hasRecipient",
    "withdrawal method": "dpv:hasProcess/dpv:hasConsentControl/dct:description",
    "privacy rights": "dpv:hasProcess/dpv:hasRight",
    "party id": "dpv:hasDataController/dct:identifier",
    "party name": "dpv:hasDataController/dpv:hasName",
    "party address": "dpv:hasDataController/dpv:hasAddress",
    "party contact": "dpv:hasDataController/dpv:hasContact",
    "party type": "dpv:hasDataController/dct:type",
    "event time": "dpv:hasConsentStatus|dpv:hasStatus/*/dct:date/@value",
    "validity duration": "dpv:hasConsentStatus|dpv:hasStatus/*/dct:valid",
    "entity id": "dpv:hasConsentStatus|dpv:hasStatus/*/dpv:isImplementedByEntity",
    "event type": "dpv:hasConsentStatus|dpv:hasStatus/*/dpv:hasLegalBasis",
    "event state": "dpv:hasConsentStatus|dpv:hasStatus/*/@type",
}


def there(document: Any, path: str) -> bool:
    """Whether something stands at the path; an empty list of recipients says that there are none."""
    head, _, rest = path.partition("/")
    if head == "*":
        return bool(document) and all(there(one, rest) for one in document)
    key: Any = int(head) if head.isdigit() else next((name for name in head.split("|") if name in document), None)
    try:
        found = document[key]
    except (KeyError, IndexError):
        return False
    return there(found, rest) if rest else found not in (None, "")


def policy(basis: str, **more: Any) -> Policy:
    unknown = "denied" if basis == "consent" else "allowed"
    rules = {purpose: {"basis": basis, "unknown": unknown} for purpose in (*PURPOSES, "own")}
    return PolicyBody.model_validate({"purposes": rules, **more}).policy(1)


def event(basis: Basis, status: ConsentStatus | None, **more: Any) -> HistoryEntry:
    return HistoryEntry(
        SUBJECT.learner, more.pop("purpose", "research"), status, basis, 1, 1, AT, "learner", {}, **more
    )


EVENTS = {
    Basis.consent: event(Basis.consent, ConsentStatus.granted),
    Basis.public_task: event(Basis.public_task, ConsentStatus.objected),
    Basis.legitimate_interest: event(Basis.legitimate_interest, None, event="ruling", outcome="overridden"),
    Basis.contract: event(Basis.contract, None, event="notice", notice=Notice(version="4", language="de")),
    Basis.legal_obligation: event(Basis.legal_obligation, None, event="notice", purpose="own"),
}


@pytest.mark.parametrize("field", MANDATORY)
@pytest.mark.parametrize("basis", Basis)
def test_every_mandatory_field_is_there(field: str, basis: Basis) -> None:
    made = record(SUBJECT, [EVENTS[basis]], {1: policy(basis.value)})
    assert there(made, MANDATORY[field]), field
    copy = receipt(SUBJECT, [EVENTS[basis]], {1: policy(basis.value)})
    assert there(copy, "dct:identifier")
    assert there(copy, "dct:conformsTo")
    assert there(copy, f"dpv:hasRecordOfActivity/{MANDATORY[field]}"), field


def test_a_missing_field_is_noticed() -> None:
    made = record(SUBJECT, [EVENTS[Basis.consent]], {1: policy("consent")})
    for path in MANDATORY.values():
        broken: Any = {**made}
        broken.pop(next(name for name in path.split("/")[0].split("|") if name in made))
        assert not there(broken, path), path


def test_what_the_policy_states_is_in_it() -> None:
    told = {
        "pack": "eu-school",
        "controller": {"name": "Lyceum", "contact": "privacy@lyceum.example", "address": "Main street 1"},
        "jurisdiction": "NL",
        "storage_location": "EU",
    }
    made = record(SUBJECT, [EVENTS[Basis.consent]], {1: policy("consent", **told)})
    assert made["dct:conformsTo"] == RECORD_SCHEMA
    assert made["dpv:hasDataController"]["dpv:hasAddress"] == "Main street 1"
    process = made["dpv:hasProcess"]
    assert (process["dpv:hasLegalBasis"], process["dpv:hasJurisdiction"]) == ("eu-gdpr:A6-1-a", "NL")
    assert process["dpv:hasStorageCondition"][1]["dpv:hasDuration"] == NOT_STATED
    assert process["dpv:hasConsentControl"]["@type"] == "dpv:WithdrawConsent"
    assert {"eu-gdpr:A20", "eu-gdpr:A17"} <= {right["@id"] for right in process["dpv:hasRight"]}
    assert "eu-gdpr:A21" not in {right["@id"] for right in process["dpv:hasRight"]}, "one does not object to consent"


def test_the_states_of_consent() -> None:
    said = (ConsentStatus.granted, ConsentStatus.withdrawn, ConsentStatus.granted, None)
    events = [event(Basis.consent, status) for status in said]
    made = record(SUBJECT, events, {1: policy("consent")})
    assert [state["@type"] for state in made["dpv:hasConsentStatus"]] == [
        "dpv:ConsentGiven",
        "dpv:ConsentWithdrawn",
        "dpv:RenewedConsentGiven",
        "dpv:ConsentWithdrawn",
    ]
    refused = record(SUBJECT, [event(Basis.consent, ConsentStatus.withdrawn)], {1: policy("consent")})
    assert refused["dpv:hasConsentStatus"][0]["@type"] == "dpv:ConsentRefused"
