"""What is known of agents: names seen in statements, identifiers merged into one learner."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from service_kit.merging import Group, Merges
from service_kit.mongo import MongoAway
from xapi import Named
from xapi.parsing import JsonObject

from ingest.agents.persons import person
from ingest.credentials.repository import Credential
from ingest.credentials.schemas import Scope
from ingest.gathering import Gathering
from ingest.identities.cache import Seen
from ingest.identities.repository import Identity, IdentityRepository

SEEN: Final = 100_000
SEEN_SECONDS: Final = 3600.0
LONGEST_NAME: Final = 1000
"""Characters; longer ones are not kept."""
_ATTEMPTS: Final = 20
Names = tuple[str, Mapping[str, Sequence[str]]]
"""A tenant, and names by the digest of an identifier."""


class KnownAgents:
    def __init__(self, identities: IdentityRepository, merges: Merges) -> None:
        self._identities = identities
        self._merges = merges
        self._seen = Seen(SEEN, SEEN_SECONDS)
        self._adding: Gathering[Names, None] = Gathering(self._add_all, most_a_call=100)

    async def learn(
        self, credential: Credential, statements: Iterable[Named], identities: Mapping[str, Identity]
    ) -> None:
        """Keep names that were not seen yet, if the credential may define actors (1.0.3 Communication 4.2)."""
        if not credential.may(Scope.define):
            return
        new = self._new(statements, identities)
        if not new:
            return
        digests = await self._identities.digests(credential.tenant, new)
        await self._adding((credential.tenant, {digests[ifi]: names for ifi, names in new.items()}))
        for ifi, names in new.items():
            for name in names:
                self._seen.add((identities[ifi].agent, hash(name)))

    async def _add_all(self, asked: Sequence[Names]) -> list[Exception | None]:
        """For all who ask at the moment."""
        failed: dict[str, Exception | None] = {}
        for tenant in {tenant for tenant, _ in asked}:
            together: dict[str, list[str]] = {}
            for named in (named for one, named in asked if one == tenant):
                for digest, names in named.items():
                    together.setdefault(digest, []).extend(names)
            try:
                failed[tenant] = None
                await self._add(tenant, {digest: list(dict.fromkeys(names)) for digest, names in together.items()})
            except Exception as error:  # this tenant's alone: the others' requests go on
                failed[tenant] = error
        return [failed[tenant] for tenant, _ in asked]

    async def _add(self, tenant: str, named: Mapping[str, Sequence[str]]) -> None:
        for attempt in range(_ATTEMPTS):
            if await self._identities.add_names(tenant, named):
                return
            await asyncio.sleep(0.002 * attempt)
        raise MongoAway("agents that others keep naming")

    async def person(self, tenant: str, agent: JsonObject, identity: Identity | None) -> JsonObject:
        """The Person; of an agent that is not known, what was sent (1.0.3 Communication 2.4)."""
        group = Group(()) if identity is None else await self._merges.group(tenant, identity.learner)
        known = [await self._identities.personas(tenant, learner) for learner in group.everyone]
        return person(agent, [persona for personas in known for persona in personas])

    def _new(self, statements: Iterable[Named], identities: Mapping[str, Identity]) -> dict[str, list[str]]:
        """Names by identifier, in the order in which they were seen."""
        new: dict[str, list[str]] = {}
        self._seen.turn()
        for statement in statements:
            for ifi, name in statement.names:
                if (identities[ifi].agent, hash(name)) not in self._seen and len(name) <= LONGEST_NAME:
                    names = new.setdefault(ifi, [])
                    if name not in names:
                        names.append(name)
        return new
