"""Decisions in MongoDB. `consents` holds what is so now, one document a learner; `consent_history` every change.

After an erasure a learner's document says only that it is erased, so that nothing can bring the learner back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

import orjson
from events.payloads import Basis, ConsentStatus, Decision, Notice
from events.sealing import ClearSealer, Owner, Sealed, Sealer
from events.tracing import current_traceparent
from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index, Session, UpdateOne
from service_kit.outbox import OUTBOX_INDEX, flag
from uuid_utils.compat import uuid7

from privacy.consents.decisions import Dossier, Objection, Outcome, forget, settled
from privacy.guardians.repository import GUARDIANS

Event = Literal["decision", "notice", "ruling"]

CONSENTS: Final = CollectionSpec("consents", "source", (OUTBOX_INDEX,))
HISTORY: Final = CollectionSpec(
    "consent_history", "source", (Index((("tenant", ASCENDING), ("learner", ASCENDING), ("_id", ASCENDING))),)
)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One event as it happened. `status` None: the decision was taken back, or the event is none of the learner's.

    `by` is the caller's role, no person. `details` may say anything about the learner: they are stored sealed.
    """

    learner: str
    purpose: str
    status: ConsentStatus | None
    basis: Basis
    policy_version: int
    version: int
    at: datetime
    by: str
    details: Mapping[str, Any]
    event: Event = "decision"
    notice: Notice = field(default_factory=Notice)
    outcome: Outcome | None = None
    id: str = field(default_factory=lambda: str(uuid7()))


class Consents:
    def __init__(self, db: Database, sealer: Sealer | None = None) -> None:
        self._sealer = sealer or ClearSealer()
        self._consents: Collection = db[CONSENTS.name]
        self._history: Collection = db[HISTORY.name]
        self._guardians: Collection = db[GUARDIANS.name]

    async def find(self, tenant: str, learner: str, session: Session | None = None) -> Dossier:
        """What is known of the learner; an empty dossier where nothing is."""
        found = await self._consents.find_one({"_id": _id(tenant, learner)}, session=session)
        return dossier_of(found) if found else Dossier()

    async def of_learners(self, tenant: str, learners: Iterable[str]) -> dict[str, Dossier]:
        """What is known of each of these."""
        ids = [_id(tenant, learner) for learner in learners]
        found = await self._consents.find({"_id": {"$in": ids}}).to_list(None)
        return {document["learner"]: dossier_of(document) for document in found}

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
            "objections": {name: _objection(one) for name, one in dossier.objections.items()},
            "resumed": sorted(dossier.resumed),
            "rebuild": dict(dossier.rebuild),
            "holds": sorted(dossier.holds),
            "at": at,
            "traceparent": current_traceparent(),
            "outbox": flag(learner),
        }
        await self._consents.replace_one({"_id": _id(tenant, learner)}, document, upsert=True, session=session)

    async def record(self, tenant: str, entry: HistoryEntry, session: Session) -> None:
        """Add to the history; nothing there is ever changed, an erasure alone removes it."""
        [details] = await self._sealer.seal([(Owner(tenant, entry.learner), orjson.dumps(dict(entry.details)))])
        document = {
            "_id": entry.id,
            "tenant": tenant,
            "learner": entry.learner,
            "purpose": entry.purpose,
            "status": entry.status.value if entry.status else None,
            "basis": entry.basis.value,
            "policy_version": entry.policy_version,
            "version": entry.version,
            "at": entry.at,
            "by": entry.by,
            "event": entry.event,
            "notice": entry.notice.model_dump(mode="json"),
            "outcome": entry.outcome,
            "sealed": {"data": details.data, "key": details.key},
        }
        await self._history.insert_one(document, session=session)

    async def history(self, tenant: str, learner: str) -> list[HistoryEntry]:
        """Every event of this learner, oldest first."""
        found = await self._history.find({"tenant": tenant, "learner": learner}).sort("_id", ASCENDING).to_list(None)
        sealed = [Sealed(bytes(d["sealed"]["data"]), d["sealed"]["key"]) for d in found if "sealed" in d]
        opened = iter(await self._sealer.open(sealed))
        return [_entry(d, orjson.loads(next(opened)) if "sealed" in d else d.get("details", {})) for d in found]

    async def forget(self, tenant: str, learner: str, at: datetime, session: Session) -> dict[str, int]:
        """Mark the learner erased, delete the decisions, their history and the guardians; documents removed, by
        collection.
        """
        before = await self.find(tenant, learner, session)
        await self.put(tenant, learner, forget(before), at, session)
        removed = await self._history.delete_many({"tenant": tenant, "learner": learner}, session=session)
        links = await self._guardians.delete_many({"tenant": tenant, "learner": learner}, session=session)
        return {
            CONSENTS.name: int(bool(before.decisions)),
            HISTORY.name: removed.deleted_count,
            GUARDIANS.name: links.deleted_count,
        }

    async def erased_among(self, tenant: str, learners: Iterable[str], session: Session | None = None) -> set[str]:
        """Those of the learners who are marked erased."""
        wanted: Document = {"_id": {"$in": [_id(tenant, one) for one in learners]}, "erased": True}
        return {d["learner"] for d in await self._consents.find(wanted, {"learner": 1}, session=session).to_list(None)}

    async def remove(self, tenant: str, learner: str, session: Session) -> None:
        """Let go of the mark that the learner is erased: without the key nothing brings the learner back."""
        await self._consents.delete_one({"_id": _id(tenant, learner), "erased": True}, session=session)

    async def acknowledge(self, tenant: str, versions: Iterable[tuple[str, str, int]], session: Session) -> None:
        """Note that services hold versions: (learner, service, version). Of learners unknown here nothing is noted."""
        changes = [
            UpdateOne({"_id": _id(tenant, learner)}, {"$max": {f"acknowledged.{service}": version}})
            for learner, service, version in versions
        ]
        if changes:
            await self._consents.bulk_write(changes, ordered=False, session=session)

    async def settle(self, tenant: str, learners: Iterable[str], at: datetime, session: Session) -> None:
        """Publish, for those to whom everybody allows something again, that it is to be built anew."""
        ids = [_id(tenant, learner) for learner in learners]
        waiting = {"_id": {"$in": ids}, "resumed.0": {"$exists": True}}
        for document in await self._consents.find(waiting, session=session).to_list(None):
            before = dossier_of(document)
            after = settled(before)
            if after is not before:
                await self.put(tenant, document["learner"], after, at, session)


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
        objections={name: Objection(**one) for name, one in document.get("objections", {}).items()},
        resumed=frozenset(document.get("resumed", ())),
        rebuild=document.get("rebuild", {}),
        holds=frozenset(document.get("holds", ())),
    )


def _objection(objection: Objection) -> Document:
    return {"since": objection.since, "outcome": objection.outcome, "decided_at": objection.decided_at}


def _entry(document: Document, details: Mapping[str, Any]) -> HistoryEntry:
    status = document["status"]
    return HistoryEntry(
        learner=document["learner"],
        purpose=document["purpose"],
        status=ConsentStatus(status) if status else None,
        basis=Basis(document["basis"]),
        policy_version=document["policy_version"],
        version=document["version"],
        at=document["at"],
        by=document["by"],
        details=details,
        event=document.get("event", "decision"),
        notice=Notice.model_validate(document.get("notice", {})),
        outcome=document.get("outcome"),
        id=document["_id"],
    )
