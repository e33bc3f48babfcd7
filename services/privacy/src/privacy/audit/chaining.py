"""Entries behind entries, a signed head after each batch, a checkpoint now and then."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from events.payloads import Audited
from service_kit.chain import Mark, Signed, genesis, line_of, linked
from service_kit.clock import Clock
from service_kit.mongo import Session

from privacy.audit.repository import Chain, Head, Link
from privacy.signing import Signer, Signing

CHECKPOINT_EVERY: Final = 1000
Entry = tuple[str, Audited]  # its id, and what it says


def links_after(mark: Mark, entries: Sequence[Entry]) -> list[Link]:
    """The entries in their order behind the end that the mark names."""
    links, previous = [], mark.hash
    for seq, (entry_id, entry) in enumerate(entries, mark.seq + 1):
        line = line_of(mark.tenant, seq, entry_id, entry.model_dump(mode="json"))
        previous = linked(previous, line)
        links.append(Link(seq, entry_id, line, previous))
    return links


def begun(tenant: str, at: datetime) -> Mark:
    """The head of a chain that holds nothing."""
    start = genesis(tenant)
    return Mark("head", tenant, 0, 0, start, start, 0, at.isoformat())


@dataclass(frozen=True)
class Chaining:
    """Changes chains; every call inside the caller's transaction."""

    chain: Chain
    signing: Signing
    clock: Clock

    async def append(self, tenant: str, entries: Sequence[Entry], session: Session) -> list[Link]:
        """Put entries behind the last one, but those that are there already; those that were put."""
        signer, now = await self.signing.signer(), self.clock()
        known = await self.chain.known(tenant, [entry_id for entry_id, _ in entries], session)
        fresh = {entry_id: entry for entry_id, entry in entries if entry_id not in known}
        if not fresh:
            return []
        head = await self.chain.head(tenant, session) or _first(tenant, now, signer)
        links = links_after(head.signed.mark, list(fresh.items()))
        await self.chain.append(tenant, links, session)
        mark = replace(head.signed.mark, seq=links[-1].seq, hash=links[-1].hash, at=now.isoformat())
        await self._end(replace(head, signed=_signed(mark, signer)), signer, now, session, every=CHECKPOINT_EVERY)
        return links

    async def checkpoint(self, tenant: str, session: Session) -> None:
        """Sign where the chain is now, for good, unless the last checkpoint stands there."""
        head = await self.chain.head(tenant, session)
        if head is not None:
            await self._end(head, await self.signing.signer(), self.clock(), session, every=1)

    async def prune(self, tenant: str, before: datetime, session: Session) -> int:
        """Take away what lies before the last checkpoint that is older than that; how many entries."""
        head, signer = await self.chain.head(tenant, session), await self.signing.signer()
        until = await self.chain.checkpoint_before(tenant, before, session)
        if head is None or until is None or until.seq <= head.signed.mark.pruned:
            return 0
        removed = await self.chain.prune(tenant, until.seq, session)
        mark = replace(head.signed.mark, pruned=until.seq, at=self.clock().isoformat())
        await self.chain.put_head(replace(head, signed=_signed(mark, signer)), session)
        return removed

    async def _end(self, head: Head, signer: Signer, now: datetime, session: Session, *, every: int) -> None:
        """Keep the head, behind a new checkpoint where the last one is that many entries away."""
        mark = head.signed.mark
        if mark.seq - head.checked_seq >= every:
            checkpoint = _signed(replace(mark, kind="checkpoint", number=mark.number + 1, at=now.isoformat()), signer)
            await self.chain.add_checkpoint(checkpoint, now, session)
            mark = replace(mark, number=checkpoint.mark.number, previous=checkpoint.mark.digest(), at=now.isoformat())
            head = Head(_signed(mark, signer), mark.seq, now)
        await self.chain.put_head(head, session)


def _first(tenant: str, now: datetime, signer: Signer) -> Head:
    return Head(_signed(begun(tenant, now), signer), 0, now)


def _signed(mark: Mark, signer: Signer) -> Signed:
    return Signed(mark, signer.sign(mark.signed_bytes()))


def due(head: Head, now: datetime, pause: timedelta) -> bool:
    """Whether entries wait for a checkpoint for too long."""
    return head.signed.mark.seq > head.checked_seq and now - head.checked_at >= pause
