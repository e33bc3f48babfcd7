"""Forget a learner: the own statements go, and so do the identities. Whoever comes back is someone new.

A statement about others too, or one that only mentions the learner, stays and names a pseudonymous account instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import uuid4

from events.sealing import Owner
from service_kit.mongo import Document, Session
from xapi import agents_of, canonical_ifi, learners_of, loads
from xapi.cutting import is_erased, with_erased
from xapi.parsing import JsonObject

from ingest.attachments.repository import AttachmentRepository, sha2_of
from ingest.attachments.signatures import signatures_of
from ingest.documents.repository import DocumentRepository
from ingest.emitters.quarantine import QuarantineRepository
from ingest.erasure.rewriting import rewritten
from ingest.forwarding.repository import ForwardingRepository
from ingest.identities.repository import Belongings, Identity, IdentityRepository
from ingest.launches.repository import LaunchRepository
from ingest.statements.indexing import tokens_to_forget, unlinked
from ingest.statements.repository import StatementRepository
from ingest.statements.sealing import Body, others_in

ERASED: Final = "erased"
"""In the place of the credential that wrote a statement, where that was the erased themselves."""
_AT_ONCE: Final = 200
NOBODYS: Final = ""
"""Under the tenant's own key lies what leads to no learner any more."""


async def forget(
    tenant: str,
    learner: str,
    session: Session,
    *,
    statements: StatementRepository,
    identities: IdentityRepository,
    documents: DocumentRepository,
    attachments: AttachmentRepository,
    forwardings: ForwardingRepository,
    launches: LaunchRepository,
    quarantine: QuarantineRepository,
) -> Mapping[str, int]:
    """Documents removed and rewritten. Repeatable: the second time finds nothing."""
    launched = await launches.forget(tenant, learner, session)
    data = await attachments.forget(tenant, learner)
    belongings = await identities.belongings(tenant, learner, session)
    if belongings is None:
        return {
            "statements": 0,
            "statements_rewritten": 0,
            "documents": 0,
            "attachments": data,
            "launches": launched,
            "quarantine": 0,
            "identities": 0,
        }
    rewriter = Rewriter(tenant, learner, belongings, statements, identities)
    taken_out = await _take_out(rewriter, session, attachments, forwardings)
    refused = await quarantine.forget(tenant, belongings.digests, session)
    kept = await documents.forget(tenant, belongings.agents, session)
    removed = await identities.remove(tenant, learner, belongings, session)
    return {
        "statements": 0,
        "statements_rewritten": 0,
        **taken_out,
        "documents": kept,
        "attachments": data,
        "launches": launched,
        "quarantine": refused,
        "identities": removed,
    }


async def forget_part(
    tenant: str,
    learner: str,
    limit: int,
    session: Session,
    *,
    statements: StatementRepository,
    identities: IdentityRepository,
    attachments: AttachmentRepository,
    forwardings: ForwardingRepository,
) -> Mapping[str, int]:
    """Delete some of the learner's own statements and rewrite some of others; nothing where none is left.

    A teacher stands in more of them than one transaction may change. `forget` does the rest.
    """
    belongings = await identities.belongings(tenant, learner, session)
    if belongings is None:
        return {}
    rewriter = Rewriter(tenant, learner, belongings, statements, identities)
    return await _take_out(rewriter, session, attachments, forwardings, limit)


async def _take_out(
    rewriter: "Rewriter",
    session: Session,
    attachments: AttachmentRepository,
    forwardings: ForwardingRepository,
    limit: int = 0,
) -> Mapping[str, int]:
    """The learner out of statements, at most so many (0: all): how many were removed and rewritten, if any were."""
    statements, learner = rewriter.statements, rewriter.learner
    naming = await statements.naming(rewriter.tenant, sorted(rewriter.tokens), session, limit)
    if not naming:
        return {}
    own = [d["_id"] for d in naming if set(d["learners"]) <= {learner, None} and learner in d["learners"]]
    mine = set(own)
    others = [document for document in naming if document["_id"] not in mine]
    changes = await rewriter.rewritten(others)
    own += [document["_id"] for document in others if document["_id"] not in changes]
    await statements.remove(own, session)
    await statements.rewrite(changes, session)
    await attachments.discard(_withdrawn(others, changes))
    await forwardings.forget(own, list(changes), session)
    return {"statements": len(own), "statements_rewritten": len(changes)}


@dataclass(frozen=True)
class _Read:
    """A statement of others, and what an imported one was served with where it came from."""

    document: Document
    raw: JsonObject
    origin: JsonObject

    @cached_property
    def named(self) -> AbstractSet[str]:
        """Identifiers of everyone who is not erased yet."""
        uses = [use.ifi for part in (self.raw, self.raw | self.origin) for use in agents_of(part)]
        return {ifi for ifi in uses if ifi is not None and not is_erased(ifi)}


