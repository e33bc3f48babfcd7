"""A statement, as Kafka carries it, read as evidence. What depends on the catalog is added later (see `mapping`)."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from learner_model import EvidenceKind
from learner_model.state import EPOCH
from msgspec import Struct, json
from service_kit.selecting import facts_of
from xapi import VOIDED, timestamps
from xapi.identifiers import ACTIVITY_TYPES
from xapi.pseudonymise import GROUP_EXTENSION, IMPORTED_EXTENSION, PROVIDER_EXTENSION, SELF

from learner_profile.evidence.claims import LONGEST, WEIGHTS, Claim, extension_claims, is_competency, strongest, tags_of
from learner_profile.evidence.effort import helped_with, hints_in, seconds_in
from learner_profile.evidence.emitters import Emitter, emitter_of, share_of, success_says_nothing
from learner_profile.evidence.items import guessing_in
from learner_profile.evidence.verbs import rule_of, word_of
from learner_profile.evidence.videos import is_piece, watched_in, watching

Json = Mapping[str, Any]
Around = Mapping[str, list[Json]]
"""The activities of a context by their role, at most `MOST_CONTEXT_ACTIVITIES` of each."""

GROUP_WEIGHT = 0.3
"""What a group reached says something, and not much, about each of its members."""

IMPORTED_WEIGHT = 0.5
"""What another school vouches for says less than what was seen here."""

MOST_CONTEXT_ACTIVITIES = 8
H5P_SUB_CONTENT = "http://h5p.org/x-api/h5p-subContentId"
CMI5_SESSION = "https://w3id.org/xapi/cmi5/context/extensions/sessionid"
_CANONICAL = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_SECTIONS = ("section", "module", "lesson", "unit", "chapter", "topic")
_COURSES = ("course",)
_PLATFORMS = frozenset({"site", "lms", "source", "system", "platform", "application", "profile"})


class UnreadableError(ValueError):
    """Not a statement that can be read; the reason holds no personal data."""


class Course(Struct, frozen=True, kw_only=True):
    """What stands for a competency until the catalog says better: a course or a part of one."""

    id: str
    title: str | None


class Marks(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What retention rules ask for beside verb and time (`service_kit.selecting.Facts`)."""

    activity_type: str | None = None
    tags: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What one statement says by itself about its learner.

    `wholes`: what it may be a part of (see `acts`). `session`: cmi5's. `group_members`:
    how many the group names that reached this together. `of_group`: the learner is a group of whom no one is known; it
    is kept and not folded. `ahead`: its timestamp lay after `stored`, which then counts. `claims`: the competencies
    that the statement itself names; `tags`: what it says that the activity is about. `imported`: the issuer of the
    record with which it came from elsewhere; `marks`: for retention rules. `hints`: how many were shown, by this
    statement or for this answer; `provider`: a digest of where the learner's
    identifier is from. `watched`: of a piece of watching a video the share played by then (see `videos`); `guessing`:
    how often chance alone gives the right response (see `items`).
    """

    statement_id: str
    at: datetime
    stored: datetime
    activity_id: str
    activity_title: str | None
    parents: tuple[str, ...]
    verb_id: str
    kind: EvidenceKind
    correctness: float | None
    completion: bool | None
    duration_seconds: float | None
    weight: float
    course: Course | None
    wholes: tuple[str, ...] = ()
    refers_to: str | None = None
    registration: str | None = None
    session: str | None = None
    group_members: int | None = None
    of_group: bool = False
    ahead: bool = False
    claims: tuple[Claim, ...] = ()
    tags: tuple[str, ...] = ()
    imported: str | None = None
    marks: Marks | None = None
    hints: int | None = None
    provider: str | None = None
    watched: float | None = None
    guessing: float | None = None


class _Group(Struct, frozen=True, kw_only=True):
    """A group that acted: how this statement numbers it (`self`: the learner is that group), and its size."""

    name: str
    members: int


class Voiding(Struct, frozen=True, kw_only=True):
    """A statement that takes another one back (xAPI 1.0.3 Data 2.3.2)."""

    target: str


_ENCODER: Final = json.Encoder()
_DECODER: Final = json.Decoder(Reading)


def pack(reading: Reading) -> bytes:
    """As JSON; `unpack` reads it."""
    return _ENCODER.encode(reading)


def unpack(data: bytes) -> Reading:
    """What `pack` wrote. Raises msgspec's ValidationError on anything else."""
    return _DECODER.decode(data)


