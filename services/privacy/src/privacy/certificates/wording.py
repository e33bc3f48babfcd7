"""What a certificate says: one JSON-LD document in terms of the W3C Data Privacy Vocabulary. Pure.

It names the request and no learner: `subject` is a digest of the request's and the learner's random ids, so that who
holds the learner_id can show whose it is. A refusal is a `dpv:RightNonFulfilmentNotice`, all else fulfilled a
`dpv:RightFulfilmentNotice`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from privacy.packs import PACKS
from privacy.requests.progress import DataRequest, Recipient, Status

CONTEXT: Final = {
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "@vocab": "https://trellis.invalid/terms#",
}
GDPR_RIGHTS: Final = {
    "access": "eu-gdpr:A15",
    "rectification": "eu-gdpr:A16",
    "erasure": "eu-gdpr:A17",
    "restriction": "eu-gdpr:A18",
    "portability": "eu-gdpr:A20",
    "objection": "eu-gdpr:A21",
}
UNREADABLE_LATER: Final = "what the services deleted can be opened until the bucket key is destroyed"


def document(
    tenant: str, request: DataRequest, *, subject: str, number: str, issued_at: datetime, backups: timedelta
) -> dict[str, Any]:
    """The certificate, or the notice of a refusal, as of now. `number`: this document's own id."""
    refused = request.status is Status.refused
    return without_nothing(
        {
            "@context": CONTEXT,
            "@id": f"urn:uuid:{number}",
            "@type": "dpv:RightNonFulfilmentNotice" if refused else "dpv:RightFulfilmentNotice",
            "dct:issued": moment(issued_at),
            "dct:subject": f"urn:uuid:{request.id}",
            "request": request.id,
            "tenant": tenant,
            "subject": subject,
            "right": request.type,
            "dpv:hasRight": {"@id": GDPR_RIGHTS[request.type]} if request.pack == "eu-school" else None,
            "pack": request.pack,
            "clauses": list(request.clauses),
            "asked_at": moment(request.requested_at),
            "due_at": moment(request.due_at),
            "started_at": moment(request.started_at),
            **(_refusal(request) if refused else _fulfilment(request, backups)),
        }
    )


def _fulfilment(request: DataRequest, backups: timedelta) -> dict[str, Any]:
    said: dict[str, Any] = {
        "closed_at": moment(request.completed_at),
        "services": {
            service: {"at": moment(carried.completed_at), "counts": dict(carried.counts)}
            for service, carried in sorted(request.receipts.items())
        },
        "dpv:hasRecipient": [recipient_said(one) for one in request.recipients],
    }
    return said | (_erasure(request, backups) if request.type == "erasure" else {})


def _erasure(request: DataRequest, backups: timedelta) -> dict[str, Any]:
    destroyed = request.key_destroyed_at
    kept = []
    if request.returning_refused_until is not None:
        kept.append(
            {
                "what": "a keyed hash of the identifiers, under a key of its own",
                "why": "the policy refuses who comes back",
                "until": moment(request.returning_refused_until),
            }
        )
    return {
        "key_destroyed_at": moment(destroyed),
        "unreadable": None if destroyed else UNREADABLE_LATER,
        "key_backups_gone_by": moment(destroyed + backups) if destroyed else None,
        "kept": kept,
    }


def _refusal(request: DataRequest) -> dict[str, Any]:
    pack = PACKS.get(request.pack)
    clause = next((g.clause for g in pack.grounds if g.code == request.ground), pack.no_right) if pack else None
    hearing = [f"{one.says} ({one})" for one in pack.hearing] if pack and request.type == "rectification" else []
    return {
        "refused_at": moment(request.completed_at),
        "dpv:hasJustification": {
            "ground": request.ground,
            "clause": str(clause) if clause else None,
            "says": clause.says if clause else None,
            "reason": request.reason,
        },
        "hearing": hearing,
        "complaint": "You may complain to the supervisory authority, or go to court (GDPR 12(4))."
        if request.pack == "eu-school"
        else None,
    }


def recipient_said(one: Recipient) -> dict[str, Any]:
    said: Mapping[str, Any] = {
        "name": one.name,
        "purpose": one.purpose,
        "statements": one.statements,
        "outcome": one.outcome,
        "reason": one.reason,
    }
    return without_nothing(said)


def moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def without_nothing(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None and value != []}
