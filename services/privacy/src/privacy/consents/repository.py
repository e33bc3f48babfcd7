"""Decisions in MongoDB. `consents` holds what is so now, one document a learner; `consent_history` every change.

After an erasure a learner's document says only that it is erased, so that nothing can bring the learner back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from events.payloads import Basis, ConsentStatus, Decision
from events.tracing import current_traceparent
from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index, Session, UpdateOne
from service_kit.outbox import OUTBOX_INDEX, flag
from uuid_utils.compat import uuid7

from privacy.consents.decisions import Dossier, forget

CONSENTS: Final = CollectionSpec("consents", "source", (OUTBOX_INDEX,))
HISTORY: Final = CollectionSpec(
    "consent_history", "source", (Index((("tenant", ASCENDING), ("learner", ASCENDING), ("_id", ASCENDING))),)
)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change as it happened. `status` None: the decision was taken back. `by` is the caller's role, no person."""

    learner: str
    purpose: str
    status: ConsentStatus | None
    basis: Basis
    policy_version: int
    version: int
    at: datetime
    by: str
    details: Mapping[str, Any]


class Consents:
    def __init__(self, db: Database) -> None:
        self._consents: Collection = db[CONSENTS.name]
        self._history: Collection = db[HISTORY.name]

    async def find(self, tenant: str, learner: str, session: Session | None = None) -> Dossier:
        """What is known of the learner; an empty dossier where nothing is."""
        found = await self._consents.find_one({"_id": _id(tenant, learner)}, session=session)
        return dossier_of(found) if found else Dossier()

    async def put(self, tenant: str, learner: str, dossier: Dossier, at: datetime, session: Session) -> None:
        """Store and flag for `privacy.consents.v1`."""
        document = {
            "tenant": tenant,
            "learner": learner,
            "version": dossier.version,
            "decisions": {name: d.model_dump(mode="json") for name, d in dossier.decisions.items()},
            "changed": dict(dossier.changed),
            "acknowledged": dict(dossier.acknowledged),
            "erased": dossier.erased,
            "restricted": dossier.restricted,
            "at": at,
            "traceparent": current_traceparent(),
            "outbox": flag(learner),
        }
        await self._consents.replace_one({"_id": _id(tenant, learner)}, document, upsert=True, session=session)

    async def record(self, tenant: str, entry: HistoryEntry, session: Session) -> None:
        """Add to the history; nothing there is ever changed, an erasure alone removes it."""
        document = {
            "_id": str(uuid7()),
            "tenant": tenant,
            "learner": entry.learner,
            "purpose": entry.purpose,
            "status": entry.status.value if entry.status else None,
            "basis": entry.basis.value,
            "policy_version": entry.policy_version,
            "version": entry.version,
            "at": entry.at,
            "by": entry.by,
            "details": dict(entry.details),
        }
        await self._history.insert_one(document, session=session)

    async def history(self, tenant: str, learner: str) -> list[Document]:
        """Every change of this learner, oldest first."""
        return await self._history.find({"tenant": tenant, "learner": learner}).sort("_id", ASCENDING).to_list(None)

    async def forget(self, tenant: str, learner: str, at: datetime, session: Session) -> dict[str, int]:
        """Mark the learner erased and delete the decisions and their history; documents removed, by collection."""
        before = await self.find(tenant, learner, session)
        await self.put(tenant, learner, forget(before), at, session)
        removed = await self._history.delete_many({"tenant": tenant, "learner": learner}, session=session)
        return {CONSENTS.name: int(bool(before.decisions)), HISTORY.name: removed.deleted_count}

    async def acknowledge(self, tenant: str, versions: Iterable[tuple[str, str, int]], session: Session) -> None:
        """Note that services hold versions: (learner, service, version). Of learners unknown here nothing is noted."""
        changes = [
            UpdateOne({"_id": _id(tenant, learner)}, {"$max": {f"acknowledged.{service}": version}})
            for learner, service, version in versions
        ]
        if changes:
            await self._consents.bulk_write(changes, ordered=False, session=session)


def _id(tenant: str, learner: str) -> str:
    return f"{tenant}/{learner}"


def dossier_of(document: Document) -> Dossier:
    return Dossier(
        version=document["version"],
        decisions={name: Decision.model_validate(d) for name, d in document["decisions"].items()},
        changed=document["changed"],
        acknowledged=document["acknowledged"],
        erased=document["erased"],
        restricted=document.get("restricted", False),
    )
