"""MongoDB: rules, runs and their portions, legal holds, ends of courses.

- `retention_rules`: `{_id: rule, tenant, rule: {…}, next_run_at?}`; `retention_rule_versions` each that ever was,
  `{_id: "rule/version", tenant, rule: {…}, at}`, which nothing changes.
- `retention_runs`: `{_id, tenant, rule_id, rule: {…}, preview, status, open?, counts, kept, recipients, unsigned?, …}`;
  `open` while it runs, `unsigned` while its report is to be signed.
- `retention_portions`: `{_id: "run/number", run, tenant, order, stage, state, …, outbox?}`; they go when a run ends.
- `legal_holds`: `{_id, tenant, data, key, everyone, versions, count, …}`; released, it names no learner any more.
- `course_ends`: `{_id: tenant, items: [{activity, ended_on}]}`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Final
from uuid import uuid4

import orjson
from events.payloads import RetentionOrder, Selection
from events.sealing import Owner, Sealed, Sealer
from pydantic import TypeAdapter
from service_kit.mongo import (
    ASCENDING,
    DESCENDING,
    Collection,
    CollectionSpec,
    Database,
    Document,
    Index,
    Session,
)
from service_kit.outbox import OUTBOX_INDEX, flag

from privacy.requests.progress import Recipient
from privacy.retention.holds import Hold
from privacy.retention.rules import Rule, Totals
from privacy.retention.runs import Portion, PortionState, Run, RunStatus

RULES: Final = CollectionSpec(
    "retention_rules",
    "source",
    (
        Index((("tenant", ASCENDING), ("_id", ASCENDING))),
        Index((("next_run_at", ASCENDING),), where={"next_run_at": {"$exists": True}}),
    ),
)
RULE_VERSIONS: Final = CollectionSpec(
    "retention_rule_versions", "source", (Index((("tenant", ASCENDING), ("at", ASCENDING))),)
)
RUNS: Final = CollectionSpec(
    "retention_runs",
    "source",
    (
        Index((("tenant", ASCENDING), ("_id", DESCENDING))),
        Index((("tenant", ASCENDING), ("rule_id", ASCENDING), ("_id", DESCENDING))),
        Index((("rule_id", ASCENDING),), unique=True, where={"open": "run"}),
        Index((("open", ASCENDING), ("_id", ASCENDING)), where={"open": {"$exists": True}}),
        Index((("unsigned", ASCENDING),), where={"unsigned": {"$exists": True}}),
    ),
)
PORTIONS: Final = CollectionSpec(
    "retention_portions",
    "source",
    (
        Index((("run", ASCENDING), ("state", ASCENDING), ("_id", ASCENDING))),
        Index((("tenant", ASCENDING), ("state", ASCENDING), ("preview", ASCENDING))),
        Index((("send_again_at", ASCENDING),), where={"state": PortionState.open.value}),
        OUTBOX_INDEX,
    ),
)
HOLDS: Final = CollectionSpec(
    "legal_holds",
    "source",
    (
        Index((("tenant", ASCENDING), ("_id", DESCENDING))),
        Index((("tenant", ASCENDING), ("everyone", ASCENDING)), where={"in_force": True}),
    ),
)
COURSE_ENDS: Final = CollectionSpec("course_ends", "source")
COLLECTIONS: Final = (RULES, RULE_VERSIONS, RUNS, PORTIONS, HOLDS, COURSE_ENDS)
_RULES: Final = TypeAdapter(Rule)


class Rules:
    def __init__(self, db: Database) -> None:
        self._rules: Collection = db[RULES.name]
        self._versions: Collection = db[RULE_VERSIONS.name]

    async def find(self, tenant: str, rule: str, session: Session | None = None) -> tuple[Rule, datetime | None] | None:
        """A rule that has not ended, and when it runs next."""
        found = await self._rules.find_one({"_id": rule, "tenant": tenant}, session=session)
        return None if found is None else (_rule(found["rule"]), found.get("next_run_at"))

    async def page(self, tenant: str, after: str | None, limit: int) -> list[tuple[Rule, datetime | None]]:
        where: Document = {"tenant": tenant} | ({} if after is None else {"_id": {"$gt": after}})
        found = await self._rules.find(where).sort("_id", ASCENDING).limit(limit).to_list(None)
        return [(_rule(one["rule"]), one.get("next_run_at")) for one in found]

    async def put(self, tenant: str, rule: Rule, next_run_at: datetime | None, at: datetime, session: Session) -> None:
        """Store, and keep the version for good; an ended rule leaves the list."""
        dumped = _RULES.dump_python(rule, mode="json")
        version = {"_id": f"{rule.id}/{rule.version}", "tenant": tenant, "rule": dumped, "at": at}
        await self._versions.insert_one(version, session=session)
        if rule.ended_at is not None:
            await self._rules.delete_one({"_id": rule.id, "tenant": tenant}, session=session)
            return
        document: Document = {"tenant": tenant, "rule": dumped}
        if next_run_at is not None:
            document["next_run_at"] = next_run_at
        await self._rules.replace_one({"_id": rule.id}, document, upsert=True, session=session)

    async def versions(self, tenant: str, until: datetime | None = None) -> list[Rule]:
        """Each of the tenant's rules as it was at that time, ended ones too (None: as they are now)."""
        where: Document = {"tenant": tenant} | ({} if until is None else {"at": {"$lte": until}})
        found = await self._versions.find(where).sort("at", ASCENDING).to_list(None)
        rules = [_rule(one["rule"]) for one in found]
        return list({rule.id: rule for rule in sorted(rules, key=lambda one: one.version)}.values())

    async def due(self, now: datetime, limit: int) -> list[tuple[str, Rule, datetime]]:
        """Rules whose time has come: (tenant, rule, since when)."""
        found = await self._rules.find({"next_run_at": {"$lte": now}}).limit(limit).to_list(None)
        return [(one["tenant"], _rule(one["rule"]), one["next_run_at"]) for one in found]

    async def unschedule(self, rule: str, was: datetime) -> None:
        """It does not run by itself any more."""
        await self._rules.update_one({"_id": rule, "next_run_at": was}, {"$unset": {"next_run_at": ""}})

    async def reschedule(self, rule: str, was: datetime, then: datetime, session: Session) -> bool:
        """Whether nobody else has done so."""
        where = {"_id": rule, "next_run_at": was}
        done = await self._rules.update_one(where, {"$set": {"next_run_at": then}}, session=session)
        return done.matched_count == 1


