"""The statement as types: the JSON object itself, read with its keys checked by the type checker.

One declaration serves both: `shape` makes of it what checks a JSON object in pydantic-core, where formats (IRI, UUID,
language tag, …) are Rust regular expressions; no object is built from what was sent. Strict: nothing is coerced, an
unknown property is refused, and so is null (outside extensions, 2.2). What a shape can't say is in `rules`.

Clauses are those of xAPI 1.0.3, part Data; 2.0 (IEEE 9274.1.1) keeps their content in clause 4.2.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import ConfigDict, Discriminator, Field, StringConstraints, Tag, TypeAdapter, with_config
from typing_extensions import TypedDict

VOIDED: Final = "http://adlnet.gov/expapi/verbs/voided"
"""The verb that voids another statement (2.3.2)."""


IRI = r"^[A-Za-z][A-Za-z0-9+.\-]*:(?:[^\x00-\x20\x7f<>\"{}|\\^`%]|%[0-9A-Fa-f]{2})+$"
MAILTO = r"^(?i:mailto):[^\s@?<>,](?:[^\s?<>,]*[^\s@?<>,])?@[^\s@?<>,]+$"
UUID = r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"
# 2.4.10: every version that starts with 1.0. is accepted, and as in the header 1.0 is 1.0.0 (Communication 3.3).
VERSION = r"^(?:1\.0(?:\.[0-9][0-9A-Za-z.+\-]*)?|2\.0\.[0-9]+)$"
SHA1 = r"^[0-9A-Fa-f]{40}$"
SHA2 = r"^(?:[0-9A-Fa-f]{56}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128})$"
# RFC 5646 2.1, langtag | privateuse | the irregular grandfathered tags (the regular ones have the form of a langtag).
LANGUAGE = (
    r"^(?i:(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})"
    r"(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?"
    r"|x(?:-[a-z0-9]{1,8})+"
    r"|en-gb-oed|i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu)|sgn-(?:be-fr|be-nl|ch-de)"
    r"|art-lojban|cel-gaulish|no-bok|no-nyn|zh-(?:guoyu|hakka|min|min-nan|xiang))$"
)
MEDIA_TYPE = r"^[!#$&^_.+\-A-Za-z0-9]+/[!#$&^_.+\-A-Za-z0-9]+(?:\s*;.*)?$"


_strict: Final = with_config(ConfigDict(extra="forbid", strict=True, allow_inf_nan=False))

Iri = Annotated[str, StringConstraints(pattern=IRI)]
Mailto = Annotated[str, StringConstraints(pattern=MAILTO)]
Sha1 = Annotated[str, StringConstraints(pattern=SHA1)]
Sha2 = Annotated[str, StringConstraints(pattern=SHA2)]
Uuid = Annotated[str, StringConstraints(pattern=UUID)]
LanguageTag = Annotated[str, StringConstraints(pattern=LANGUAGE)]
MediaType = Annotated[str, StringConstraints(pattern=MEDIA_TYPE)]
VersionText = Annotated[str, StringConstraints(pattern=VERSION)]
LanguageMap = dict[LanguageTag, str]
Extensions = dict[Iri, Any]


@_strict
class Account(TypedDict):
    """2.4.2.4: an account on an existing system."""

    homePage: Iri
    name: str


@_strict
class _Identified(TypedDict, total=False):
    name: str
    mbox: Mailto
    mbox_sha1sum: Sha1
    openid: Iri
    account: Account


@_strict
class Agent(_Identified):
    """2.4.2.1: exactly one inverse functional identifier."""

    objectType: NotRequired[Literal["Agent"]]


@_strict
class Group(_Identified):
    """2.4.2.2: identified (exactly one identifier), or anonymous with members."""

    objectType: Literal["Group"]
    member: NotRequired[list[Agent]]


@_strict
class Verb(TypedDict):
    """2.4.3."""

    id: Iri
    display: NotRequired[LanguageMap]


@_strict
class InteractionComponent(TypedDict):
    """2.4.4.1, Interaction Components."""

    id: str
    description: NotRequired[LanguageMap]


InteractionType = Literal[
    "true-false",
    "choice",
    "fill-in",
    "long-fill-in",
    "matching",
    "performance",
    "sequencing",
    "likert",
    "numeric",
    "other",
]


@_strict
class Definition(TypedDict, total=False):
    """2.4.4.1, Activity Definition, with the interaction properties."""

    name: LanguageMap
    description: LanguageMap
    type: Iri
    moreInfo: Iri
    extensions: Extensions
    interactionType: InteractionType
    correctResponsesPattern: list[str]
    choices: list[InteractionComponent]
    scale: list[InteractionComponent]
    source: list[InteractionComponent]
    target: list[InteractionComponent]
    steps: list[InteractionComponent]


@_strict
class Activity(TypedDict):
    """2.4.4.1."""

    objectType: NotRequired[Literal["Activity"]]
    id: Iri
    definition: NotRequired[Definition]


@_strict
class StatementRef(TypedDict):
    """2.4.4.3."""

    objectType: Literal["StatementRef"]
    id: Uuid


@_strict
class Score(TypedDict, total=False):
    """2.4.5.1."""

    scaled: Annotated[float, Field(ge=-1, le=1)]
    raw: float
    min: float
    max: float


@_strict
class Result(TypedDict, total=False):
    """2.4.5."""

    score: Score
    success: bool
    completion: bool
    response: str
    duration: str
    extensions: Extensions


def _one_or_many(value: Any) -> str:
    return "[]" if isinstance(value, list) else "Activity"


Activities = Annotated[
    Annotated[Activity, Tag("Activity")] | Annotated[list[Activity], Tag("[]")], Discriminator(_one_or_many)
]
"""One activity or an array of them (2.4.6.2)."""


@_strict
class ContextActivities(TypedDict, total=False):
    """2.4.6.2."""

    parent: Activities
    grouping: Activities
    category: Activities
    other: Activities


RelevantTypes = Annotated[list[Iri], Field(min_length=1)]


@_strict
class ContextAgent(TypedDict):
    """2.0 alone."""

    objectType: Literal["contextAgent"]
    agent: Agent
    relevantTypes: NotRequired[RelevantTypes]


@_strict
class ContextGroup(TypedDict):
    """2.0 alone."""

    objectType: Literal["contextGroup"]
    group: Group
    relevantTypes: NotRequired[RelevantTypes]


def _kind(default: str) -> Discriminator:
    """By objectType; a missing one means `default`; an unknown one is an error of the union."""

    def kind(value: Any) -> str | None:
        if isinstance(value, dict):
            found = value.get("objectType", default)
            return found if isinstance(found, str) else None
        return default

    return Discriminator(kind)


Actor = Annotated[Annotated[Agent, Tag("Agent")] | Annotated[Group, Tag("Group")], _kind("Agent")]


@_strict
class Context(TypedDict, total=False):
    """2.4.6."""

    registration: Uuid
    instructor: Actor
    team: Group
    contextActivities: ContextActivities
    contextAgents: list[ContextAgent]
    contextGroups: list[ContextGroup]
    revision: str
    platform: str
    language: LanguageTag
    statement: StatementRef
    extensions: Extensions


@_strict
class Attachment(TypedDict):
    """2.4.11."""

    usageType: Iri
    display: LanguageMap
    description: NotRequired[LanguageMap]
    contentType: MediaType
    length: Annotated[int, Field(ge=0)]
    sha2: Sha2
    fileUrl: NotRequired[Iri]


@_strict
class _Part(TypedDict):
    actor: Actor
    verb: Verb
    result: NotRequired[Result]
    context: NotRequired[Context]
    timestamp: NotRequired[str]
    attachments: NotRequired[list[Attachment]]


@_strict
class SubStatement(_Part):
    """2.4.4.3: no id, stored, version or authority, and none inside it."""

    objectType: Literal["SubStatement"]
    object: Annotated[
        Annotated[Activity, Tag("Activity")]
        | Annotated[Agent, Tag("Agent")]
        | Annotated[Group, Tag("Group")]
        | Annotated[StatementRef, Tag("StatementRef")],
        _kind("Activity"),
    ]


@_strict
class Statement(_Part):
    """2.4."""

    id: NotRequired[Uuid]
    object: Annotated[
        Annotated[Activity, Tag("Activity")]
        | Annotated[Agent, Tag("Agent")]
        | Annotated[Group, Tag("Group")]
        | Annotated[StatementRef, Tag("StatementRef")]
        | Annotated[SubStatement, Tag("SubStatement")],
        _kind("Activity"),
    ]
    stored: NotRequired[str]
    authority: NotRequired[Actor]
    version: NotRequired[VersionText]


def shape(of: Any) -> Callable[[Any], Any]:
    """What raises pydantic's ValidationError unless a JSON object has the shape of that type; it returns a copy."""
    return TypeAdapter(of).validator.validate_python
