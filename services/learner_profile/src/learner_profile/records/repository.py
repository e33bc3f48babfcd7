"""MongoDB: what records from elsewhere claim of a learner. It is shown, and is no part of the learner's own state.

`{_id: "tenant/learner/record", tenant, learner, at, data, key}`; the claims lie sealed under the learner's key.
"""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from events.sealing import Owner, Sealed, Sealer
from service_kit.clock import Clock
from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Index, Session

CLAIMS: Final = CollectionSpec(
    "claims", "source", (Index((("tenant", ASCENDING), ("learner", ASCENDING), ("at", ASCENDING))),)
)


class ClaimRepository:
    """Claims of all tenants; every call names its tenant."""

    def __init__(self, db: Database, sealer: Sealer, clock: Clock) -> None:
        self._claims: Collection = db[CLAIMS.name]
        self._sealer = sealer
        self._clock = clock

    async def put(self, tenant: str, learner: str, record: str, claim: dict[str, Any], session: Session) -> None:
        """Store; the same record again takes its own place."""
        [sealed] = await self._sealer.seal([(Owner(tenant, learner), orjson.dumps(claim))])
        body = {"tenant": tenant, "learner": learner, "at": self._clock(), "data": sealed.data, "key": sealed.key}
        await self._claims.replace_one({"_id": f"{tenant}/{learner}/{record}"}, body, upsert=True, session=session)

    async def of_learners(self, tenant: str, learners: Sequence[str]) -> list[dict[str, Any]]:
        """Every claim about one person, oldest first."""
        where = {"tenant": tenant, "learner": {"$in": list(learners)}}
        found = await self._claims.find(where).sort("at", ASCENDING).to_list(None)
        opened = await self._sealer.open([Sealed(bytes(d["data"]), d["key"]) for d in found])
        return [orjson.loads(data) for data in opened]

    async def delete(self, tenant: str, learner: str, session: Session) -> int:
        result = await self._claims.delete_many({"tenant": tenant, "learner": learner}, session=session)
        return int(result.deleted_count)