class Runs:
    def __init__(self, db: Database) -> None:
        self._runs: Collection = db[RUNS.name]
        self._portions: Collection = db[PORTIONS.name]

    async def add(self, run: Run, orders: Sequence[RetentionOrder], session: Session) -> None:
        """Raises `DuplicateKeyError` where the rule runs already."""
        document = _run_document(run)
        document["rule"] = _RULES.dump_python(run.rule, mode="json")
        document |= {"rule_id": run.rule.id, "tenant": run.tenant, "preview": run.preview, "as_of": run.as_of}
        document["selection"] = run.selection.model_dump(mode="json") if run.selection else None
        document |= {"portions": run.portions, "clauses": list(run.clauses)}
        document |= {"started_by": run.started_by, "started_at": run.started_at}
        if run.status is not RunStatus.running and not run.preview:
            document["unsigned"] = str(uuid4())
        await self._runs.insert_one({"_id": run.id, **document}, session=session)
        portions = [Portion(run=run.id, tenant=run.tenant, order=order) for order in orders]
        if portions:
            documents = [{"_id": _portion_id(one.run, one.order.portion), **_portion_document(one)} for one in portions]
            await self._portions.insert_many(documents, session=session)

    async def find(self, tenant: str, run: str, session: Session | None = None) -> Run | None:
        found = await self._runs.find_one({"_id": run, "tenant": tenant}, session=session)
        return None if found is None else _run(found)

    async def open_of(self, tenant: str, rule: str, session: Session | None = None) -> Run | None:
        """The run of this rule that is under way, a preview not counted."""
        found = await self._runs.find_one({"rule_id": rule, "open": "run", "tenant": tenant}, session=session)
        return None if found is None else _run(found)

    async def page(self, tenant: str, rule: str | None, after: str | None, limit: int) -> list[Run]:
        """The newest first."""
        where: Document = {"tenant": tenant} | ({"rule_id": rule} if rule else {})
        where |= {} if after is None else {"_id": {"$lt": after}}
        return [_run(one) for one in await self._runs.find(where).sort("_id", DESCENDING).limit(limit).to_list(None)]

    async def under_way(self, after: str, limit: int) -> list[Run]:
        """Of all tenants, the oldest first."""
        where = {"open": {"$in": ["run", "preview"]}, "_id": {"$gt": after}}
        return [_run(one) for one in await self._runs.find(where).sort("_id", ASCENDING).limit(limit).to_list(None)]

    async def put(self, run: Run, session: Session | None = None) -> None:
        """Store what changes; the portions of one that has ended go."""
        change: Document = {"$set": _run_document(run)}
        if run.status is not RunStatus.running:
            change["$unset"] = {"open": ""}
            if not run.preview:
                change["$set"]["unsigned"] = str(uuid4())
            await self._portions.delete_many({"run": run.id}, session=session)
        await self._runs.update_one({"_id": run.id}, change, session=session)

    async def to_sign(self, limit: int) -> list[tuple[Run, str]]:
        """Of all tenants, those whose report is to be signed, each with its mark."""
        found = await self._runs.find({"unsigned": {"$exists": True}}).limit(limit).to_list(None)
        return [(_run(one), one["unsigned"]) for one in found]

    async def signed(self, run: str, mark: str, session: Session) -> bool:
        """Whether the mark is still the one that was read, and is gone now."""
        done = await self._runs.update_one(
            {"_id": run, "unsigned": mark}, {"$unset": {"unsigned": ""}}, session=session
        )
        return done.modified_count == 1

    async def escalate(self, run: str, at: datetime) -> bool:
        """Whether it was not before."""
        done = await self._runs.update_one({"_id": run, "escalated_at": None}, {"$set": {"escalated_at": at}})
        return done.modified_count == 1

    async def count_escalated(self) -> int:
        return await self._runs.count_documents({"open": {"$in": ["run", "preview"]}, "escalated_at": {"$ne": None}})

    # Portions

    async def portion(self, run: str, number: int, session: Session) -> Portion | None:
        found = await self._portions.find_one({"_id": _portion_id(run, number)}, session=session)
        return None if found is None else _portion(found)

    async def portions(self, run: str, state: PortionState, limit: int) -> list[Portion]:
        found = self._portions.find({"run": run, "state": state.value}).sort("_id", ASCENDING).limit(limit)
        return [_portion(one) for one in await found.to_list(None)]

    async def are_open(self, tenant: str) -> bool:
        """Whether services have portions of the tenant's runs, previews not counted."""
        where = {"tenant": tenant, "state": PortionState.open.value, "preview": False}
        return await self._portions.find_one(where, {"_id": 1}) is not None

    async def overdue(self, now: datetime, limit: int) -> list[Portion]:
        """Of all tenants, those whose receipts are missing for long."""
        where = {"state": PortionState.open.value, "send_again_at": {"$lte": now}}
        return [_portion(one) for one in await self._portions.find(where).limit(limit).to_list(None)]

    async def send(self, was: Portion, now: Portion) -> bool:
        """Store and flag it for `privacy.requests.v1`, unless someone else has done so since."""
        where = {"_id": _portion_id(was.run, was.order.portion), "state": was.state.value, "sent": was.sent}
        fields = _portion_document(now)
        del fields["answered"]  # a receipt may have come since it was read
        change = {"$set": fields | {"outbox": flag(was.run)}}
        return (await self._portions.update_one(where | {"stage": was.stage}, change)).modified_count == 1

    async def put_portion(self, portion: Portion, session: Session) -> None:
        where = {"_id": _portion_id(portion.run, portion.order.portion)}
        await self._portions.update_one(where, {"$set": _portion_document(portion)}, session=session)