def read(statement: Json) -> Reading | Voiding | None:
    """The statement as evidence about the learner in its record key; None where it says nothing about that learner.

    Raises UnreadableError.
    """
    try:
        return _read(statement)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableError(f"not a statement that can be read: {type(error).__name__}") from None


def _read(statement: Json) -> Reading | Voiding | None:
    verb_id: str = statement["verb"]["id"]
    if verb_id == VOIDED:
        return Voiding(target=_canonical(statement["object"]["id"]))
    if statement["actor"].get("account", {}).get("name") != SELF:
        return None
    stored = timestamps.parse(statement["stored"])
    result: Json = statement.get("result", {})
    context: Json = statement.get("context", {})
    target: Json = statement["object"]
    is_activity = target.get("objectType", "Activity") in ACTIVITY_TYPES
    helped = helped_with(target) if is_activity else None
    watched = watched_in(statement) if is_activity and is_piece(statement) else None
    if watched is not None:
        result = watching(statement, watched)
    correctness = None if helped else _correctness(statement, verb_id, result)
    around = _around(context)
    parents = tuple([one["id"] for one in around.get("parent", ())]) if is_activity else ()
    registration: str | None = context.get("registration")
    at = timestamps.parse(statement.get("timestamp", statement["stored"]))
    extensions: Json = context.get("extensions", {})
    group = _group(extensions)
    session, imported = extensions.get(CMI5_SESSION), _text(extensions.get(IMPORTED_EXTENSION))
    return Reading(
        statement_id=_canonical(statement["id"]),
        at=max(EPOCH, min(at, stored)),  # a clock before it was never set; states count seconds from there
        stored=stored,
        activity_id=helped or target["id"] if is_activity else "",
        activity_title=_title(target) if is_activity else None,
        parents=parents,
        verb_id=verb_id,
        kind=_kind(verb_id, result, correctness) if is_activity else EvidenceKind.SUMMARY,
        correctness=correctness if is_activity else None,
        completion=result.get("completion"),
        duration_seconds=seconds_in(result),
        provider=_text(extensions.get(PROVIDER_EXTENSION)),
        watched=watched,
        guessing=guessing_in(target.get("definition", {})) if correctness is not None and is_activity else None,
        hints=hints_in(result) if helped is None else 1,
        weight=(1.0 if group is None else GROUP_WEIGHT) * (1.0 if imported is None else IMPORTED_WEIGHT),
        course=_course(target, around) if is_activity else None,
        wholes=_wholes(target, around, parents, registration) if is_activity else (),
        refers_to=_canonical(context["statement"]["id"]) if "statement" in context else None,
        registration=registration,
        session=_text(session),
        group_members=None if group is None else group.members,
        of_group=group is not None and group.name == SELF,
        ahead=at > stored,
        claims=strongest(_claims(target, around)) if is_activity else (),
        tags=tags_of(target, _categories(around)) if is_activity else (),
        imported=imported,
        marks=_marks(statement),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _marks(statement: Json) -> Marks | None:
    facts = facts_of(statement)
    if facts.activity_type is None and not facts.activities:
        return None
    return Marks(
        activity_type=facts.activity_type, tags=tuple(sorted(facts.tags)), activities=tuple(sorted(facts.activities))
    )


def _around(context: Json) -> Around:
    found: Json = context.get("contextActivities", {})
    return {role: (one if isinstance(one, list) else [one])[:MOST_CONTEXT_ACTIVITIES] for role, one in found.items()}


def _claims(target: Json, around: Around) -> Iterator[Claim]:
    yield from extension_claims(target)
    for role, weight in WEIGHTS.items():
        for one in around.get(role, ()):
            if is_competency(_type_word(one)):
                yield Claim(id=one["id"], weight=weight, title=_title(one))


def _categories(around: Around) -> list[str | None]:
    named = [(one, _type_word(one)) for one in around.get("category", ())]
    return [_title(one) for one, word in named if not is_competency(word) and word not in _PLATFORMS]


def _wholes(target: Json, around: Around, parents: tuple[str, ...], registration: str | None) -> tuple[str, ...]:
    """The activities whose result this one may be a part of: the parents, the content that an H5P part lies in, and
    within a registration the groupings.
    """
    found = list(parents)
    activity_id: str = target["id"]
    if H5P_SUB_CONTENT in target.get("definition", {}).get("extensions", {}) or "subContentId=" in activity_id:
        found.append(_without_sub_content(activity_id))
    if registration is not None:
        found += [one["id"] for one in around.get("grouping", ())]
    return tuple(dict.fromkeys(found))


def _without_sub_content(activity_id: str) -> str:
    """`https://a/embed/5?x=1&subContentId=…` → `https://a/embed/5?x=1`."""
    path, _, query = activity_id.partition("?")
    kept = [pair for pair in query.split("&") if pair and not pair.startswith("subContentId=")]
    return "?".join([path, *(["&".join(kept)] if kept else [])])


def _group(extensions: Json) -> _Group | None:
    """The group whose result this is, as the Kafka form marks it; what anyone else wrote there is no mark."""
    mark = extensions.get(GROUP_EXTENSION)
    if not isinstance(mark, Mapping) or not isinstance(mark.get("name"), str) or type(mark.get("members")) is not int:
        return None
    return _Group(name=mark["name"], members=mark["members"])


def _course(target: Json, around: Around) -> Course | None:
    """The course or section that an activity without a place in the catalog counts towards.

    The nearest named section, module or lesson among parents and groupings; else the course; else the first parent, the
    first grouping; else the activity itself where it is a course or section. Never the site or the system, nor what has
    a name too long to be kept.
    """
    named = [
        (activity, word)
        for role in ("parent", "grouping")
        for activity in around.get(role, ())
        if (word := _type_word(activity)) not in _PLATFORMS and len(activity["id"]) <= LONGEST
    ]
    found = next((one for one, word in named if word.endswith(_SECTIONS)), None)
    found = found or next((one for one, word in named if word.endswith(_COURSES)), None)
    found = found or next((one for one, _ in named), None)
    if found is None and _type_word(target).endswith((*_SECTIONS, *_COURSES)) and len(target["id"]) <= LONGEST:
        found = target
    return None if found is None else Course(id=found["id"], title=_title(found))


def _kind(verb_id: str, result: Json, correctness: float | None) -> EvidenceKind:
    rule = rule_of(verb_id)
    if rule is not None and rule.kind == EvidenceKind.SUMMARY:
        return EvidenceKind.SUMMARY
    if correctness is not None:
        return EvidenceKind.RESPONSE
    if rule is None or rule.kind == EvidenceKind.RESPONSE:
        return EvidenceKind.COMPLETION if result.get("completion") else EvidenceKind.EXPOSURE
    return rule.kind


def _correctness(statement: Json, verb_id: str, result: Json) -> float | None:
    """The score as a share; else whether it was a success; else what the verb itself says."""
    rule = rule_of(verb_id)
    if rule is not None and rule.opinion:
        return None
    score: Json = result.get("score", {})
    emitter = emitter_of(statement) if score else Emitter.OTHER
    share = share_of(score, emitter)
    if share is not None:
        return share
    if "success" in result and not success_says_nothing(score, emitter):
        return float(result["success"])
    return None if rule is None else rule.implies


def _title(activity: Json) -> str | None:
    """The activity's name, in English where there is one, else in the first language by tag."""
    names: Json = activity.get("definition", {}).get("name", {})
    if "en" in names:
        return str(names["en"])[:200]
    tag = min(names, key=lambda one: (not one.lower().startswith("en"), one), default=None)
    return None if tag is None else str(names[tag])[:200]


def _type_word(activity: Json) -> str:
    return word_of(activity.get("definition", {}).get("type", ""))


def _canonical(statement_id: str) -> str:
    return statement_id if _CANONICAL.fullmatch(statement_id) else str(UUID(statement_id))
