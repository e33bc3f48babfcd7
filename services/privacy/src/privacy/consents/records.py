"""Consent records, notice records and receipts: the fields of ISO/IEC TS 27560:2023 in the words of the W3C Data
Privacy Vocabulary, as JSON-LD. Pure.

The terms for the fields are those of the DPV community group's guide to TS 27560. A record is made from the events
kept and the policy versions in force at them; a receipt is the record as it was at one event, and never changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from events.payloads import Basis, ConsentStatus, Controller, Policy, PurposePolicy, Recipient

from privacy.consents.repository import HistoryEntry
from privacy.packs import Right, pack_named
from privacy.retention.rules import Rule, retention_of

JsonLd = dict[str, Any]

_TERM: Final[JsonLd] = {"@type": "@id"}  # the value is a term, no text
CONTEXT: Final[JsonLd] = {
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dct:conformsTo": _TERM,
    "dpv:hasLegalBasis": _TERM,
    "dpv:hasProcessing": _TERM,
}
RECORD_SCHEMA: Final = "https://w3id.org/dpv/schema/dpv-27560#record"
RECEIPT_SCHEMA: Final = "https://w3id.org/dpv/schema/dpv-27560#receipt"
NOT_STATED: Final = "not stated"
BASES: Final[Mapping[Basis, tuple[str, str]]] = {
    Basis.consent: ("dpv:ExplicitlyExpressedConsent", "eu-gdpr:A6-1-a"),
    Basis.contract: ("dpv:Contract", "eu-gdpr:A6-1-b"),
    Basis.legal_obligation: ("dpv:LegalObligation", "eu-gdpr:A6-1-c"),
    Basis.public_task: ("dpv:PublicInterest", "eu-gdpr:A6-1-e"),
    Basis.legitimate_interest: ("dpv:LegitimateInterest", "eu-gdpr:A6-1-f"),
}
PROCESSING: Final[Mapping[str, tuple[str, ...]]] = {
    "record": ("dpv:Collect", "dpv:Store"),
    "profile": ("dpv:Profiling", "dpv:Derive"),
    "recommend": ("dpv:Use", "dpv:Profiling"),
    "teach": ("dpv:Disclose", "dpv:Consult"),
    "insights": ("dpv:Combine", "dpv:Anonymise"),
    "research": ("dpv:Use", "dpv:Analyse"),
}
PERSONAL_DATA: Final[Mapping[str, tuple[str, ...]]] = {
    "record": ("what was done in learning platforms: actor, verb, activity, result, time",),
    "profile": ("mastery, interests and pace, derived from what was recorded",),
    "recommend": ("the profile, and the means the learner has",),
    "teach": ("name, mastery and activity of the teacher's own pupils",),
    "insights": ("counts and means over groups that are large enough",),
    "research": ("pseudonymous records of learning",),
}
RIGHTS: Final[Mapping[Right, str]] = {
    Right.access: "eu-gdpr:A15",
    Right.rectification: "eu-gdpr:A16",
    Right.erasure: "eu-gdpr:A17",
    Right.restriction: "eu-gdpr:A18",
    Right.portability: "eu-gdpr:A20",
    Right.objection: "eu-gdpr:A21",
}
_OBJECTABLE: Final = {Basis.public_task: "dpv:PublicInterest", Basis.legitimate_interest: "dpv:LegitimateInterest"}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose record it is."""

    tenant: str
    learner: str


