"""Policies in MongoDB: `policies` holds the one in force, `{_id: tenant, policy, at, outbox}`; `policy_versions` each
that ever was, `{_id: "tenant/version", tenant, policy, at}`, which nothing changes.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from events.payloads import Policy
from events.tracing import current_traceparent
from service_kit.mongo import Collection, CollectionSpec, Database, Session
from service_kit.outbox import OUTBOX_INDEX, flag

POLICIES: Final = CollectionSpec("policies", "source", (OUTBOX_INDEX,))
VERSIONS: Final = CollectionSpec("policy_versions", "source")


class Policies:
    def __init__(self, db: Database) -> None:
        self._policies: Collection = db[POLICIES.name]
        self._versions: Collection = db[VERSIONS.name]

    async def find(self, tenant: str, session: Session | None = None) -> Policy | None:
        found = await self._policies.find_one({"_id": tenant}, session=session)
        return Policy.model_validate(found["policy"]) if found else None

    async def put(self, tenant: str, policy: Policy, at: datetime, session: Session) -> None:
        """Store, keep the version for good, and flag for `privacy.policies.v1`."""
        dumped = policy.model_dump(mode="json")
        document = {"policy": dumped, "at": at, "traceparent": current_traceparent(), "outbox": flag(tenant)}
        await self._policies.replace_one({"_id": tenant}, document, upsert=True, session=session)
        version = {"_id": _version(tenant, policy.version), "tenant": tenant, "policy": dumped, "at": at}
        await self._versions.insert_one(version, session=session)

    async def versions(self, tenant: str, wanted: Iterable[int]) -> dict[int, Policy]:
        """The policies of these versions; one from before versions were kept is missing."""
        keys = sorted({_version(tenant, version) for version in wanted})
        found = await self._versions.find({"_id": {"$in": keys}}).to_list(None)
        policies = [Policy.model_validate(document["policy"]) for document in found]
        return {policy.version: policy for policy in policies}

    async def history(self, tenant: str, newest: int) -> list[tuple[Policy, datetime]]:
        """Every version that was kept up to this one, and since when it held, the oldest first."""
        keys = [_version(tenant, version) for version in range(1, newest + 1)]
        found = await self._versions.find({"_id": {"$in": keys}}).to_list(None)
        kept = [(Policy.model_validate(document["policy"]), document["at"]) for document in found]
        return sorted(kept, key=lambda one: one[0].version)


def _version(tenant: str, version: int) -> str:
    return f"{tenant}/{version}"
