"""Policies in MongoDB: `{_id: tenant, policy, at, outbox}`, one a tenant."""

from datetime import datetime
from typing import Final

from events.payloads import Policy
from events.tracing import current_traceparent
from service_kit.mongo import Collection, CollectionSpec, Database, Session
from service_kit.outbox import OUTBOX_INDEX, flag

POLICIES: Final = CollectionSpec("policies", "source", (OUTBOX_INDEX,))


class Policies:
    def __init__(self, db: Database) -> None:
        self._policies: Collection = db[POLICIES.name]

    async def find(self, tenant: str, session: Session | None = None) -> Policy | None:
        found = await self._policies.find_one({"_id": tenant}, session=session)
        return Policy.model_validate(found["policy"]) if found else None

    async def put(self, tenant: str, policy: Policy, at: datetime, session: Session) -> None:
        """Store and flag for `privacy.policies.v1`."""
        document = {
            "policy": policy.model_dump(mode="json"),
            "at": at,
            "traceparent": current_traceparent(),
            "outbox": flag(tenant),
        }
        await self._policies.replace_one({"_id": tenant}, document, upsert=True, session=session)
