"""Requests in MongoDB. They stay, with their receipts, as the proof of what was done.

A learner has at most one unfinished request of a kind about the same thing (`about`, a digest); `idempotency` is a
digest of who asked under which Idempotency-Key, `asker` one of the guardian who asked. Whom it is about and every text
lie sealed under the learner's own key (`sealed`). `learner` stands there in the clear while the services have to be
told, and goes when an erasure is done; then `subject`, a digest of the request's and the learner's random ids, is left:
whoever holds the learner_id can show that the request was theirs.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import orjson
from events.sealing import KeyGone, Owner, Sealed, Sealer
from events.tracing import current_traceparent
from service_kit.mongo import ASCENDING, DESCENDING, Collection, CollectionSpec, Database, Document, Index, Session
from service_kit.outbox import OUTBOX_INDEX, flag

from privacy.requests.progress import CARRIERS_OF, OPEN, Carried, DataRequest, Kind, Recipient, Status

REQUESTS: Final = CollectionSpec(
    "requests",
    "source",
    (
        Index((("tenant", ASCENDING), ("_id", DESCENDING))),
        Index((("tenant", ASCENDING), ("status", ASCENDING), ("_id", DESCENDING))),
        Index(
            (("tenant", ASCENDING), ("learner", ASCENDING), ("type", ASCENDING), ("about", ASCENDING)),
            unique=True,
            where={"unfinished": True},
        ),
        Index((("tenant", ASCENDING), ("learner", ASCENDING), ("_id", ASCENDING))),
        Index(
            (("tenant", ASCENDING), ("idempotency", ASCENDING)),
            unique=True,
            where={"idempotency": {"$exists": True}},
        ),
        Index((("type", ASCENDING), ("send_again_at", ASCENDING)), where={"unfinished": True}),
        Index((("certify", ASCENDING),), where={"certify": {"$exists": True}}),
        OUTBOX_INDEX,
    ),
)
MOST_ESCALATED: Final = 100


class Requests:
    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._requests: Collection = db[REQUESTS.name]
        self._sealer = sealer

    async def find(self, tenant: str, request_id: str, session: Session | None = None) -> DataRequest | None:
        return await self._or_none(
            await self._requests.find_one({"_id": request_id, "tenant": tenant}, session=session)
        )

    async def repeated(self, tenant: str, idempotency: str, session: Session) -> DataRequest | None:
        """The request made under this Idempotency-Key."""
        return await self._or_none(
            await self._requests.find_one({"tenant": tenant, "idempotency": idempotency}, session=session)
        )

    async def unfinished(self, tenant: str, learner: str, session: Session | None = None) -> list[DataRequest]:
        """The learner's pending and running requests."""
        query = {"tenant": tenant, "learner": learner, "unfinished": True}
        return await self._opened(await self._requests.find(query, session=session).to_list(None))

    async def open_erasure(self, tenant: str, learner: str, session: Session) -> DataRequest | None:
        """The learner's pending or running erasure."""
        found = await self.unfinished(tenant, learner, session)
        return next((request for request in found if request.type == "erasure"), None)

    async def of_learner(self, tenant: str, learner: str, session: Session | None = None) -> list[DataRequest]:
        """All of a learner's, oldest first."""
        found = self._requests.find({"tenant": tenant, "learner": learner}, session=session).sort("_id", ASCENDING)
        return await self._opened(await found.to_list(None))

    async def page(self, tenant: str, status: Status | None, after: str | None, limit: int) -> list[DataRequest]:
        """The newest first, from after that id on."""
        query: Document = {"tenant": tenant}
        if status is not None:
            query["status"] = status.value
        if after is not None:
            query["_id"] = {"$lt": after}
        return await self._opened(await self._requests.find(query).sort("_id", DESCENDING).limit(limit).to_list(None))

    async def is_about(self, tenant: str, request_id: str, learner: str | None) -> bool:
        """Whether the request is that learner's, also when nothing else of the learner is left."""
        if learner is None:
            return False
        query = {"_id": request_id, "tenant": tenant, "subject": subject_digest(request_id, learner)}
        return await self._requests.find_one(query, {"_id": 1}) is not None

    async def is_asker(self, tenant: str, request_id: str, asker: str) -> bool:
        """Whether a guardian with this pseudonym has made the request."""
        query = {"_id": request_id, "tenant": tenant, "asker": subject_digest(request_id, asker)}
        return await self._requests.find_one(query, {"_id": 1}) is not None

    async def add(
        self,
        tenant: str,
        request: DataRequest,
        idempotency: str | None,
        session: Session,
        *,
        asker: str | None = None,
    ) -> None:
        document = {
            "_id": request.id,
            "tenant": tenant,
            **_changing(request),
            "sealed": await self._sealed(tenant, request),
        }
        document |= {
            "type": request.type,
            "learner": request.learner,
            "about": subject_digest(request.about, request.learner),
            "subject": subject_digest(request.id, request.learner),
            "requested_by": request.requested_by,
            "requested_at": request.requested_at,
            "pack": request.pack,
            "clauses": list(request.clauses),
        }
        if idempotency is not None:
            document["idempotency"] = idempotency
        if asker is not None:
            document["asker"] = subject_digest(request.id, asker)
        await self._requests.insert_one(document, session=session)

    async def put(
        self,
        tenant: str,
        request: DataRequest,
        session: Session,
        *,
        send: bool = False,
        texts: bool = False,
        certify: bool = False,
    ) -> None:
        """Store what has changed; `send` flags it for `privacy.requests.v1`, `certify` for a certificate or notice.

        `texts`: the texts too. An erasure that is done lets go of the learner's id.
        """
        values = _changing(request)
        if send:
            values |= {"outbox": flag(request.learner), "traceparent": current_traceparent()}
        if texts:
            values["sealed"] = await self._sealed(tenant, request)
        if certify:
            values["certify"] = str(uuid4())
        change: Document = {"$set": values}
        if request.type == "erasure" and request.status is Status.completed:
            change["$unset"] = {"learner": ""}
        await self._requests.update_one({"_id": request.id, "tenant": tenant}, change, session=session)

    async def forget(self, tenant: str, learner: str, but: str, session: Session) -> list[str]:
        """Let go of the learner's id in all other requests, and end those that are open; their ids."""
        mine = {"tenant": tenant, "learner": learner}
        found = await self._requests.find(mine, {"_id": 1}, session=session).to_list(None)
        others = {"_id": {"$in": [d["_id"] for d in found if d["_id"] != but]}}
        ended = {"$set": {"status": Status.overtaken.value, "unfinished": False, "send_again_at": None}}
        await self._requests.update_many(others | {"unfinished": True}, ended, session=session)
        await self._requests.update_many(
            others, {"$unset": {"learner": "", "idempotency": "", "about": ""}}, session=session
        )
        return [d["_id"] for d in found]

    async def due(self, now: datetime, kinds: Sequence[str], limit: int) -> list[tuple[str, DataRequest]]:
        """Requests of all tenants whose time has come: (tenant, request)."""
        query = {"unfinished": True, "type": {"$in": list(kinds)}, "send_again_at": {"$lte": now}}
        found = await self._requests.find(query).limit(limit).to_list(None)
        return list(zip((d["tenant"] for d in found), await self._opened(found), strict=True))

    async def escalate_waiting(self, until: datetime, now: datetime) -> list[tuple[str, datetime]]:
        """Note of requests that wait for an officer, and whose deadline is before `until`, that they are escalated.

        Their ids and deadlines, each once. While the learner has to show who they are the time does not count.
        """
        query = {"unfinished": True, "type": {"$in": sorted(CARRIERS_OF)}, "status": Status.pending.value}
        waiting = query | {"due_at": {"$lte": until}, "escalated_at": None, "identity": {"$ne": "asked"}}
        found = await self._requests.find(waiting, {"due_at": 1}).limit(MOST_ESCALATED).to_list(None)
        noted: list[tuple[str, datetime]] = []
        for document in found:
            where = {"_id": document["_id"], "status": Status.pending.value, "escalated_at": None}
            changed = await self._requests.update_one(where, {"$set": {"escalated_at": now}})
            if changed.modified_count:
                noted.append((document["_id"], document["due_at"]))
        return noted

    async def resend(self, tenant: str, was: DataRequest, now: DataRequest, *, send: bool = True) -> bool:
        """Store (and flag it), unless someone else has done so since; whether it was done."""
        values = {key: value for key, value in _changing(now).items() if key != "receipts"}
        if now.status is Status.running and send:
            values["outbox"] = flag(now.learner)
        result = await self._requests.update_one(
            {
                "_id": was.id,
                "tenant": tenant,
                "status": "running",
                "send_again_at": was.send_again_at,
                "sent": was.sent,
            },
            {"$set": values},
        )
        return result.modified_count == 1

    async def awaiting(self, tenant: str, learners: Sequence[str], session: Session) -> list[DataRequest]:
        """Requests of these learners that are carried out as their standing, and lack a service's word."""
        query = {"tenant": tenant, "learner": {"$in": list(learners)}, "unfinished": True}
        found = await self._requests.find({**query, "version": {"$gt": 0}}, session=session).to_list(None)
        return await self._opened(found)

    async def to_certify(self, limit: int) -> list[tuple[str, DataRequest, str, str]]:
        """Requests of which something is to be signed: (tenant, request, subject, mark)."""
        found = await self._requests.find({"certify": {"$exists": True}}).limit(limit).to_list(None)
        requests = await self._opened(found)
        return [(d["tenant"], r, d["subject"], d["certify"]) for d, r in zip(found, requests, strict=True)]

    async def certified(self, tenant: str, request_id: str, mark: str, session: Session) -> bool:
        """Whether the mark is still the one that was read, and is gone now."""
        where = {"_id": request_id, "tenant": tenant, "certify": mark}
        done = await self._requests.update_one(where, {"$unset": {"certify": ""}}, session=session)
        return done.modified_count == 1

    async def key_destroyed(self, tenant: str, request_id: str, at: datetime, session: Session) -> bool:
        """Note since when nobody can read what an erasure left, and have it signed; False: no such erasure is done."""
        where = {"_id": request_id, "tenant": tenant, "type": "erasure", "status": Status.completed.value}
        change = {"$set": {"key_destroyed_at": at, "certify": str(uuid4())}}
        return (await self._requests.update_one(where, change, session=session)).matched_count == 1

    async def count_unfinished(self, tenant: str, kind: Kind) -> int:
        return await self._requests.count_documents({"tenant": tenant, "type": kind, "unfinished": True})

    async def sum_of(self, tenant: str, requested_by: str) -> tuple[dict[str, dict[str, int]], int, int]:
        """Of erasures asked for so: documents removed by service and collection; how many are done, and not."""
        counts: dict[str, dict[str, int]] = {}
        done = failed = 0
        query = {"tenant": tenant, "requested_by": requested_by, "type": "erasure"}
        async for document in self._requests.find(query, {"receipts": 1, "status": 1}):
            done += document["status"] == Status.completed.value
            failed += document["status"] != Status.completed.value
            for receipt in document["receipts"]:
                own = counts.setdefault(receipt["service"], {})
                for name, number in receipt["counts"].items():
                    own[name] = own.get(name, 0) + number
        return counts, done, failed

    async def count_escalated(self) -> int:
        query = {"unfinished": True, "type": {"$in": sorted(CARRIERS_OF)}, "escalated_at": {"$ne": None}}
        return await self._requests.count_documents(query)

    async def _sealed(self, tenant: str, request: DataRequest) -> Document:
        texts = {
            "learner": request.learner,
            "details": dict(request.details),
            "reason": request.reason,
            "extension_reason": request.extension_reason,
        }
        (sealed,) = await self._sealer.seal([(Owner(tenant, request.learner), orjson.dumps(texts))])
        return {"data": sealed.data, "key": sealed.key}

    async def _or_none(self, document: Document | None) -> DataRequest | None:
        return (await self._opened([document]))[0] if document else None

    async def _opened(self, documents: Sequence[Document]) -> list[DataRequest]:
        sealed = [Sealed(bytes(d["sealed"]["data"]), d["sealed"]["key"]) for d in documents]
        try:
            texts = [orjson.loads(data) for data in await self._sealer.open(sealed)]
        except KeyGone:
            texts = [await self._one(each) for each in sealed]
        return [request_of(d, text) for d, text in zip(documents, texts, strict=True)]

    async def _one(self, sealed: Sealed) -> dict[str, Any]:
        """The texts, or none where the learner's key is destroyed."""
        try:
            texts: dict[str, Any] = orjson.loads((await self._sealer.open([sealed]))[0])
        except KeyGone:
            return {}
        return texts


