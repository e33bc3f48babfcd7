"""Requests in MongoDB. They stay, with their receipts, as the proof of what was done.

A learner has at most one open request; `idempotency` is a digest of who asked under which Idempotency-Key.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from events.tracing import current_traceparent
from service_kit.mongo import ASCENDING, DESCENDING, Collection, CollectionSpec, Database, Document, Index, Session
from service_kit.outbox import OUTBOX_INDEX, flag

from privacy.requests.progress import OPEN, Carried, DataRequest, Status

REQUESTS: Final = CollectionSpec(
    "requests",
    "source",
    (
        Index((("tenant", ASCENDING), ("_id", DESCENDING))),
        Index((("tenant", ASCENDING), ("status", ASCENDING), ("_id", DESCENDING))),
        Index((("tenant", ASCENDING), ("learner", ASCENDING)), unique=True, where={"open": True}),
        Index(
            (("tenant", ASCENDING), ("idempotency", ASCENDING)),
            unique=True,
            where={"idempotency": {"$exists": True}},
        ),
        Index((("send_again_at", ASCENDING),), where={"open": True}),
        OUTBOX_INDEX,
    ),
)


class Requests:
    def __init__(self, db: Database) -> None:
        self._requests: Collection = db[REQUESTS.name]

    async def find(self, tenant: str, request_id: str, session: Session | None = None) -> DataRequest | None:
        return _or_none(await self._requests.find_one({"_id": request_id, "tenant": tenant}, session=session))

    async def repeated(self, tenant: str, idempotency: str, session: Session) -> DataRequest | None:
        """The request made under this Idempotency-Key."""
        return _or_none(await self._requests.find_one({"tenant": tenant, "idempotency": idempotency}, session=session))

    async def open_of(self, tenant: str, learner: str, session: Session) -> DataRequest | None:
        """The learner's pending or running request."""
        return _or_none(
            await self._requests.find_one({"tenant": tenant, "learner": learner, "open": True}, session=session)
        )

    async def page(self, tenant: str, status: Status | None, after: str | None, limit: int) -> list[DataRequest]:
        """The newest first, from after that id on."""
        query: Document = {"tenant": tenant}
        if status is not None:
            query["status"] = status.value
        if after is not None:
            query["_id"] = {"$lt": after}
        found = await self._requests.find(query).sort("_id", DESCENDING).limit(limit).to_list(None)
        return [request_of(document) for document in found]

    async def add(self, tenant: str, request: DataRequest, idempotency: str | None, session: Session) -> None:
        document = {"_id": request.id, "tenant": tenant, **_changing(request)}
        document |= {
            "type": request.type,
            "learner": request.learner,
            "requested_by": request.requested_by,
            "requested_at": request.requested_at,
        }
        if idempotency is not None:
            document["idempotency"] = idempotency
        await self._requests.insert_one(document, session=session)

    async def put(self, tenant: str, request: DataRequest, session: Session, *, send: bool = False) -> None:
        """Store what has changed; `send` flags it for `privacy.requests.v1`."""
        values = _changing(request)
        if send:
            values |= {"outbox": flag(request.learner), "traceparent": current_traceparent()}
        await self._requests.update_one({"_id": request.id, "tenant": tenant}, {"$set": values}, session=session)

    async def due(self, now: datetime, limit: int) -> list[tuple[str, DataRequest]]:
        """Requests of all tenants that are to be sent again: (tenant, request)."""
        found = await self._requests.find({"open": True, "send_again_at": {"$lte": now}}).limit(limit).to_list(None)
        return [(document["tenant"], request_of(document)) for document in found]

    async def resend(self, tenant: str, was: DataRequest, now: DataRequest) -> bool:
        """Store and flag it, unless someone else has done so since; whether it was done."""
        values = _changing(now)
        if now.status is Status.running:
            values["outbox"] = flag(now.learner)
        result = await self._requests.update_one(
            {
                "_id": was.id,
                "tenant": tenant,
                "status": "running",
                "send_again_at": was.send_again_at,
                "sent": was.sent,
            },
            {"$set": {k: v for k, v in values.items() if k != "receipts"}},
        )
        return result.modified_count == 1


def _changing(request: DataRequest) -> dict[str, Any]:
    return {
        "status": request.status.value,
        "open": request.status in OPEN,
        "completed_at": request.completed_at,
        "reason": request.reason,
        "receipts": [
            {"service": service, "counts": dict(carried.counts), "completed_at": carried.completed_at}
            for service, carried in request.receipts.items()
        ],
        "started_at": request.started_at,
        "sent": request.sent,
        "send_again_at": request.send_again_at,
    }


def _or_none(document: Document | None) -> DataRequest | None:
    return request_of(document) if document else None


def request_of(document: Document) -> DataRequest:
    receipts: Sequence[Document] = document["receipts"]
    return DataRequest(
        id=document["_id"],
        type=document["type"],
        learner=document["learner"],
        status=Status(document["status"]),
        requested_by=document["requested_by"],
        requested_at=document["requested_at"],
        completed_at=document["completed_at"],
        reason=document["reason"],
        receipts={r["service"]: Carried(r["counts"], r["completed_at"]) for r in receipts},
        started_at=document["started_at"],
        sent=document["sent"],
        send_again_at=document["send_again_at"],
    )
