"""Documents in and out: whose they are, who allows it, and which of two writers wins."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from events.sealing import Owner
from service_kit.clock import Clock
from service_kit.consent import ConsentView
from service_kit.mongo import MongoAway
from service_kit.problems import Forbidden

from ingest.documents.kinds import Place
from ingest.documents.repository import DocumentRepository, Stored
from ingest.documents.writing import Write
from ingest.erasure.late import LateWrites
from ingest.identities.repository import Identity
from ingest.identities.resolving import Resolver
from ingest.statements.restricted import Restricted
from ingest.statements.stamps import to_micros

_GIVE_UP_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Listed:
    """The names in a context, and when the newest of them changed."""

    names: list[str]
    updated: int | None


class Keeper:
    """Keeps the documents of all three resources."""

    def __init__(
        self, documents: DocumentRepository, identities: Resolver, consents: ConsentView, clock: Clock
    ) -> None:
        self._documents = documents
        self._identities = identities
        self._consents = consents
        self._restricted = Restricted(consents)
        self._late = LateWrites(identities, consents)
        self._clock = clock

    async def get(self, tenant: str, place: Place) -> Stored | None:
        known, agent = await self._shown(tenant, place)
        return await self._documents.find(place.key(tenant, agent)) if known else None

    async def names(self, tenant: str, place: Place) -> Listed:
        known, agent = await self._shown(tenant, place)
        found = await self._documents.list(place.context(tenant, agent), place.since) if known else []
        return Listed(sorted({name for name, _ in found}), max((updated for _, updated in found), default=None))

    async def write(self, tenant: str, place: Place, write: Write) -> bool:
        """Store; whether it was: not where the learner does not allow `record`. Raises `Problem`, `PolicyUnknown`."""
        write.check()
        identity, begun = None, time.monotonic()
        if place.agent is not None:
            identity, allowed = await self._who(tenant, str(place.ifi))
            if not allowed:
                return False
        await self._decide(tenant, place, write, identity)
        if identity is None or not self._late.is_late(begun):
            return True
        if await self._late.names_the_gone(tenant, {str(place.ifi): identity}):
            await self._documents.remove_all(place.context(tenant, identity.agent))
            raise MongoAway("a learner was forgotten meanwhile")
        return True

    async def remove(self, tenant: str, place: Place, write: Write) -> None:
        """Remove the one document; a learner need not allow that. Raises `PreconditionFailed`."""
        identity = None
        if place.agent is not None:
            identity = await self._identities.look_up(tenant, str(place.ifi))
            if identity is None:
                write.outcome(None)
                return
        await self._decide(tenant, place, write, identity)

    async def remove_all(self, tenant: str, place: Place) -> None:
        """Remove every document of a context."""
        known, agent = await self._known(tenant, place)
        if known:
            await self._documents.remove_all(place.context(tenant, agent))

    async def _shown(self, tenant: str, place: Place) -> tuple[bool, str | None]:
        """As `_known`, but for whom a restriction holds: theirs are kept, and given to nobody (GDPR 18(2))."""
        if place.agent is None:
            return True, None
        identity = await self._identities.look_up(tenant, str(place.ifi))
        if identity is None or identity.learner in await self._restricted.of(tenant):
            return False, None
        return True, identity.agent

    async def _known(self, tenant: str, place: Place) -> tuple[bool, str | None]:
        """Whether there can be documents here, and the agent_id; nothing is made."""
        if place.agent is None:
            return True, None
        identity = await self._identities.look_up(tenant, str(place.ifi))
        return identity is not None, None if identity is None else identity.agent

    async def forget_tenant(self, tenant: str) -> None:
        """Delete every document of a tenant that leaves."""
        await self._documents.remove_all(f"{tenant}/")

    async def _who(self, tenant: str, ifi: str) -> tuple[Identity, bool]:
        """The agent's identity and whether the learner allows `record`. Raises `Forbidden` where policy says so.

        Where the view says erased, the cached identity may be that of the forgotten: read again, once.
        """
        for fresh in (False, True):
            resolved, _ = await self._identities.resolve(tenant, [ifi], subjects=(), fresh=fresh)
            identity = resolved[ifi]
            standing = await self._consents.standing(tenant, identity.learner)
            if not standing.erased:
                break
        allowed = standing.allows("record")
        if not allowed and standing.policy.not_recorded == "refuse":
            raise Forbidden(
                "The agent is a learner who does not allow recording",
                errors=[{"parameter": "agent", "in": "query", "detail": "the learner does not allow `record`"}],
            )
        return identity, allowed

    async def _decide(self, tenant: str, place: Place, write: Write, identity: Identity | None) -> None:
        """Look, decide, and write only if nothing has changed since; else again."""
        key = place.key(tenant, None if identity is None else identity.agent)
        owner = Owner(tenant, "" if identity is None else identity.learner)
        until = time.monotonic() + _GIVE_UP_SECONDS
        while not await self._attempt(key, str(place.name), owner, write):
            if time.monotonic() > until:
                raise MongoAway("a document that others keep changing")
            await asyncio.sleep(0.002)

    async def _attempt(self, key: str, name: str, owner: Owner, write: Write) -> bool:
        seen = await self._documents.find(key)
        after = write.outcome(None if seen is None else seen.content)
        if after is None:
            return seen is None or await self._documents.remove(key, seen.revision)
        now = to_micros(self._clock())
        if seen is None:
            return await self._documents.put(key, name, owner, after, now, None)
        return await self._documents.put(key, name, owner, after, max(now, seen.updated + 1), seen.revision)
