"""What a launch may touch: one actor, one activity, one registration, and nothing else. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from xapi import VOIDED, Parsed, activities_of, canonical_ifi
from xapi.parsing import JsonObject

LAUNCH_DATA: Final = "LMS.LaunchData"
LEARNER_PREFERENCES: Final = "cmi5LearnerPreferences"
_OTHER_ACTOR: Final = "expected the launched actor, found another"
_OPEN: Final = {
    "/xapi/statements": ("POST", "PUT"),
    "/xapi/activities/state": ("GET", "HEAD", "POST", "PUT", "DELETE"),
    "/xapi/agents/profile": ("GET", "HEAD", "POST", "PUT", "DELETE"),
}
Access = Literal["read", "write"]


class Kind(Protocol):
    @property
    def key(self) -> str: ...


class Place(Protocol):
    """Where a document stands: `kind.key` is `state`, `activity` or `agent` (the latter two are profiles)."""

    @property
    def kind(self) -> Kind: ...
    @property
    def ifi(self) -> str | None: ...
    @property
    def activity(self) -> str | None: ...
    @property
    def registration(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a launch may not do this; `place` is a pointer into a statement, or the name of a parameter."""

    place: str
    detail: str


@dataclass(frozen=True, slots=True)
class Limits:
    """`actor` is a canonical identifier, `registration` in lower case."""

    launch: str
    actor: str
    activity: str
    registration: str

    def of_statement(self, raw: JsonObject) -> Iterator[Refusal]:
        """What is wrong with a valid statement for this launch.

        cmi5 9.4 and 9.6: a "cmi5 defined" statement has the activity as its object; a "cmi5 allowed" one may have
        another, and names the activity in its context. Both carry the registration. No AU may void (cmi5 6.3).
        """
        actor = raw["actor"]
        if actor.get("objectType", "Agent") != "Agent" or canonical_ifi(actor) != self.actor:
            yield Refusal("/actor", _OTHER_ACTOR)
        if str(raw.get("context", {}).get("registration", "")).lower() != self.registration:
            yield Refusal("/context/registration", "expected the registration of the launch")
        if not any(use.activity["id"] == self.activity for use in activities_of(raw) if not use.in_substatement):
            yield Refusal("/object", "expected the launched activity here or in contextActivities")
        if raw["verb"]["id"] == VOIDED:
            yield Refusal("/verb/id", "a launch may not void statements")

    def of_document(self, place: Place, access: Access) -> Refusal | None:
        """Why a document (all of a context, where the place has no name) may not be read or written.

        The launch data are the LMS's (cmi5 10.2.1: an AU must not change or delete them); so are preferences here
        (cmi5 11 allows a 403).
        """
        if place.ifi != self.actor:
            return Refusal("agent", _OTHER_ACTOR)
        if place.kind.key == "agent":
            if access == "write" or place.name != LEARNER_PREFERENCES:
                return Refusal("profileId", f"a launch may read {LEARNER_PREFERENCES} alone, and write none")
            return None
        if place.activity != self.activity:
            return Refusal("activityId", "expected the launched activity, found another")
        if (place.registration or "").lower() != self.registration:
            return Refusal("registration", "expected the registration of the launch")
        if access == "write" and place.name in (None, LAUNCH_DATA):
            return Refusal("stateId", f"expected one state document, and not {LAUNCH_DATA}")
        return None

    def of_batch(self, batch: Sequence[Parsed], *, is_array: bool) -> list[dict[str, Any]]:
        """The places of a batch that are refused, as a problem document names them."""
        return [
            {"pointer": f"/{index}{refusal.place}" if is_array else refusal.place, "detail": refusal.detail}
            for index, parsed in enumerate(batch)
            for refusal in self.of_statement(parsed.raw)
        ]


def is_open(method: str, path: str) -> bool:
    """Whether a launch reaches this resource at all; `path` is without the root path."""
    methods = _OPEN.get(path)
    return methods is not None and method in methods
