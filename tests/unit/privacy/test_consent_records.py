"""Records and receipts hold every field that ISO/IEC TS 27560:2023 calls mandatory."""

from __future__ import annotations

from dataclasses import replace
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


def terms_as_text(node: Any, coerced: set[str], key: str = "") -> list[str]:
    """Where a term of DPV stands as a mere text: a processor of JSON-LD reads it as no term."""
    if isinstance(node, dict):
        return [found for name, value in node.items() for found in terms_as_text(value, coerced, name)]
    if isinstance(node, list):
        return [found for value in node for found in terms_as_text(value, coerced, key)]
    is_term = isinstance(node, str) and node.startswith(("dpv:", "eu-gdpr:"))
    return [f"{key} {node}"] if is_term and key not in {"@type", "@id", *coerced} else []


@pytest.mark.parametrize("basis", Basis)
def test_terms_are_terms_to_a_processor_of_json_ld(basis: Basis) -> None:
    made = receipt(SUBJECT, [EVENTS[basis]], {1: policy(basis.value, pack="open")})
    context = made.pop("@context")
    coerced = {name for name, said in context.items() if isinstance(said, dict) and said["@type"] == "@id"}
    assert terms_as_text(made, coerced) == []


def test_receipt_record_and_event_are_three_things() -> None:
    made = receipt(SUBJECT, [EVENTS[Basis.consent]], {1: policy("consent")})
    held = made["dpv:hasRecordOfActivity"]
    assert len({made["@id"], held["@id"], held["dpv:hasConsentStatus"][0]["@id"]}) == 3


def test_what_came_with_a_decision_says_nothing_of_the_record() -> None:
    sly = {"@id": 7, "@context": {"dpv": "https://elsewhere.example/"}, "page": "/consent"}
    given = replace(EVENTS[Basis.consent], details=sly)
    [state] = record(SUBJECT, [given], {1: policy("consent")})["dpv:hasConsentStatus"]
    assert state["dct:description"] == {"@type": "@json", "@value": sly}


def test_only_under_the_gdpr_are_rights_the_gdprs() -> None:
    made = record(SUBJECT, [EVENTS[Basis.consent]], {1: policy("consent", pack="us-k12")})
    assert [right.get("@id") for right in made["dpv:hasProcess"]["dpv:hasRight"]] == [None] * 3