@dataclass(frozen=True)
class Rewriter:
    """Rewrites statements without a learner, who has these belongings: those of others, and where it `unlinks`, all."""

    tenant: str
    learner: str
    belongings: Belongings
    statements: StatementRepository
    identities: IdentityRepository
    unlinks: bool = False

    @cached_property
    def tokens(self) -> AbstractSet[bytes]:
        """What finds the statements."""
        return {token for agent in self.belongings.agents for token in tokens_to_forget(agent)}

    async def rewritten(self, documents: Sequence[Document]) -> dict[str, Document]:
        """The fields to set, by `_id`. What nobody is left of, or cannot be opened any more, is left out."""
        changes: dict[str, Document] = {}
        for start in range(0, len(documents), _AT_ONCE):
            changes |= await self._some(documents[start : start + _AT_ONCE])
        return changes

    async def _some(self, documents: Sequence[Document]) -> dict[str, Document]:
        read = await self.statements.readable(documents)
        held = await self.statements.provenances([document for document, _ in read])
        found = [
            _Read(document, loads(data), {} if origin is None else loads(origin))
            for (document, data), origin in zip(read, held, strict=True)
        ]
        forgotten, known = await self._who(found)
        left = [(one, who) for one in found if (who := self._left(one, forgotten, known))]
        naming = [(one, who) for one, who in left if not one.named.isdisjoint(forgotten)]
        changes = {one.document["_id"]: self._fields(one, who, forgotten) for one, who in left}
        bodies = [body for one, who in naming for body in self._bodies(one, who, forgotten, known)]
        sealed = iter(await self.statements.sealed(bodies))
        for one, _ in naming:
            changes[one.document["_id"]] |= next(sealed)
            origin = next(sealed)
            if one.origin:
                changes[one.document["_id"]]["provenance"] = origin
        return changes

    def _bodies(
        self, one: _Read, who: Sequence[str | None], forgotten: AbstractSet[str], known: Mapping[str, Identity]
    ) -> tuple[Body, Body]:
        name, first = str(uuid4()), next((learner for learner in who if learner is not None), NOBODYS)
        others, owner = others_in(known, known.keys() & one.named, first), Owner(self.tenant, first)
        names = dict.fromkeys(forgotten & one.named, name)
        return (owner, rewritten(one.raw, names), others), (owner, with_erased(one.origin, names), others)

    async def _who(self, found: Sequence[_Read]) -> tuple[AbstractSet[str], Mapping[str, Identity]]:
        """Identifiers of who is erased, and everyone else's identity."""
        digests = await self.identities.digests(self.tenant, set[str]().union(*(one.named for one in found)))
        forgotten = {ifi for ifi, digest in digests.items() if digest in self.belongings.digests}
        others = {ifi: digest for ifi, digest in digests.items() if ifi not in forgotten}
        known = await self.identities.find(self.tenant, others.values())
        return forgotten, {ifi: known[digest] for ifi, digest in others.items() if digest in known}

    def _left(self, one: _Read, forgotten: AbstractSet[str], known: Mapping[str, Identity]) -> list[str | None]:
        """The learners whom the statement is about, None where one is gone; empty where nobody is left for it."""
        before = dict(zip(learners_of(one.raw), one.document["learners"], strict=False))
        after = [
            None if ifi in forgotten or is_erased(ifi) else known[ifi].learner if ifi in known else before.get(ifi)
            for ifi in learners_of(one.raw)
        ]
        return after if any(after) or self.unlinks or not any(one.document["learners"]) else []

    def _fields(self, one: _Read, who: Sequence[str | None], forgotten: AbstractSet[str]) -> Document:
        """The tokens may be the statement's own, or of what it targets."""
        document = one.document
        fields: Document = {"learners": who, "keys": [key for key in document["keys"] if key not in self.tokens]}
        if not any(who) and unlinked() not in fields["keys"]:
            fields["keys"].append(unlinked())
        if canonical_ifi(one.raw.get("authority", {})) in forgotten:
            fields["authority"] = ERASED
        if "blobs" in document:
            withheld = set[str]() if one.named.isdisjoint(forgotten) else set(signatures_of(one.raw))
            fields["blobs"] = _without_data(document, self.learner, withheld)
        return fields


def _without_data(document: Document, learner: str, withheld: AbstractSet[str]) -> list[str]:
    """The keys of the attachments' data that is still there: what was kept under the forgotten is gone, and so are
    signatures, since they hold the statement as it was.
    """
    return [key for key in document["blobs"] if key.split("/")[-2] != learner and sha2_of(key) not in withheld]


def _withdrawn(before: Iterable[Document], changes: Mapping[str, Document]) -> list[str]:
    """The keys of data that the statements held."""
    return [
        key
        for document in before
        for key in document.get("blobs", ())
        if key not in changes.get(document["_id"], {}).get("blobs", ())
    ]