def record(
    subject: Subject, events: Sequence[HistoryEntry], policies: Mapping[int, Policy], rules: Sequence[Rule] = ()
) -> JsonLd:
    """The record of one purpose: all its events, oldest first (at least one), under the policy of the last.

    `rules`: the retention rules as they were then; where one bounds the purpose the period is its.
    """
    first, last = events[0], events[-1]
    policy = policies[last.policy_version]
    terms = policy.purposes[last.purpose]
    consent = last.basis is Basis.consent
    return {
        "@context": CONTEXT,
        "@id": f"urn:uuid:{first.id}#record",
        "@type": "dpv:ConsentRecord" if consent else "dpv:DataProcessingRecord",
        "dct:conformsTo": RECORD_SCHEMA,
        "dct:identifier": first.id,
        "dpv:hasDataSubject": {"@type": "dpv:DataSubject", "dct:identifier": f"urn:uuid:{subject.learner}"},
        "dpv:hasDataController": party(policy.controller, subject.tenant),
        "dpv:hasProcess": _process(policy, last, terms, subject, rules),
        _states(last): [_event(entry, events[:number]) for number, entry in enumerate(events)],
    }


def receipt(
    subject: Subject, events: Sequence[HistoryEntry], policies: Mapping[int, Policy], rules: Sequence[Rule] = ()
) -> JsonLd:
    """The learner's copy of the record as it was at the last of these events."""
    last = events[-1]
    held = record(subject, events, policies, rules)
    held.pop("@context")
    return {
        "@context": CONTEXT,
        "@id": f"urn:uuid:{last.id}#receipt",
        "@type": "dpv:ConsentReceipt" if last.basis is Basis.consent else "dpv:DataProcessingRecord",
        "dct:conformsTo": RECEIPT_SCHEMA,
        "dct:identifier": last.id,
        "dct:created": _time(last.at),
        "dct:publisher": held["dpv:hasDataController"],
        "dpv:hasRecordOfActivity": held,
    }


def party(controller: Controller | None, tenant: str) -> JsonLd:
    """A controller as the party that TS 27560 wants; what a policy does not state is called so."""
    known = controller or Controller(name=tenant)
    return {
        "@type": "dpv:DataController",
        "dct:identifier": f"urn:trellis:tenant:{tenant}",
        "dpv:hasName": known.name,
        "dpv:hasAddress": known.address or NOT_STATED,
        "dpv:hasContact": known.contact or NOT_STATED,
        "dct:type": known.kind,
        **({"dpv:hasDataProtectionOfficer": {"dpv:hasContact": known.officer}} if known.officer else {}),
    }


def _process(
    policy: Policy, last: HistoryEntry, terms: PurposePolicy, subject: Subject, rules: Sequence[Rule]
) -> JsonLd:
    retention = retention_of(rules, last.purpose, terms.retention)
    return {
        "@type": "dpv:Process",
        "dpv:hasNotice": {
            "@type": "dpv:ConsentNotice" if last.basis is Basis.consent else "dpv:PrivacyNotice",
            "dct:hasVersion": last.notice.version,
            "dct:language": last.notice.language,
            "dct:source": last.notice.url or NOT_STATED,
        },
        "dct:language": last.notice.language,
        "dpv:hasPurpose": {
            "@type": "dpv:Purpose",
            "dct:identifier": last.purpose,
            "dct:description": terms.description or last.purpose,
        },
        "dpv:hasLegalBasis": legal_basis(policy, last.basis),
        "dpv:hasPersonalData": personal_data(last.purpose, terms),
        "dpv:hasProcessing": list(PROCESSING.get(last.purpose, ("dpv:Use",))),
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": policy.storage_location or NOT_STATED},
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": retention or NOT_STATED},
        ],
        "dpv:hasJurisdiction": policy.jurisdiction or NOT_STATED,
        "dpv:hasRecipient": [recipient(one) for one in terms.recipients],
        "dpv:hasConsentControl": control(last.basis, last.purpose, subject.learner),
        "dpv:hasRight": rights(policy, last.basis),
    }


def legal_basis(policy: Policy, basis: Basis) -> str:
    """GDPR's own term under its pack, else the general one."""
    general, gdpr = BASES[basis]
    return gdpr if policy.pack == "eu-school" else general


def personal_data(purpose: str, terms: PurposePolicy) -> list[JsonLd]:
    told = terms.personal_data or PERSONAL_DATA.get(purpose, (NOT_STATED,))
    return [{"@type": "dpv:PersonalData", "dct:description": one} for one in told]


