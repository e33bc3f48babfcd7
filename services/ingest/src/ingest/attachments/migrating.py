"""Attachments from before there were keys: their data is written anew, sealed, and takes the place of the clear."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from events.sealing import KeyGone, Owner
from service_kit.mongo import Document
from xapi import agents_of, loads

from ingest.attachments.blobs import BlobGone
from ingest.attachments.repository import FILES, AttachmentRepository, sha2_of
from ingest.attachments.signatures import signatures_of
from ingest.identities.repository import IdentityRepository
from ingest.sharing import owners_of


class HoldsBlob(Protocol):
    """Who knows the statements that hold an attachment."""

    async def holding(self, blob: str) -> bytes | None: ...


@dataclass(frozen=True)
class ClearAttachments:
    """`service_kit.keys.migrating.Walk`."""

    attachments: AttachmentRepository
    statements: HoldsBlob
    identities: IdentityRepository
    name: str = "attachments"
    collection: str = FILES.name

    async def seal(self, found: Sequence[Document]) -> int:
        clear = [d for d in found if "whole" in d["metadata"] and d["metadata"].get("key") is None]
        return sum([await self._one(document) for document in clear])

    async def _one(self, document: Document) -> bool:
        about = document["metadata"]
        owner = Owner(about["tenant"], about["learner"])
        try:
            await self.attachments.renew(document, [owner, *await self._signed_for(owner, about["whole"])])
        except (BlobGone, KeyGone):  # it is being forgotten
            return False
        return True

    async def _signed_for(self, owner: Owner, key: str) -> list[Owner]:
        """Who else a signature must be sealed for: everyone whom its statement names."""
        data = await self.statements.holding(key)
        raw = loads(data) if data is not None else {}
        if sha2_of(key) not in signatures_of(raw):
            return []
        digests = await self.identities.digests(owner.tenant, {use.ifi for use in agents_of(raw) if use.ifi})
        known = await self.identities.find(owner.tenant, digests.values())
        named = [known[digests[ifi]].learner for ifi in sorted(digests) if digests[ifi] in known]
        return [one for one in owners_of(owner.tenant, named) if one != owner]
