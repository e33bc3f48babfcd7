"""The collection `merges`: one document for each learner who is, or was, merged into another.

`{_id: "tenant/learner", tenant, learner, into, id, version, at, gone?, outbox?}`; `into` is null after an undo, `gone`
says that the learner is erased and Kafka has still to hear of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from events import topics
from events.envelope import Outgoing
from events.payloads import IdentityMerge
from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index, Session
from service_kit.outbox import OUTBOX_INDEX, flag

MERGES: Final = CollectionSpec(
    "merges",
    "source",
    (
        OUTBOX_INDEX,
        Index((("tenant", ASCENDING), ("id", ASCENDING))),
        Index((("gone", ASCENDING),), where={"gone": True}),
    ),
)


@dataclass(frozen=True, slots=True)
class Edge:
    """A learner and the one it is merged into; `into` None: no longer."""

    id: str
    learner: str
    into: str | None
    version: int
    at: datetime

    def message(self) -> IdentityMerge:
        return IdentityMerge(version=self.version, into=self.into)


class MergeRepository:
    """Every call names its tenant, but the sweep."""

    def __init__(self, db: Database) -> None:
        self._merges: Collection = db[MERGES.name]

    async def of_learners(self, tenant: str, learners: Iterable[str], session: Session | None = None) -> list[Edge]:
        """What was ever said of these learners, oldest first."""
        ids = [f"{tenant}/{learner}" for learner in learners]
        found = await self._merges.find({"_id": {"$in": ids}, "gone": {"$exists": False}}, session=session).to_list(
            None
        )
        return sorted((_edge(document) for document in found), key=lambda edge: edge.at)

    async def by_id(self, tenant: str, merge: str, session: Session | None = None) -> Edge | None:
        found = await self._merges.find_one({"tenant": tenant, "id": merge}, session=session)
        return None if found is None or "gone" in found else _edge(found)

    async def put(self, tenant: str, edge: Edge, session: Session) -> None:
        """Store, and flag for `identities.merges.v1`."""
        document = {
            "tenant": tenant,
            "learner": edge.learner,
            "into": edge.into,
            "id": edge.id,
            "version": edge.version,
            "at": edge.at,
            "outbox": flag(edge.learner),
        }
        await self._merges.replace_one({"_id": f"{tenant}/{edge.learner}"}, document, upsert=True, session=session)

    async def forget(self, tenant: str, learner: str, session: Session) -> int:
        """The learner's own edge goes, with a last word to Kafka; how many there were."""
        gone: Document = {"$set": {"gone": True, "into": None, "outbox": flag(learner)}}
        where = {"_id": f"{tenant}/{learner}", "gone": {"$exists": False}}
        return (await self._merges.update_one(where, gone, session=session)).modified_count

    async def sweep(self) -> bool:
        """Remove what stood in the place of the forgotten until Kafka had the tombstone."""
        await self._merges.delete_many({"gone": True, "outbox": {"$exists": False}})
        return False


class MergeSource:
    """`service_kit.outbox.Source` of merges."""

    spec = MERGES
    remove_when_sent = False

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        return [_outgoing(document) for document in documents]


def _outgoing(document: Document) -> Outgoing:
    payload = None if "gone" in document else _edge(document).message()
    token = document["outbox"]["token"]
    return Outgoing(topics.MERGES, token, document["tenant"], document["learner"], document["at"], payload)


def _edge(document: Document) -> Edge:
    return Edge(document["id"], document["learner"], document["into"], document["version"], document["at"])
