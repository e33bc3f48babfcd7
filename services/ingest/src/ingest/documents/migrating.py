"""Documents of the state and profile resources from before their names were sealed: to their addresses of today.

Then `_id` ended in the registration and the name as they are, and `name` was no field. Who holds an agent_id is told
by the way back of its learner alone, so a walk over learners finds them; an activity's profiles are their tenant's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson
from events.sealing import Owner, Sealed, Sealer
from service_kit.keys.migrating import by_id
from service_kit.mongo import Document

from ingest.documents.kinds import ACTIVITY_PROFILE, AGENT_PROFILE, STATE, token
from ingest.documents.repository import DocumentRepository
from ingest.identities.repository import LEARNERS, TENANT_KEYS


class Address(NamedTuple):
    """Where a document lies now, and what the client calls it."""

    key: str
    name: str


def address(before: str) -> Address:
    """Of a document that lay there.

    >>> address("t/agent/a/my notes").name
    'my notes'
    """
    tenant, kind, *rest = before.split("/", 3)
    if kind == STATE.key:
        agent, (activity, registration, name) = rest[0], rest[1].split("/", 2)
        in_registration = token(agent, registration) if registration else ""
        return Address(f"{tenant}/{kind}/{agent}/{activity}/{in_registration}/{token(agent, name)}", name)
    first, name = rest
    of = first if kind == AGENT_PROFILE.key else None
    return Address(f"{tenant}/{kind}/{first}/{token(of, name)}", name)


@dataclass(frozen=True)
class DocumentsOfLearners:
    """`service_kit.keys.migrating.Walk`."""

    documents: DocumentRepository
    sealer: Sealer
    name: str = "documents of learners"
    collection: str = LEARNERS.name

    async def seal(self, found: Sequence[Document]) -> int:
        opened = await self.sealer.open_each([Sealed(d["bytes"], d["key"]) for d in found])
        count = 0
        for document, data in zip(found, opened, strict=True):
            owner = by_id(document)
            for agent in orjson.loads(data)["agents"] if data else ():
                for kind in (STATE, AGENT_PROFILE):
                    count += await moved(self.documents, f"{owner.tenant}/{kind.key}/{agent}/", owner)
        return count


@dataclass(frozen=True)
class DocumentsOfTenants:
    """The same of activity profiles, which are nobody's."""

    documents: DocumentRepository
    name: str = "documents of activities"
    collection: str = TENANT_KEYS.name

    async def seal(self, found: Sequence[Document]) -> int:
        tenants = [str(d["_id"]) for d in found]
        contexts = [(f"{one}/{ACTIVITY_PROFILE.key}/", Owner(one, "")) for one in tenants]
        return sum([await moved(self.documents, context, owner) for context, owner in contexts])


async def moved(documents: DocumentRepository, context: str, owner: Owner) -> int:
    """Seal and move what lies in the context under its old address; how many."""
    before = await documents.unnamed(context)
    for one in before:
        await documents.move(one, *address(one["_id"]), owner)
    return len(before)
