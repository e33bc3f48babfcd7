"""`republications`: `{_id: "tenant/learner", tenant, learner, token}`, the learners whose statements are to be
published again. A new token means that it was asked for once more meanwhile.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Session, UpdateOne
from service_kit.outbox import flag
from uuid_utils.compat import uuid7

from ingest.statements.indexing import agent_tokens
from ingest.statements.repository import BY_KEY, STATEMENTS

REPUBLICATIONS: Final = CollectionSpec("republications", "source")
CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Republication:
    tenant: str
    learner: str
    token: str


class RepublicationRepository:
    def __init__(self, db: Database) -> None:
        self._waiting: Collection = db[REPUBLICATIONS.name]
        self._statements: Collection = db[STATEMENTS.name]

    async def ask(self, tenant: str, learner: str, session: Session) -> None:
        document = {"tenant": tenant, "learner": learner, "token": str(uuid7())}
        await self._waiting.replace_one({"_id": f"{tenant}/{learner}"}, document, upsert=True, session=session)

    async def forget(self, tenant: str, learner: str, session: Session) -> None:
        await self._waiting.delete_one({"_id": f"{tenant}/{learner}"}, session=session)

    async def next(self) -> Republication | None:
        found = await self._waiting.find_one({})
        return Republication(found["tenant"], found["learner"], found["token"]) if found else None

    async def done(self, one: Republication) -> None:
        """Unless it was asked for once more."""
        await self._waiting.delete_one({"_id": f"{one.tenant}/{one.learner}", "token": one.token})

    async def chunks(self, one: Republication, agents: Sequence[str]) -> AsyncIterator[list[str]]:
        """The ids of the statements about the learner, oldest first, and of those that void any of them."""
        where = {
            "tenant": one.tenant,
            "keys": {"$in": sorted({token for agent in agents for token in agent_tokens(agent)})},
            "$or": [{"learners": one.learner}, {"voids": {"$exists": True}}],
        }
        chunk: list[str] = []
        found = self._statements.find(where, {"_id": 1}).hint(list(BY_KEY)).sort("stored", ASCENDING)
        async for document in found:
            chunk.append(document["_id"])
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    async def publish_again(self, one: Republication, ids: Sequence[str]) -> None:
        """Flag them for the relay, in this order. Whoever has one already knows it by its id."""
        changes: list[Any] = [UpdateOne({"_id": id_}, {"$set": {"outbox": flag(one.learner)}}) for id_ in ids]
        await self._statements.bulk_write(changes, ordered=False)