class Holds:
    """Why something is held may name people: name and reason lie sealed under the tenant's own key."""

    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._holds: Collection = db[HOLDS.name]
        self._sealer = sealer

    async def find(self, tenant: str, hold: str, session: Session | None = None) -> Hold | None:
        found = await self._holds.find_one({"_id": hold, "tenant": tenant}, session=session)
        return None if found is None else (await self._opened([found]))[0]

    async def page(self, tenant: str, after: str | None, limit: int) -> list[Hold]:
        """The newest first."""
        where: Document = {"tenant": tenant} | ({} if after is None else {"_id": {"$lt": after}})
        return await self._opened(await self._holds.find(where).sort("_id", DESCENDING).limit(limit).to_list(None))

    async def put(self, tenant: str, hold: Hold, session: Session) -> None:
        released = hold.released_at is not None
        texts = orjson.dumps({"name": hold.name, "reason": hold.reason})
        (sealed,) = await self._sealer.seal([(Owner(tenant, ""), texts)])
        document = {
            "tenant": tenant,
            "data": sealed.data,
            "key": sealed.key,
            "everyone": hold.everyone,
            "versions": {} if released else dict(hold.versions),
            "count": hold.count,
            "set_at": hold.set_at,
            "released_at": hold.released_at,
            "in_force": not released,
        }
        await self._holds.replace_one({"_id": hold.id}, document, upsert=True, session=session)

    async def on_everyone(self, tenant: str, session: Session | None = None) -> bool:
        """Whether one on the whole tenant is in force."""
        where = {"tenant": tenant, "everyone": True, "in_force": True}
        return await self._holds.find_one(where, {"_id": 1}, session=session) is not None

    async def _opened(self, documents: Sequence[Document]) -> list[Hold]:
        opened = await self._sealer.open([Sealed(bytes(d["data"]), d["key"]) for d in documents])
        return [_hold(d, orjson.loads(texts)) for d, texts in zip(documents, opened, strict=True)]