def recipient(one: Recipient) -> JsonLd:
    return {
        "@type": "dpv:ThirdParty" if one.third_party else "dpv:Recipient",
        "dpv:hasName": one.name,
        "dpv:hasContact": one.contact or NOT_STATED,
        **({"dpv:hasLocation": one.country} if one.country else {}),
    }


def control(basis: Basis, purpose: str, learner: str) -> JsonLd:
    """How it is ended: the method of withdrawal, and for other bases what stands in its place."""
    place = f"/consents/{learner}/{purpose}"
    if basis is Basis.consent:
        return {"@type": "dpv:WithdrawConsent", "dct:description": f'PUT {place} {{"status": "withdrawn"}}'}
    if basis in _OBJECTABLE:
        return {"@type": "dpv:ObjectingToProcess", "dct:description": f'PUT {place} {{"status": "objected"}}'}
    return {"@type": "dpv:CannotWithdrawFromProcess", "dct:description": "neither consent nor objection applies"}


def rights(policy: Policy, basis: Basis) -> list[JsonLd]:
    """What the tenant's pack gives for this basis, each with its clause."""
    pack = pack_named(policy.pack)
    found = ((right, pack.entitles(right, [basis])) for right in Right)
    return [
        {
            "@type": "dpv:DataSubjectRight",
            **({"@id": RIGHTS[right]} if policy.pack == "eu-school" else {}),
            "dct:title": right.value,
            "dct:source": clause.source,
        }
        for right, clause in found
        if clause is not None
    ]


def _event(entry: HistoryEntry, earlier: Sequence[HistoryEntry]) -> JsonLd:
    return {
        "@id": f"urn:uuid:{entry.id}",
        "@type": status(entry, earlier),
        "dct:date": _time(entry.at),
        "dct:valid": "until withdrawn" if entry.basis is Basis.consent else "until changed",
        "dpv:isImplementedByEntity": entry.by,
        "dpv:hasLegalBasis": BASES[entry.basis][0],
        "dct:hasVersion": entry.version,
        "dpv:hasNotice": {"dct:hasVersion": entry.notice.version, "dct:language": entry.notice.language},
        **({"dpv:hasOutcome": entry.outcome} if entry.outcome else {}),
        # a literal: whatever its keys are called, none of them says anything about the record
        **({"dct:description": {"@type": "@json", "@value": entry.details}} if entry.details else {}),
    }


def _states(last: HistoryEntry) -> str:
    return "dpv:hasConsentStatus" if last.basis is Basis.consent else "dpv:hasStatus"


def status(entry: HistoryEntry, earlier: Sequence[HistoryEntry]) -> str:
    """The state after an event, as a DPV term."""
    if entry.basis is Basis.consent:
        return _consent_status(entry, earlier)
    interest = _OBJECTABLE.get(entry.basis)
    if interest is None:
        return "dpv:NoticeCommunicated"
    if entry.status is ConsentStatus.objected or entry.outcome == "upheld":
        return f"{interest}Objected"
    if entry.basis is Basis.legitimate_interest:
        return f"{interest}{'Informed' if entry.event == 'notice' else 'NotObjected'}"
    return f"{interest}Ongoing"


def _consent_status(entry: HistoryEntry, earlier: Sequence[HistoryEntry]) -> str:
    if entry.event == "notice":
        return "dpv:ConsentRequested"
    if entry.status is ConsentStatus.granted:
        again = any(one.status is ConsentStatus.granted for one in earlier)
        return "dpv:RenewedConsentGiven" if again else "dpv:ConsentGiven"
    given = any(one.status is ConsentStatus.granted for one in earlier)
    return "dpv:ConsentWithdrawn" if given else "dpv:ConsentRefused"


def _time(at: datetime) -> JsonLd:
    return {"@type": "xsd:dateTime", "@value": at.isoformat().replace("+00:00", "Z")}
