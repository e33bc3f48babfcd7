"""Refused statements into the quarantine: within its bounds, and of no learner who does not allow recording."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from service_kit import metrics
from service_kit.clock import Clock
from service_kit.consent import ConsentView, Standing
from xapi import Version, dumps

from ingest.credentials.credential import Credential
from ingest.emitters.naming import Names, names_in
from ingest.emitters.quarantine import Quarantined, QuarantineRepository, Reason
from ingest.emitters.repeats import canonical
from ingest.identities.repository import Identity
from ingest.identities.resolving import Resolver
from ingest.identities.returning import REFUSED
from ingest.settings import QuarantineSettings

MOST_REASONS: Final = 20


class QuarantineFull(Exception):
    """The bounds would be passed; nothing was kept."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A statement that was not stored. `status` is what it would have met alone: 400 or 409."""

    index: int
    value: Any
    status: int
    reasons: tuple[Reason, ...]


class Quarantine:
    def __init__(
        self,
        repository: QuarantineRepository,
        identities: Resolver,
        consents: ConsentView,
        settings: QuarantineSettings,
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._identities = identities
        self._consents = consents
        self._settings = settings
        self._clock = clock
        self._kept = metrics.counter(metrics.STATEMENTS_QUARANTINED)

    async def keep(self, credential: Credential, version: Version, refused: Sequence[Refused]) -> list[int]:
        """The indexes of those that are durable now; the others are about learners who do not allow `record`.

        Raises `QuarantineFull`, `PolicyUnknown`.
        """
        names = [names_in(one.value) for one in refused]
        identities, standings = await self._who(credential.tenant, names)
        allowed = [
            (one, named)
            for one, named in zip(refused, names, strict=True)
            if _may_be_kept(named, identities, standings)
        ]
        if allowed:
            await self._add(credential, version, allowed, identities)
        return [one.index for one, _ in allowed]

    async def _add(
        self,
        credential: Credential,
        version: Version,
        allowed: Sequence[tuple[Refused, Names]],
        identities: Mapping[str, Identity],
    ) -> None:
        bodies = [dumps(one.value) for one, _ in allowed]
        await self._within_bounds(credential.tenant, bodies)
        ids = await self._ids(credential, allowed)
        everyone = frozenset().union(*(named.all for _, named in allowed))
        digests = await self._identities.digests(credential.tenant, everyone)
        now = self._clock()
        expires_at = now + timedelta(days=self._settings.quarantine_days)
        items = []
        for (one, named), body in zip(allowed, bodies, strict=True):
            kept = Quarantined(
                id=ids[one.index],
                tenant=credential.tenant,
                credential=credential.key,
                version=version.value,
                index=one.index,
                status=one.status,
                reasons=one.reasons[:MOST_REASONS],
                received_at=now,
                last_at=now,
                expires_at=expires_at,
            )
            learners = [identities[ifi].learner for ifi in (*named.subjects, *sorted(named.all))]
            items.append((kept, body, learners, sorted(digests[ifi] for ifi in named.all)))
        await self._repository.add(items)
        self._kept.add(len(items))

    async def _who(
        self, tenant: str, names: Sequence[Names]
    ) -> tuple[Mapping[str, Identity], dict[str | None, Standing]]:
        """The identity of everyone named, made where it is new, so that all can be sealed and erased; and by learner
        what each allows.

        Where the view says erased, the cached identity may be that of the forgotten: read again, once.
        """
        everyone = frozenset[str]().union(*(named.all for named in names))
        identities: Mapping[str, Identity] = {}
        for fresh in (False, True):
            if everyone:
                identities, _ = await self._identities.resolve(tenant, everyone, subjects=(), fresh=fresh)
            standings = await self._standings(tenant, identities)
            if not any(standing.erased for standing in standings.values()):
                break
        return identities, standings

    async def _standings(self, tenant: str, identities: Mapping[str, Identity]) -> dict[str | None, Standing]:
        """By learner; under None that of someone of whom nothing is known."""
        unknown = str(uuid4())
        found = await self._consents.standings(tenant, {unknown, *(one.learner for one in identities.values())})
        return {None if learner == unknown else learner: standing for learner, standing in found.items()}

    async def _within_bounds(self, tenant: str, bodies: Sequence[bytes]) -> None:
        limits, held = self._settings, await self._repository.held(tenant)
        size = held.size + sum(map(len, bodies))
        if held.count + len(bodies) > limits.quarantine_statements or size > limits.quarantine_bytes:
            raise QuarantineFull

    async def _ids(self, credential: Credential, allowed: Sequence[tuple[Refused, Names]]) -> dict[int, str]:
        texts = {one.index: f"quarantine|{credential.key}|{canonical(one.value)}" for one, _ in allowed}
        digests = await self._identities.digests(credential.tenant, texts.values())
        return {index: digests[text][:32] for index, text in texts.items()}


def _may_be_kept(named: Names, identities: Mapping[str, Identity], standings: Mapping[str | None, Standing]) -> bool:
    """As for recording; who cannot be made out is taken for someone of whom nothing is known.

    Nothing that names someone who is not to come back is kept.
    """
    if any(identities[ifi].learner == REFUSED for ifi in named.all):
        return False
    learners: list[str | None] = [identities[ifi].learner for ifi in named.subjects]
    return all(standings[learner].allows("record") for learner in learners or [None])
