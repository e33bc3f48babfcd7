"""The typed statement: for reading. The JSON object as it was sent stays the thing that is stored.

Fields are named as in the standard, in snake case; a missing property is None. Strict: nothing is coerced, an unknown
property is refused, an explicit null is refused (outside extensions). Formats (IRI, UUID, language tag, …) are Rust
regular expressions in pydantic-core. Rules that need two places of a statement at once are in `parsing`.

Clauses are those of xAPI 1.0.3, part Data; 2.0 (IEEE 9274.1.1) keeps their content in clause 4.2.
"""

from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError

from . import durations, timestamps

T = TypeVar("T")

VOIDED: Final = "http://adlnet.gov/expapi/verbs/voided"
"""The verb that voids another statement (2.3.2)."""


class _NotNull:
    """May be missing, may not be null (2.2: null only inside extensions)."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        return schema["schema"] if schema["type"] == "nullable" else schema


Opt = Annotated[T | None, _NotNull()]

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


def _timestamp(value: str) -> str:
    try:
        timestamps.parse(value)
    except ValueError as error:
        raise PydanticCustomError("timestamp", "{reason}", {"reason": str(error)}) from None
    return value


def _duration(value: str) -> str:
    try:
        durations.seconds(value)
    except ValueError as error:
        raise PydanticCustomError("duration", "{reason}", {"reason": str(error)}) from None
    return value


Timestamp = Annotated[str, AfterValidator(_timestamp)]
Duration = Annotated[str, AfterValidator(_duration)]


def refuse(reason: str) -> PydanticCustomError:
    """A broken rule, at the place of the model that raises it."""
    return PydanticCustomError("rule", "{reason}", {"reason": reason})


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        allow_inf_nan=False,
    )


class Account(_Part):
    """2.4.2.4: an account on an existing system."""

    home_page: Iri
    name: str


class _Identified(_Part):
    name: Opt[str] = None
    mbox: Opt[Mailto] = None
    mbox_sha1sum: Opt[Sha1] = Field(default=None, alias="mbox_sha1sum")
    openid: Opt[Iri] = None
    account: Opt[Account] = None

    @property
    def identifiers(self) -> int:
        """How many inverse functional identifiers are there."""
        return (
            (self.mbox is not None)
            + (self.mbox_sha1sum is not None)
            + (self.openid is not None)
            + (self.account is not None)
        )


class Agent(_Identified):
    """2.4.2.1: exactly one inverse functional identifier."""

    object_type: Literal["Agent"] = "Agent"

    @model_validator(mode="after")
    def _one_identifier(self) -> "Agent":
        if (count := self.identifiers) != 1:
            raise refuse(f"an Agent has exactly one of mbox, mbox_sha1sum, openid and account; found {count}")
        return self


class Group(_Identified):
    """2.4.2.2: identified (exactly one identifier), or anonymous with members."""

    object_type: Literal["Group"]
    member: Opt[list[Agent]] = None

    @model_validator(mode="after")
    def _identified_or_members(self) -> "Group":
        count = self.identifiers
        if count > 1:
            raise refuse(f"a Group has at most one of mbox, mbox_sha1sum, openid and account; found {count}")
        if count == 0 and not self.member:
            raise refuse("a Group without an identifier is anonymous and needs a non-empty member array")
        return self


class Verb(_Part):
    """2.4.3."""

    id: Iri
    display: Opt[LanguageMap] = None


class InteractionComponent(_Part):
    """2.4.4.1, Interaction Components."""

    id: str
    description: Opt[LanguageMap] = None


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


def _distinct_ids(components: list[InteractionComponent]) -> list[InteractionComponent]:
    if len({c.id for c in components}) != len(components):
        raise refuse("the ids within a list of interaction components are distinct; found one twice")
    return components


Components = Annotated[list[InteractionComponent], AfterValidator(_distinct_ids)]

_COMPONENTS_OF: dict[str, frozenset[str]] = {
    "choice": frozenset({"choices"}),
    "sequencing": frozenset({"choices"}),
    "likert": frozenset({"scale"}),
    "matching": frozenset({"source", "target"}),
    "performance": frozenset({"steps"}),
}
_COMPONENT_LISTS = ("choices", "scale", "source", "target", "steps")


class Definition(_Part):
    """2.4.4.1, Activity Definition, with the interaction properties."""

    name: Opt[LanguageMap] = None
    description: Opt[LanguageMap] = None
    type: Opt[Iri] = None
    more_info: Opt[Iri] = None
    extensions: Opt[Extensions] = None
    interaction_type: Opt[InteractionType] = None
    correct_responses_pattern: Opt[list[str]] = None
    choices: Opt[Components] = None
    scale: Opt[Components] = None
    source: Opt[Components] = None
    target: Opt[Components] = None
    steps: Opt[Components] = None

    @model_validator(mode="after")
    def _interaction(self) -> "Definition":
        kind = self.interaction_type
        if kind is None and self.correct_responses_pattern is not None:
            raise refuse("correctResponsesPattern needs an interactionType beside it")
        allowed = _COMPONENTS_OF.get(kind or "", frozenset())
        for name in _COMPONENT_LISTS:
            if name not in allowed and getattr(self, name) is not None:
                raise refuse(f"{name} does not belong to {'this interactionType' if kind else 'no interactionType'}")
        return self


class Activity(_Part):
    """2.4.4.1."""

    object_type: Literal["Activity"] = "Activity"
    id: Iri
    definition: Opt[Definition] = None


class StatementRef(_Part):
    """2.4.4.3."""

    object_type: Literal["StatementRef"]
    id: Uuid


class Score(_Part):
    """2.4.5.1."""

    scaled: Opt[Annotated[float, Field(ge=-1, le=1)]] = None
    raw: Opt[float] = None
    min: Opt[float] = None
    max: Opt[float] = None

    @model_validator(mode="after")
    def _ordered(self) -> "Score":
        low, high, raw = self.min, self.max, self.raw
        if low is not None and high is not None and low >= high:
            raise refuse("min is less than max")
        if raw is not None and ((low is not None and raw < low) or (high is not None and raw > high)):
            raise refuse("raw lies between min and max")
        return self


class Result(_Part):
    """2.4.5."""

    score: Opt[Score] = None
    success: Opt[bool] = None
    completion: Opt[bool] = None
    response: Opt[str] = None
    duration: Opt[Duration] = None
    extensions: Opt[Extensions] = None


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


Activities = Annotated[list[Activity], BeforeValidator(_as_list)]
"""One activity or an array of them (2.4.6.2); read as a list."""


class ContextActivities(_Part):
    """2.4.6.2."""

    parent: Opt[Activities] = None
    grouping: Opt[Activities] = None
    category: Opt[Activities] = None
    other: Opt[Activities] = None


class ContextAgent(_Part):
    """2.0 alone."""

    object_type: Literal["contextAgent"]
    agent: Agent
    relevant_types: Opt[Annotated[list[Iri], Field(min_length=1)]] = None


class ContextGroup(_Part):
    """2.0 alone."""

    object_type: Literal["contextGroup"]
    group: Group
    relevant_types: Opt[Annotated[list[Iri], Field(min_length=1)]] = None


def _kind(default: str) -> Discriminator:
    """By objectType; a missing one means `default`; an unknown one is an error of the union."""

    def kind(value: Any) -> str | None:
        if isinstance(value, dict):
            found = value.get("objectType", default)
            return found if isinstance(found, str) else None
        return default

    return Discriminator(kind)


Actor = Annotated[Annotated[Agent, Tag("Agent")] | Annotated[Group, Tag("Group")], _kind("Agent")]


class Context(_Part):
    """2.4.6."""

    registration: Opt[Uuid] = None
    instructor: Opt[Actor] = None
    team: Opt[Group] = None
    context_activities: Opt[ContextActivities] = None
    context_agents: Opt[list[ContextAgent]] = None
    context_groups: Opt[list[ContextGroup]] = None
    revision: Opt[str] = None
    platform: Opt[str] = None
    language: Opt[LanguageTag] = None
    statement: Opt[StatementRef] = None
    extensions: Opt[Extensions] = None


class Attachment(_Part):
    """2.4.11."""

    usage_type: Iri
    display: LanguageMap
    description: Opt[LanguageMap] = None
    content_type: MediaType
    length: Annotated[int, Field(ge=0)]
    sha2: Sha2
    file_url: Opt[Iri] = None


class SubStatement(_Part):
    """2.4.4.3: no id, stored, version or authority, and none inside it."""

    object_type: Literal["SubStatement"]
    actor: Actor
    verb: Verb
    object: Annotated[
        Annotated[Activity, Tag("Activity")]
        | Annotated[Agent, Tag("Agent")]
        | Annotated[Group, Tag("Group")]
        | Annotated[StatementRef, Tag("StatementRef")],
        _kind("Activity"),
    ]
    result: Opt[Result] = None
    context: Opt[Context] = None
    timestamp: Opt[Timestamp] = None
    attachments: Opt[list[Attachment]] = None


class Statement(_Part):
    """2.4."""

    id: Opt[Uuid] = None
    actor: Actor
    verb: Verb
    object: Annotated[
        Annotated[Activity, Tag("Activity")]
        | Annotated[Agent, Tag("Agent")]
        | Annotated[Group, Tag("Group")]
        | Annotated[StatementRef, Tag("StatementRef")]
        | Annotated[SubStatement, Tag("SubStatement")],
        _kind("Activity"),
    ]
    result: Opt[Result] = None
    context: Opt[Context] = None
    timestamp: Opt[Timestamp] = None
    stored: Opt[Timestamp] = None
    authority: Opt[Actor] = None
    version: Opt[VersionText] = None
    attachments: Opt[list[Attachment]] = None

    @property
    def is_voiding(self) -> bool:
        """Whether it voids the statement that its object names (2.3.2)."""
        return self.verb.id == VOIDED
