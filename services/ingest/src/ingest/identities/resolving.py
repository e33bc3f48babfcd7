"""From canonical identifiers to identities: found, or made.

The cache may be stale where a learner was erased meanwhile; whoever relies on an identity for a write checks the
learner's standing in the same request and, where it says erased, resolves again with `fresh`. So a stale entry is
harmless: what belongs to an erased learner is never extended. Once the learner's key is destroyed, nothing says
"erased" any more; then no cached identity of the learner is used.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from ingest.gathering import Gathering
from ingest.identities.cache import Cache
from ingest.identities.drawn import NewLearners, RandomLearners
from ingest.identities.repository import Identity, IdentityRepository
from ingest.identities.returning import REFUSED, RefusedReturns

CACHE_SIZE: Final = 100_000
CACHE_SECONDS: Final = 300.0
Resolved = dict[str, Identity]
Wanted = tuple[str, Mapping[str, str], Collection[str]]
"""A tenant, its identifiers by their digests, and which of the digests statements are about."""
Made = tuple[dict[str, Identity], set[str]]
"""Identities by digest, and which are new."""


class Resolver:
    def __init__(self, identities: IdentityRepository, refused: RefusedReturns, new: NewLearners | None = None) -> None:
        self._identities = identities
        self._refused = refused
        self._new = new or RandomLearners()
        self._cache: Cache[tuple[str, str], Identity] = Cache(CACHE_SIZE, CACHE_SECONDS)
        self._unknown: Gathering[Wanted, Made] = Gathering(self._find_or_make_all, most_a_call=100)

    async def resolve(
        self, tenant: str, ifis: Collection[str], *, subjects: Collection[str], fresh: bool = False
    ) -> tuple[Resolved, set[str]]:
        """The identity of each identifier, and which of them are new. `subjects` are those statements are about."""
        known = {} if fresh else await self._still_known(tenant, ifis)
        new = set[str]()
        if len(known) < len(ifis):
            digests = await self._identities.digests(tenant, [ifi for ifi in ifis if ifi not in known])
            about = {digest for ifi, digest in digests.items() if ifi in subjects}
            found, made = await self._unknown((tenant, {digest: ifi for ifi, digest in digests.items()}, about))
            known |= {ifi: found[digest] for ifi, digest in digests.items()}
            new = {ifi for ifi, digest in digests.items() if digest in made}
        await self._mark(tenant, known, subjects)
        return known, new

    async def look_up(self, tenant: str, ifi: str, *, cached: bool = False) -> Identity | None:
        """Only looks. `cached` takes what may be the identity of someone forgotten meanwhile."""
        if cached and (known := self._cache.get((tenant, ifi))) is not None:
            return known
        digest = (await self._identities.digests(tenant, [ifi]))[ifi]
        found = (await self._identities.find(tenant, [digest])).get(digest)
        if found is not None:
            self._cache.put((tenant, ifi), found)
        return found

    async def digests(self, tenant: str, ifis: Iterable[str]) -> dict[str, str]:
        return await self._identities.digests(tenant, ifis)

    async def count_subjects(self, tenant: str) -> int:
        return await self._identities.count_subjects(tenant)

    async def _find_or_make_all(self, asked: Sequence[Wanted]) -> list[Made | Exception]:
        """For all who ask at the moment. What two of them have made is new to the first alone."""
        found: dict[str, Made | Exception] = {}
        for tenant in {tenant for tenant, _, _ in asked}:
            own = [(digests, subjects) for one, digests, subjects in asked if one == tenant]
            together = {digest: ifi for digests, _ in own for digest, ifi in digests.items()}
            about = {digest for _, subjects in own for digest in subjects if digest in together}
            try:
                found[tenant] = await self._find_or_make(tenant, together, about)
            except Exception as error:  # this tenant's alone: the others' requests go on
                found[tenant] = error
        return [_share(found[tenant], digests) for tenant, digests, _ in asked]

    async def _find_or_make(self, tenant: str, digests: Mapping[str, str], subjects: Collection[str]) -> Made:
        found = await self._identities.find(tenant, digests)
        missing = {digest: ifi for digest, ifi in digests.items() if digest not in found}
        refused = await self._refused.among(tenant, missing.values(), datetime.now(UTC)) if missing else set[str]()
        nobody = {d: Identity(str(uuid4()), REFUSED, True) for d, ifi in missing.items() if ifi in refused}
        unknown = [digest for digest in missing if digest not in nobody]
        learners = await self._new.take(tenant, len(unknown)) if unknown else []
        made = {d: Identity(str(uuid4()), one, d in subjects) for d, one in zip(unknown, learners, strict=True)}
        taken = await self._identities.add(tenant, made, digests) if made else set()
        if taken:
            self._new.give_back(tenant, [made[digest].learner for digest in taken])
            found |= await self._identities.appear(tenant, taken)
        known = made | found
        for digest, identity in known.items():
            self._cache.put((tenant, digests[digest]), identity)
        return known | nobody, made.keys() - taken

    async def _still_known(self, tenant: str, ifis: Collection[str]) -> Resolved:
        """Cached identities, without those of the forgotten."""
        cached = {ifi: hit for ifi in ifis if (hit := self._cache.get((tenant, ifi))) is not None}
        gone = await self._new.gone(tenant, {identity.learner for identity in cached.values()}) if cached else set()
        for ifi in [ifi for ifi, identity in cached.items() if identity.learner in gone]:
            self._cache.drop((tenant, ifi))
            del cached[ifi]
        return cached

    async def _mark(self, tenant: str, known: dict[str, Identity], subjects: Collection[str]) -> None:
        unmarked = [ifi for ifi in subjects if not known[ifi].subject]
        if unmarked:
            digests = await self._identities.digests(tenant, unmarked)
            await self._identities.mark_subjects(tenant, digests.values())
            for ifi in unmarked:
                known[ifi] = replace(known[ifi], subject=True)
                self._cache.put((tenant, ifi), known[ifi])


def _share(made: Made | Exception, digests: Iterable[str]) -> Made | Exception:
    """What one request asked for; it takes what is new out of what others may still call new."""
    if isinstance(made, Exception):
        return made
    known, new = made
    mine = new.intersection(digests)
    new -= mine
    return {digest: known[digest] for digest in digests}, mine