def subject_digest(request_id: str, learner: str) -> str:
    """Of two random ids, so that neither can be guessed from it."""
    return hashlib.sha256(f"{request_id}\n{learner}".encode()).hexdigest()


def _changing(request: DataRequest) -> dict[str, Any]:
    return {
        "status": request.status.value,
        "unfinished": request.status in OPEN,
        "completed_at": request.completed_at,
        "receipts": [
            {"service": service, "counts": dict(carried.counts), "completed_at": carried.completed_at}
            for service, carried in request.receipts.items()
        ],
        "started_at": request.started_at,
        "sent": request.sent,
        "send_again_at": request.send_again_at,
        "due_at": request.due_at,
        "ground": request.ground,
        "extended_at": request.extended_at,
        "identity": request.identity,
        "identity_asked_at": request.identity_asked_at,
        "version": request.version,
        "escalated_at": request.escalated_at,
        "key_destroyed_at": request.key_destroyed_at,
        "recipients": [
            {"name": r.name, "purpose": r.purpose, "outcome": r.outcome, "statements": r.statements, "reason": r.reason}
            for r in request.recipients
        ],
        "returning_refused_until": request.returning_refused_until,
    }


def request_of(document: Document, texts: Mapping[str, Any]) -> DataRequest:
    receipts: Sequence[Document] = document["receipts"]
    return DataRequest(
        id=document["_id"],
        type=document["type"],
        learner=texts.get("learner", document.get("learner", "")),
        status=Status(document["status"]),
        requested_by=document["requested_by"],
        requested_at=document["requested_at"],
        completed_at=document["completed_at"],
        reason=texts.get("reason"),
        receipts={r["service"]: Carried(r["counts"], r["completed_at"]) for r in receipts},
        started_at=document["started_at"],
        sent=document["sent"],
        send_again_at=document["send_again_at"],
        due_at=document["due_at"],
        pack=document["pack"],
        clauses=tuple(document["clauses"]),
        ground=document["ground"],
        extended_at=document["extended_at"],
        extension_reason=texts.get("extension_reason"),
        identity=document["identity"],
        identity_asked_at=document["identity_asked_at"],
        details=texts.get("details", {}),
        version=document["version"],
        escalated_at=document["escalated_at"],
        key_destroyed_at=document["key_destroyed_at"],
        recipients=tuple(Recipient(**r) for r in document["recipients"]),
        returning_refused_until=document["returning_refused_until"],
    )
