"""One learner's archive: every service asked, every chunk sealed as it comes."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Final

from events.sealing import Owner
from service_kit.archives import README, Archive
from service_kit.peers import PeerAway, Peers
from service_kit.subjects import Item, Record

from privacy.access.own import own
from privacy.access.readme import readme
from privacy.access.repository import CHUNK, Made
from privacy.requests.progress import Kind
from privacy.state import State

# What the learner has provided, and nothing that was worked out from it (GDPR 20(1)).
PORTABLE: Final = frozenset({"identifiers", "statements", "documents", "attachments"})
Counts = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made. `key` names the archive, `attempt` tells its chunks from those of earlier attempts."""

    tenant: str
    learner: str
    key: str
    attempt: int
    kind: Kind
    services: tuple[str, ...]
    expires_at: datetime


async def make(plan: Plan, state: State, peers: Peers) -> tuple[Made, Counts]:
    """The archive, whose chunks are stored, and records by service and part. Raises `PeerAway`, `KeyGone`."""
    if not peers.serves(plan.tenant):
        raise PeerAway("privacy", "TRELLIS_SERVICE_TOKEN is missing or of another tenant")
    now = state.clock()
    writing, archive = _Writing(state, plan), Archive(now)
    people = (await state.merges.group(plan.tenant, plan.learner)).everyone
    for service, (number, one) in product(sorted(plan.services), enumerate(people)):
        items = own(plan.tenant, one, state) if service == "privacy" else peers.held(service, plan.tenant, one)
        folder = service if number == 0 else f"{service}/merged-{number}"
        async for item in items:
            if plan.kind == "access" or _name(item) in PORTABLE:
                archive.add(folder, item)
                await writing.drain(archive)
    counts = _counts(archive, plan.services)
    archive.put(README, readme(archive.entries, plan.kind, now))
    archive.manifest({"request": plan.key, "right": plan.kind, "made_at": now, "services": counts})
    archive.close()
    await writing.drain(archive, rest=True)
    return writing.made(now), counts


@dataclass
class _Writing:
    """An archive's bytes on their way into sealed chunks."""

    state: State
    plan: Plan
    number: int = 0
    size: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    async def drain(self, archive: Archive, *, rest: bool = False) -> None:
        """Store every whole chunk that waits, with `rest` the last one too."""
        plan = self.plan
        while archive.waiting >= CHUNK or (rest and archive.waiting):
            data = archive.taken(CHUNK)
            self.digest.update(data)
            self.size += len(data)
            owner = Owner(plan.tenant, plan.learner)
            await self.state.archives.add_chunk(owner, plan.key, plan.attempt, self.number, data, plan.expires_at)
            self.number += 1

    def made(self, now: datetime) -> Made:
        return Made(
            request=self.plan.key,
            attempt=self.plan.attempt,
            size=self.size,
            sha256=self.digest.hexdigest(),
            chunks=self.number,
            made_at=now,
            expires_at=self.plan.expires_at,
        )


def _counts(archive: Archive, services: Iterable[str]) -> Counts:
    return {service: archive.counts(service) for service in sorted(services)}


def _name(item: Item) -> str:
    """The part of a record, the folder of a file."""
    return item.part if isinstance(item, Record) else item.file.partition("/")[0]
