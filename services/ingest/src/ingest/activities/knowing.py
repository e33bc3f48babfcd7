"""What is known of activities: learned from statements, given as one definition, put into canonical statements.

Learning costs a statement without definitions next to nothing, and one whose definitions were seen before one hash
each: only a new one is read and written, after the statement itself is durable.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from service_kit.mongo import MongoAway
from xapi import Named, activities_of, merge_definition
from xapi.exact import dumps
from xapi.parsing import JsonObject

from ingest.activities.repository import ActivityRepository, Known
from ingest.credentials.repository import Credential
from ingest.credentials.schemas import Scope
from ingest.gathering import Gathering
from ingest.identities.cache import Seen

SEEN: Final = 50_000
SEEN_SECONDS: Final = 3600.0
LARGEST: Final = 256 * 1024
"""Bytes of a definition; what would make it larger is not learned."""
_ATTEMPTS: Final = 20
Definitions = dict[str, JsonObject]


class KnownActivities:
    def __init__(self, activities: ActivityRepository) -> None:
        self._activities = activities
        self._seen = Seen(SEEN, SEEN_SECONDS)
        self._adding: Gathering[tuple[str, Definitions], None] = Gathering(self._add_all, most_a_call=100)

    async def learn(self, credential: Credential, statements: Iterable[Named]) -> None:
        """Add what the statements say of activities, if the credential may define them (1.0.3 Communication 4.2)."""
        if not credential.may(Scope.define):
            return
        new = self._new(credential.tenant, statements)
        if not new:
            return
        said: Definitions = {}
        for activity, definition, _ in new:
            _say(said, activity, definition)
        await self._adding((credential.tenant, said))
        for activity, _, digest in new:
            self._seen.add((credential.tenant, activity, digest))

    async def get(self, tenant: str, activity: str) -> JsonObject:
        """The Activity; one that nothing is known of has no definition (1.0.3 Communication 2.5)."""
        found = (await self._activities.find(tenant, [activity])).get(activity)
        defined = {} if found is None else {"definition": found.definition}
        return {"objectType": "Activity", "id": activity} | defined

    async def canonical(self, tenant: str, statements: Sequence[JsonObject]) -> list[JsonObject]:
        """The statements with the known definitions of their activities (`format=canonical`): one read for all."""
        ids = {use.activity["id"] for statement in statements for use in activities_of(statement)}
        known = {activity: one.definition for activity, one in (await self._activities.find(tenant, ids)).items()}
        return [_defined(statement, known) for statement in statements] if known else list(statements)

    def _new(self, tenant: str, statements: Iterable[Named]) -> list[tuple[str, JsonObject, int]]:
        """Activities with definitions that were not seen lately, and the definition's hash, in order."""
        new: dict[tuple[str, int], JsonObject] = {}
        self._seen.turn()
        for statement in statements:
            for activity, definition in statement.definitions:
                data = dumps(definition)
                digest = hash(data)
                if (tenant, activity, digest) not in self._seen and len(data) <= LARGEST:
                    new[activity, digest] = definition
        return [(activity, definition, digest) for (activity, digest), definition in new.items()]

    async def _add_all(self, asked: Sequence[tuple[str, Definitions]]) -> list[Exception | None]:
        """For all who ask at the moment, in the order in which they came."""
        failed: dict[str, Exception | None] = {}
        for tenant in {tenant for tenant, _ in asked}:
            together: Definitions = {}
            for said in (said for one, said in asked if one == tenant):
                for activity, definition in said.items():
                    _say(together, activity, definition)
            try:
                failed[tenant] = None
                await self._add(tenant, together)
            except Exception as error:  # this tenant's alone: the others' requests go on
                failed[tenant] = error
        return [failed[tenant] for tenant, _ in asked]

    async def _add(self, tenant: str, said: Mapping[str, JsonObject]) -> None:
        for attempt in range(_ATTEMPTS):
            known = await self._activities.find(tenant, said)
            changes = {}
            for activity, definition in said.items():
                before = known.get(activity, Known({}))
                after = merge_definition(before.definition, definition)
                if (before.revision is None or after != before.definition) and len(dumps(after)) <= LARGEST:
                    changes[activity] = Known(after, before.revision)
            if not changes or await self._activities.put(tenant, changes):
                return
            await asyncio.sleep(0.002 * attempt)
        raise MongoAway("activities that others keep defining")


def _say(said: Definitions, activity: str, definition: JsonObject) -> None:
    said[activity] = merge_definition(said[activity], definition) if activity in said else definition


def _defined(part: JsonObject, known: Mapping[str, JsonObject]) -> JsonObject:
    """A new statement (or SubStatement)."""
    result = dict(part)
    target = part["object"]
    kind = target.get("objectType", "Activity")
    if kind == "SubStatement":
        result["object"] = _defined(target, known)
    elif kind == "Activity":
        result["object"] = _activity(target, known)
    context = part.get("context")
    if context is not None and "contextActivities" in context:
        activities = {role: _activities(found, known) for role, found in context["contextActivities"].items()}
        result["context"] = {**context, "contextActivities": activities}
    return result


def _activities(found: Any, known: Mapping[str, JsonObject]) -> Any:
    return [_activity(one, known) for one in found] if isinstance(found, list) else _activity(found, known)


def _activity(activity: JsonObject, known: Mapping[str, JsonObject]) -> JsonObject:
    definition = known.get(activity["id"])
    return activity if definition is None else {**activity, "definition": definition}
