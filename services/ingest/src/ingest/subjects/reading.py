"""Everything of a learner's: identifiers, statements, documents, attachments, launches, quarantine, disclosures.

A statement about the learner that names others shows them as pseudonymous accounts: a copy must not adversely affect
the rights of others (GDPR 15(4)). The lines stay valid xAPI.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson
from events.sealing import Sealed, Sealer
from service_kit.merging import Merges
from service_kit.mongo import ASCENDING, Database, Document
from service_kit.subjects import PIECE, Item, Piece, Record
from xapi import agents_of, dumps, loads
from xapi.cutting import with_erased

from ingest.agents.persons import identifier
from ingest.attachments.repository import AttachmentRepository, sha2_of
from ingest.disclosures.repository import DisclosureRepository
from ingest.documents.repository import DOCUMENTS
from ingest.emitters.quarantine import QUARANTINE
from ingest.identities.repository import Belongings, IdentityRepository
from ingest.launches.repository import LAUNCHES
from ingest.sharing import Shared, open_shared
from ingest.statements.indexing import tokens_to_forget
from ingest.statements.repository import StatementRepository
from ingest.statements.stamps import from_micros

PAGE: Final = 200
OTHERS: Final = "someone-else"
SECRETS: Final = ("digest", "fetch_digest", "fetched_digest", "bytes", "key", "others", "identifiers", "revision")


@dataclass(frozen=True)
class HeldByIngest:
    """`service_kit.subjects.Held`."""

    db: Database
    statements: StatementRepository
    identities: IdentityRepository
    attachments: AttachmentRepository
    sealer: Sealer
    merges: Merges

    async def __call__(self, tenant: str, learner: str) -> AsyncIterator[Item]:
        belongings = await self.identities.belongings(tenant, learner) or Belongings([], [])
        for persona in await self.identities.personas(tenant, learner):
            agent = dict([identifier(persona.ifi)])
            yield Record.of("identifiers", {"identifier": persona.ifi, "agent": agent, "names": list(persona.names)})
        group = await self.merges.group(tenant, learner)
        own = {persona.ifi for one in group.everyone for persona in await self.identities.personas(tenant, one)}
        async for item in self._statements(tenant, belongings, own):
            yield item
        async for item in self._documents(tenant, belongings):
            yield item
        async for item in self._attachments(tenant, learner):
            yield item
        for disclosed in await DisclosureRepository(self.db).of_learner(tenant, learner):
            yield Record.of("disclosures", asdict(disclosed))
        launches = self.db[LAUNCHES.name].find({"tenant": tenant, "learner": learner})
        async for item in self._sealed("launches", launches):
            yield item
        refused = self.db[QUARANTINE.name].find({"tenant": tenant, "identifiers": {"$in": belongings.digests}})
        async for item in self._sealed("quarantine", refused):
            yield item

    async def _statements(self, tenant: str, belongings: Belongings, own: set[str]) -> AsyncIterator[Item]:
        """Voided ones too: they are held."""
        tokens = sorted({token for agent in belongings.agents for token in tokens_to_forget(agent)})
        if not tokens:
            return
        page: list[Document] = []
        async for document in self.statements.about(tenant, tokens):
            page.append(document)
            if len(page) == PAGE:
                for record in await self._opened(page, own):
                    yield record
                page = []
        for record in await self._opened(page, own):
            yield record

    async def _opened(self, page: Sequence[Document], own: set[str]) -> list[Record]:
        return [Record("statements", _for(data, own)) for _, data in await self.statements.readable(page)]

    async def _documents(self, tenant: str, belongings: Belongings) -> AsyncIterator[Item]:
        """All records, then the files."""
        files: dict[str, str] = {}
        for agent in belongings.agents:
            for kind in ("state", "agent"):
                prefix = f"{tenant}/{kind}/{agent}/"
                found = self.db[DOCUMENTS.name].find({"_id": {"$gte": prefix, "$lt": f"{prefix[:-1]}0"}})
                async for document in found.sort("_id", ASCENDING):
                    file = f"documents/{len(files) + 1}"
                    files[file] = document["_id"]
                    yield await self._document(document, kind, file)
        for file, key in files.items():
            held = await self.db[DOCUMENTS.name].find_one({"_id": key}, {"bytes": 1, "key": 1})
            if held is not None:
                [data] = await self.sealer.open([Sealed(held["bytes"], held["key"])])
                for piece in _pieces(file, data):
                    yield piece

    async def _document(self, document: Document, kind: str, file: str) -> Record:
        [name] = await self.sealer.open([Sealed(document["name"]["bytes"], document["name"]["key"])])
        return Record.of(
            "documents",
            {
                "kind": kind,
                "id": name.decode(),
                "type": document["type"],
                "updated": from_micros(document["updated"]),
                "file": file,
            },
        )

    async def _attachments(self, tenant: str, learner: str) -> AsyncIterator[Item]:
        """All records, then the files."""
        every = await self.attachments.of_learner(tenant, learner)
        # by several keys: a signature, which holds a statement that names others and cannot be cut
        own = {f"attachments/{sha2_of(key)}": (sha2_of(key), held) for key, held in every.items() if len(held.keys) < 2}
        for file, (sha2, held) in own.items():
            yield Record.of("attachments", {"sha2": sha2, "size": held.size, "file": file})
        for file, (_, held) in own.items():
            async for chunk in self.attachments.read(held):
                yield Piece(file, chunk)

    async def _sealed(self, part: str, found: Any) -> AsyncIterator[Item]:
        """What is kept beside sealed bytes, and the bytes opened."""
        async for document in found:
            said = {name.lstrip("_"): value for name, value in document.items() if name not in SECRETS}
            keys = (document["key"], *document.get("others", ()))
            (data,) = await open_shared(self.sealer, [Shared(document["bytes"], keys)])
            if data is not None:
                yield Record.of(part, said | {"content": _json_or_text(data)})


def _for(statement: bytes, own: set[str]) -> bytes:
    """The statement as its learner may have it."""
    raw = loads(statement)
    named = {use.ifi for use in agents_of(raw) if use.ifi is not None}
    return statement if named <= own else dumps(with_erased(raw, dict.fromkeys(named - own, OTHERS)))


def _pieces(file: str, data: bytes) -> list[Piece]:
    return [Piece(file, data[start : start + PIECE]) for start in range(0, max(len(data), 1), PIECE)]


def _json_or_text(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except ValueError:
        return data.decode(errors="replace")
