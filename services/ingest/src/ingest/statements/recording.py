"""Statements in: who is meant, who allows it, what is new, what is there already."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from events.payloads import Policy
from events.sealing import Owner
from events.tracing import current_traceparent
from service_kit import metrics
from service_kit.consent import ConsentView, Standing
from service_kit.mongo import Document, MongoAway
from service_kit.problems import Conflict, Forbidden
from uuid_utils.compat import uuid7
from xapi import Parsed, Version, canonical_ifi, complete, difference
from xapi.parsing import JsonObject

from ingest.activities.learning import Learning
from ingest.credentials.repository import Credential
from ingest.identities.repository import Identity
from ingest.identities.resolving import Resolver
from ingest.statements.indexing import Named, document, key_of
from ingest.statements.repository import IdTaken, StatementRepository
from ingest.statements.stamps import Stamps, from_micros

AUTHORITY_HOME_PAGE: Final = "https://trellis.invalid/credentials"
_GIVE_UP_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Received:
    """A valid statement at its place in the request."""

    index: int
    place: str
    statement_id: str
    raw: JsonObject
    named: Named

    @classmethod
    def of(cls, index: int, place: str, parsed: Parsed) -> "Received":
        return cls(index, place, parsed.raw.get("id") or str(uuid7()), parsed.raw, Named.in_statement(parsed.raw))


@dataclass(frozen=True, slots=True)
class Recorded:
    """The ids in the order of the request, and how many of them were left out since a learner does not allow it."""

    ids: list[str]
    not_recorded: int


class Recorder:
    """Records batches; each wholly or not at all."""

    def __init__(
        self,
        statements: StatementRepository,
        identities: Resolver,
        consents: ConsentView,
        stamps: Stamps,
        learning: Learning | None = None,
    ) -> None:
        self._statements = statements
        self._identities = identities
        self._consents = consents
        self._stamps = stamps
        self._learning = learning
        self._stored = metrics.counter(metrics.STATEMENTS_STORED)
        self._not_recorded = metrics.counter(metrics.STATEMENTS_NOT_RECORDED)

    async def record(
        self, credential: Credential, version: Version, batch: Sequence[Parsed], *, is_array: bool
    ) -> Recorded:
        """Return when what is new is durable. Raises `Conflict`, `Forbidden`, `PolicyUnknown`."""
        received = [Received.of(i, f"/{i}" if is_array else "", parsed) for i, parsed in enumerate(batch)]
        authority = authority_of(credential)
        identities, standings = await self._who(credential.tenant, received, authority)
        allowed = [one for one in received if _may_be_recorded(one, identities, standings)]
        dropped = len(received) - len(allowed)
        if dropped:
            _refuse_if_asked(received, allowed, next(iter(standings.values())).policy)
            self._not_recorded.add(dropped)
        if allowed:
            await self._store(credential, version, allowed, authority, identities)
            if self._learning is not None:
                await self._learning.learn(credential, [one.raw for one in allowed], identities)
        return Recorded([one.statement_id for one in received], dropped)

    async def _who(
        self, tenant: str, received: Sequence[Received], authority: JsonObject
    ) -> tuple[Mapping[str, Identity], Mapping[str, Standing]]:
        """Identities of everyone named, and the standing of each.

        Where the view says erased, the cached identity may be that of the forgotten: read again, once. One that stays
        is being erased right now, and counts as not allowing anything.
        """
        ifis = frozenset().union(*(one.named.all for one in received), [str(canonical_ifi(authority))])
        subjects = {ifi for one in received for ifi in one.named.learners}
        for fresh in (False, True):
            identities, _ = await self._identities.resolve(tenant, ifis, subjects=subjects, fresh=fresh)
            standings = await self._consents.standings(tenant, {i.learner for i in identities.values()})
            if not any(standing.erased for standing in standings.values()):
                break
        return identities, standings

    async def _store(
        self,
        credential: Credential,
        version: Version,
        received: Sequence[Received],
        authority: JsonObject,
        identities: Mapping[str, Identity],
    ) -> None:
        with self._stamps.reserve(len(received)) as stamps:
            documents = await self._documents(credential, version, received, authority, identities, stamps)
            new = await self._add(credential.tenant, received, documents)
        self._stored.add(new)

    async def _documents(
        self,
        credential: Credential,
        version: Version,
        received: Sequence[Received],
        authority: JsonObject,
        identities: Mapping[str, Identity],
        stamps: range,
    ) -> list[Document]:
        traceparent = current_traceparent()
        extra: Document = {"authority": credential.key} | ({"traceparent": traceparent} if traceparent else {})
        documents, bodies = [], []
        for one, stored in zip(received, stamps, strict=True):
            statement = complete(
                one.raw,
                statement_id=one.statement_id,
                stored=from_micros(stored),
                authority=authority,
                version=version,
            )
            fields = document(credential.tenant, statement, stored, identities)
            documents.append(fields | extra)
            bodies.append((Owner(credential.tenant, fields["learners"][0]), orjson.dumps(statement)))
        sealed = await self._statements.sealed(bodies)
        return [d | {"bytes": one.data, "key": one.key} for d, one in zip(documents, sealed, strict=True)]

    async def _add(self, tenant: str, received: Sequence[Received], documents: Sequence[Document]) -> int:
        """Insert what is not there yet; how many that were. Raises `Conflict`.

        No read comes before the first attempt. What another request has just inserted is compared as soon as it is
        durable: to answer "it is there" any sooner would be a promise that a crash could break.
        """
        until = time.monotonic() + _GIVE_UP_SECONDS
        missing, awaited = list(documents), set[str]()
        while missing:
            try:
                await self._statements.add(missing, awaited)
            except IdTaken:
                found = await self._statements.find([d["_id"] for d in documents])
                repeated = await self._repeated(tenant, received, [d for d in found if "stored" in d])
                awaited = {d["_id"] for d in found if "stored" not in d}
                missing = [d for d in documents if d["_id"] not in repeated]
                if time.monotonic() > until:
                    raise MongoAway("an id stays taken by a statement that cannot be read") from None
                await asyncio.sleep(0.002)
            else:
                return len(missing)
        return 0

    async def _repeated(self, tenant: str, received: Sequence[Received], found: Sequence[Document]) -> set[str]:
        """Those of the stored statements that were received again. Raises `Conflict` where one differs."""
        stored = dict(zip((d["_id"] for d in found), await self._statements.opened(found), strict=True))
        errors = []
        for one in received:
            if (held := stored.get(key_of(tenant, one.statement_id))) is None:
                continue
            if (pointer := difference(orjson.loads(held), one.raw)) is not None:
                detail = "differs from the stored statement"
                errors.append({"pointer": f"{one.place}{pointer}", "index": one.index, "detail": detail})
        if errors:
            raise Conflict(
                f"Another statement with the same id is stored; it differs at {errors[0]['pointer']}", errors=errors
            )
        return set(stored)


def authority_of(credential: Credential) -> JsonObject:
    """Who vouches for the statement (1.0.3 Data 2.4.9): the credential that sent it."""
    account = {"homePage": AUTHORITY_HOME_PAGE, "name": credential.key}
    return {"objectType": "Agent", "account": account}


def _may_be_recorded(one: Received, identities: Mapping[str, Identity], standings: Mapping[str, Standing]) -> bool:
    """A Group's statement is about each identified member: it needs the leave of all of them."""
    return all(standings[identities[ifi].learner].allows("record") for ifi in one.named.learners)


def _refuse_if_asked(received: Sequence[Received], allowed: Sequence[Received], policy: Policy) -> None:
    if policy.not_recorded != "refuse":
        return
    kept = {one.index for one in allowed}
    refused = [one for one in received if one.index not in kept]
    raise Forbidden(
        f"{len(refused)} statements are about learners who do not allow recording",
        errors=[
            {"pointer": one.place, "index": one.index, "detail": "the learner does not allow `record`"}
            for one in refused
        ],
    )
