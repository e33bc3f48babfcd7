"""The three document resources, and where a document stands (1.0.3 Communication 2.3, 2.6, 2.7; 2.0 4.1.6.2–6)."""

import hashlib
from dataclasses import dataclass
from typing import Final

from xapi import Version, canonical_ifi
from xapi.parsing import JsonObject

from ingest.credentials.schemas import Scope


@dataclass(frozen=True, slots=True)
class Kind:
    """One resource. `key` stands in the `_id` of its documents, `name` is the parameter that names one of them."""

    key: str
    path: str
    name: str
    scope: Scope
    of_activity: bool
    of_agent: bool
    word: str

    @property
    def has_registration(self) -> bool:
        return self.of_activity and self.of_agent

    def is_guarded(self, version: Version) -> bool:
        """Whether a PUT on a document that is there needs If-Match: always on profiles, on state in 2.0 alone.

        1.0.3 Communication 3.1 leaves state out, "since state conflicts are unlikely"; 2.0 4.1.4 takes it in.
        """
        return version.is_2 or not self.has_registration

    def demands_condition(self, version: Version) -> bool:
        """Whether a PUT needs If-Match or If-None-Match also where there is no document yet: on profiles in 1.0.3.

        Its clients MUST send one of the two (Communication 3.1); 2.0 4.1.4 knows only the document that is there.
        """
        return not version.is_2 and not self.has_registration


STATE: Final = Kind("state", "/activities/state", "stateId", Scope.state, True, True, "state")
ACTIVITY_PROFILE: Final = Kind(
    "activity", "/activities/profile", "profileId", Scope.profile, True, False, "activity profile"
)
AGENT_PROFILE: Final = Kind("agent", "/agents/profile", "profileId", Scope.profile, False, True, "agent profile")
KINDS: Final = (STATE, ACTIVITY_PROFILE, AGENT_PROFILE)


@dataclass(frozen=True, slots=True)
class Place:
    """What a request's parameters name: one document, or, without a name, all of a context."""

    kind: Kind
    activity: str | None = None
    agent: JsonObject | None = None
    registration: str | None = None
    name: str | None = None
    since: int | None = None

    @property
    def ifi(self) -> str | None:
        """The canonical identifier of the agent."""
        return None if self.agent is None else canonical_ifi(self.agent)

    def context(self, tenant: str, agent: str | None) -> str:
        """What the `_id` of every document here begins with; `agent` is the agent_id.

        Of an activity's id, a registration and a name only digests stand here: the first may be long, and all may tell
        of the learner. A tenant and an agent_id hold no slashes.
        """
        parts = [tenant, self.kind.key]
        if agent is not None:
            parts.append(agent)
        if self.activity is not None:
            parts.append(hashlib.sha256(self.activity.encode()).hexdigest())
        if self.registration is not None:
            parts.append(token(agent, self.registration))
        return "/".join(parts) + "/"

    def key(self, tenant: str, agent: str | None) -> str:
        """The `_id` of the one document."""
        without = "/" if self.kind.has_registration and self.registration is None else ""
        return f"{self.context(tenant, agent)}{without}{token(agent, str(self.name))}"


def token(agent: str | None, value: str) -> str:
    """Another one for each agent: whoever is forgotten takes along the agent_id, without which it tells nothing."""
    return hashlib.blake2b(f"{agent or ''}/{value}".encode(), digest_size=16).hexdigest()
