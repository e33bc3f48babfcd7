"""What a record says of mastery, as credentials without their signatures. Plain functions, no I/O.

Open Badges 3.0 (AchievementCredential), CLR 2.0 (ClrCredential), W3C Verifiable Credentials Data Model 2.0; signed as
JSON Web Tokens (Open Badges 3.0, 8.2). A credential tells an estimate from evidence, and says so; it ends when by
forgetting the estimate would fall under the threshold.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urljoin
from uuid import NAMESPACE_URL, UUID, uuid5

from learner_model.overruling import Standing

from learner_profile.learners.schemas import CompetencyOut
from learner_profile.records.state import COMPETENCIES, VOCABULARY

MASTERED: Final = 0.9
"""The probability of being above the threshold from which a competency is told as mastered."""
ENOUGH_EVIDENCE: Final = 3
VC: Final = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
CLR: Final = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
TERMS: Final = {"@vocab": VOCABULARY, "xsd": "http://www.w3.org/2001/XMLSchema#"}
RECORD: Final = "LearnerRecord"
ACHIEVEMENT: Final = "AchievementCredential"
_CRITERIA: Final = (
    "Estimated from the learner's own evidence (responses to activities on this competency, forgetting reckoned in): "
    "the probability of being above the threshold of mastery (a typical item answered right in {threshold} of 100 "
    "cases) is at least {percent} %, by at least {evidence} pieces of evidence. It is an estimate, no examination and "
    "no decision of a person."
)


@dataclass(frozen=True, slots=True)
class File:
    """A file of the record, as the manifest names it."""

    name: str
    media_type: str
    sha256: str
    size: int
    records: int | None = None


def mastered(competencies: Iterable[CompetencyOut]) -> list[CompetencyOut]:
    """Those that are worth a credential. A provisional one stands for a course, and defines nothing; where a teacher's
    word stands in the place of the estimate, the estimate is nothing to tell others.
    """
    return [
        one
        for one in competencies
        if one.mastery >= MASTERED and one.evidence_count >= ENOUGH_EVIDENCE and not one.provisional
        if one.teacher is None or one.teacher.standing is Standing.LAPSED
    ]


def achievement(learner: str, one: CompetencyOut, made_at: datetime) -> dict[str, Any]:
    """A competency mastered, as an AchievementCredential."""
    measured = f"{_urn(uuid5(NAMESPACE_URL, one.id))}#mastery"
    credential: dict[str, Any] = {
        "@context": [VC, OPEN_BADGES],
        "id": _urn(uuid5(UUID(learner), f"{one.id}\n{_moment(made_at)}")),
        "type": ["VerifiableCredential", ACHIEVEMENT],
        "name": one.title,
        "validFrom": _moment(made_at),
        "credentialSubject": {
            "id": _urn(UUID(learner)),
            "type": ["AchievementSubject"],
            "achievement": {
                "id": urljoin(COMPETENCIES, one.id),
                "type": ["Achievement"],
                "achievementType": "Competency",
                "name": one.title,
                "description": f"Mastery of {one.title}",
                "criteria": {"narrative": _criteria(one)},
                "resultDescription": [
                    {
                        "id": measured,
                        "type": ["ResultDescription"],
                        "name": "Probability of mastery",
                        "resultType": "Percent",
                        "valueMin": "0",
                        "valueMax": "100",
                    }
                ],
            },
            "result": [{"type": ["Result"], "resultDescription": measured, "value": str(round(one.mastery * 100, 1))}],
        },
    }
    if one.due_at is not None and one.due_at > made_at:
        credential["validUntil"] = _moment(one.due_at)
    return credential


def clr(learner: str, achievements: Sequence[str], made_at: datetime) -> dict[str, Any]:
    """All of them as one Comprehensive Learner Record; each as an enveloped credential (VC 2.0, 4.13)."""
    return {
        "@context": [VC, CLR, OPEN_BADGES],
        "id": _urn(uuid5(UUID(learner), f"clr\n{_moment(made_at)}")),
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": "Competencies mastered",
        "validFrom": _moment(made_at),
        "credentialSubject": {
            "id": _urn(UUID(learner)),
            "type": ["ClrSubject"],
            "verifiableCredential": [
                {"@context": VC, "id": f"data:application/vc+jwt,{one}", "type": "EnvelopedVerifiableCredential"}
                for one in achievements
            ],
        },
    }


def manifest(
    learner: str, agents: Sequence[Mapping[str, Any]], files: Iterable[File], made_at: datetime
) -> dict[str, Any]:
    """What binds the record together: every file with its digest, and the identifiers that its statements name."""
    return {
        "@context": [VC, TERMS],
        "id": _urn(uuid5(UUID(learner), f"record\n{_moment(made_at)}")),
        "type": ["VerifiableCredential", RECORD],
        "name": "Learner record",
        "validFrom": _moment(made_at),
        "credentialSubject": {
            "id": _urn(UUID(learner)),
            "agents": list(agents),
            "files": [
                {"name": f.name, "mediaType": f.media_type, "sha256": f.sha256, "bytes": f.size}
                | ({"records": f.records} if f.records is not None else {})
                for f in files
            ],
        },
    }


def _criteria(one: CompetencyOut) -> str:
    return _CRITERIA.format(
        threshold=f"{one.threshold * 100:g}", percent=round(MASTERED * 100), evidence=ENOUGH_EVIDENCE
    )


def _urn(id_: UUID) -> str:
    return f"urn:uuid:{id_}"


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