class CourseEndings:
    def __init__(self, db: Database) -> None:
        self._ends: Collection = db[COURSE_ENDS.name]

    async def of(self, tenant: str, session: Session | None = None) -> dict[str, date]:
        """When each course of the tenant ended, by activity."""
        found = await self._ends.find_one({"_id": tenant}, session=session)
        items = found["items"] if found else []
        return {one["activity"]: date.fromisoformat(one["ended_on"]) for one in items}

    async def put(self, tenant: str, ends: Mapping[str, date]) -> None:
        items = [{"activity": activity, "ended_on": end.isoformat()} for activity, end in sorted(ends.items())]
        await self._ends.replace_one({"_id": tenant}, {"items": items}, upsert=True)


def order_of(document: Document) -> RetentionOrder:
    """As the services get it: for those whose turn it is."""
    portion = _portion(document)
    return portion.order.model_copy(update={"services": tuple(portion.asked)})


def _rule(stored: Document) -> Rule:
    return _RULES.validate_python(stored)


def _run_document(run: Run) -> Document:
    return {
        "status": run.status.value,
        "done": run.done,
        "counts": run.totals.counts,
        "kept": run.totals.kept,
        "recipients": [asdict(one) for one in run.recipients],
        "escalated_at": run.escalated_at,
        "completed_at": run.completed_at,
        **({"open": "preview" if run.preview else "run"} if run.status is RunStatus.running else {}),
    }


def _run(found: Document) -> Run:
    return Run(
        id=found["_id"],
        tenant=found["tenant"],
        rule=_rule(found["rule"]),
        preview=found["preview"],
        as_of=found["as_of"],
        selection=Selection.model_validate(found["selection"]) if found["selection"] else None,
        portions=found["portions"],
        started_by=found["started_by"],
        started_at=found["started_at"],
        clauses=tuple(found["clauses"]),
        status=RunStatus(found["status"]),
        done=found["done"],
        totals=Totals(found["counts"], found["kept"]),
        recipients=tuple(Recipient(**one) for one in found.get("recipients", ())),
        escalated_at=found["escalated_at"],
        completed_at=found["completed_at"],
    )


def _portion_id(run: str, number: int) -> str:
    return f"{run}/{number:04}"


def _portion_document(portion: Portion) -> Document:
    return {
        "run": portion.run,
        "tenant": portion.tenant,
        "preview": portion.order.preview,
        "order": portion.order.model_dump(mode="json"),
        "stage": portion.stage,
        "state": portion.state.value,
        "answered": sorted(portion.answered),
        "sent": portion.sent,
        "opened_at": portion.opened_at,
        "send_again_at": portion.send_again_at,
    }


def _portion(found: Document) -> Portion:
    return Portion(
        run=found["run"],
        tenant=found["tenant"],
        order=RetentionOrder.model_validate(found["order"]),
        stage=found["stage"],
        state=PortionState(found["state"]),
        answered=frozenset(found["answered"]),
        sent=found["sent"],
        opened_at=found["opened_at"],
        send_again_at=found["send_again_at"],
    )


def _hold(found: Document, texts: Mapping[str, str]) -> Hold:
    return Hold(
        id=found["_id"],
        name=texts["name"],
        reason=texts["reason"],
        set_at=found["set_at"],
        everyone=found["everyone"],
        versions=found["versions"],
        count=found["count"],
        released_at=found["released_at"],
    )
