"""Statements in: who is meant, who allows it, what is new, what is there already."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from events.payloads import Policy
from events.sealing import Owner
from events.tracing import current_traceparent
from service_kit import metrics
from service_kit.consent import ConsentView, Standing
from service_kit.mongo import Document, MongoAway
from service_kit.problems import Conflict, Forbidden, TooLarge
from uuid_utils.compat import uuid7
from xapi import AgentRole, Named, Parsed, Version, agents_of, canonical_ifi, complete, difference, loads
from xapi.parsing import JsonObject

from ingest.activities.learning import Learning
from ingest.attachments.repository import Attachments, sha2s_of
from ingest.attachments.signatures import signatures_of
from ingest.credentials.authority import authority_of
from ingest.credentials.repository import Credential
from ingest.erasure.late import LateWrites
from ingest.erasure.rewriting import as_kept, may_be_rewritten
from ingest.gathering import NotBegun
from ingest.identities.repository import Identity
from ingest.identities.resolving import Resolver
from ingest.identities.returning import REFUSED
from ingest.sharing import MOST_OWNERS
from ingest.statements.indexing import VOUCHED, document, key_of, token
from ingest.statements.repository import IdTaken, StatementRepository
from ingest.statements.sealing import NOBODY, Body, is_person, others_in
from ingest.statements.stamps import Stamps, rendered
from ingest.statements.standings import GatheredStandings

_GIVE_UP_SECONDS: Final = 15.0
Blobs = Mapping[int, Document]
"""What the documents of statements with attachments' data say of it, by the statement's index."""


@dataclass(slots=True)
class Received:
    """A valid statement at its place in the request. Not frozen: that would double what making it costs."""

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


@dataclass(frozen=True, slots=True)
class Request:
    """What holds for all statements of a request."""

    credential: Credential
    version: Version
    authority: JsonObject
    provenance: bool
    imported_from: str | None = None

    @property
    def tenant(self) -> str:
        return self.credential.tenant

    @property
    def authority_ifi(self) -> str:
        return str(canonical_ifi(self.authority))


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
        self._standings = GatheredStandings(consents)
        self._late = LateWrites(identities, consents)
        self._stamps = stamps
        self._learning = learning
        self._stored = metrics.counter(metrics.STATEMENTS_STORED)
        self._not_recorded = metrics.counter(metrics.STATEMENTS_NOT_RECORDED)

    async def record(
        self,
        credential: Credential,
        version: Version,
        batch: Sequence[Parsed],
        *,
        is_array: bool,
        provenance: bool = False,
        attachments: Attachments | None = None,
        imported_from: str | None = None,
    ) -> Recorded:
        """Return when what is new is durable. Raises `Conflict`, `Forbidden`, `PolicyUnknown`, `MongoAway`.

        With `provenance` (imports alone) what the statements carry as `stored` and `authority` is kept beside them;
        `imported_from` is the issuer of the record with which they came.
        """
        request = Request(credential, version, authority_of(credential), provenance, imported_from)
        credential.check_statements(batch, is_array=is_array)
        received = [Received.of(i, f"/{i}" if is_array else "", parsed) for i, parsed in enumerate(batch)]
        begun = time.monotonic()
        identities, standings = await self._who(request, received)
        refused = {ifi for ifi, identity in identities.items() if identity.learner == REFUSED}
        allowed = [
            one
            for one in received
            if _may_be_recorded(one, identities, standings)
            and (not refused or refused.isdisjoint(_everyone(request, one)))
        ]
        dropped = len(received) - len(allowed)
        if dropped:
            _refuse_if_asked(received, allowed, next(iter(standings.values())).policy)
            self._not_recorded.add(dropped)
        if allowed:
            blobs = await _kept(attachments, request.tenant, allowed, identities)
            new = await self._store(request, allowed, identities, blobs)
            if self._late.is_late(begun):
                await self._look_again(request, allowed, identities, new)
            self._stored.add(len(new))
            if self._learning is not None:
                await self._learning.learn(credential, [one.named for one in allowed], identities)
        return Recorded([one.statement_id for one in received], dropped)

    async def _who(
        self, request: Request, received: Sequence[Received]
    ) -> tuple[Mapping[str, Identity], Mapping[str, Standing]]:
        """Identities of everyone named, and the standing of each.

        Where the view says erased, the cached identity may be that of the forgotten: read again, once. One that stays
        is being erased right now, and counts as not allowing anything.
        """
        ifis = frozenset().union(*(one.named.related_agents for one in received), [request.authority_ifi])
        if request.provenance:
            ifis = ifis.union(*(_vouching(one.raw) for one in received))
        subjects = {ifi for one in received for ifi in one.named.learners}
        for fresh in (False, True):
            identities, _ = await self._identities.resolve(request.tenant, ifis, subjects=subjects, fresh=fresh)
            standings = await self._standings.of(request.tenant, {i.learner for i in identities.values()})
            if not any(standing.erased for standing in standings.values()):
                break
        return identities, standings

    async def _store(
        self, request: Request, received: Sequence[Received], identities: Mapping[str, Identity], blobs: Blobs
    ) -> list[str]:
        """The `_id`s of what is new."""
        await self._stamps.ready()
        with self._stamps.reserve(len(received)) as stamps:
            documents = await self._documents(request, received, identities, stamps)
            for one, fields in zip(received, documents, strict=True):
                fields |= blobs.get(one.index, {})
            return await self._add(request.tenant, received, documents)

    async def _look_again(
        self, request: Request, received: Sequence[Received], identities: Mapping[str, Identity], new: Sequence[str]
    ) -> None:
        """Take back what names somebody who was forgotten meanwhile. Raises `NotBegun`."""
        named = {ifi: identities[ifi] for one in received for ifi in _everyone(request, one)}
        if await self._late.names_the_gone(request.tenant, named):
            await self._statements.take_back(new)
            raise NotBegun("a learner was forgotten meanwhile")

    async def _documents(
        self, request: Request, received: Sequence[Received], identities: Mapping[str, Identity], stamps: range
    ) -> list[Document]:
        tenant, traceparent, vouching = request.tenant, current_traceparent(), request.authority_ifi
        alone = not is_person(vouching, identities[vouching])
        documents: list[Document] = []
        bodies: list[Body] = []
        for one, stored in zip(received, stamps, strict=True):
            statement = complete(
                one.raw,
                statement_id=one.statement_id,
                stored=rendered(stored),
                authority=request.authority,
                version=request.version,
            )
            fields = document(tenant, one.statement_id, one.named, vouching, stored, identities)
            fields["authority"] = request.credential.key
            if traceparent:
                fields["traceparent"] = traceparent
            if request.imported_from is not None:
                fields["imported_from"] = request.imported_from
            documents.append(fields)
            learner, named = fields["learners"][0], one.named.related_agents
            others = NOBODY if alone and len(named) == 1 else others_in(identities, (*named, vouching), learner)
            bodies.append((Owner(tenant, learner), statement, others))
        for fields, sealed in zip(documents, await self._statements.sealed(bodies), strict=True):
            fields.update(sealed)
        if request.provenance:
            await self._keep_provenance(tenant, received, documents, identities)
        return documents

    async def _keep_provenance(
        self,
        tenant: str,
        received: Sequence[Received],
        documents: Sequence[Document],
        identities: Mapping[str, Identity],
    ) -> None:
        bodies: list[Body] = []
        for fields, one in zip(documents, received, strict=True):
            origin: JsonObject = {name: one.raw[name] for name in ("stored", "authority") if name in one.raw}
            learner = fields["learners"][0]
            bodies.append((Owner(tenant, learner), origin, others_in(identities, _vouching(one.raw), learner)))
        sealed = await self._statements.sealed(bodies)
        for fields, provenance, (_, origin, _) in zip(documents, sealed, bodies, strict=True):
            if origin:
                fields["provenance"] = provenance
        for fields, each in zip(documents, received, strict=True):
            agents = {identities[ifi].agent for ifi in _vouching(each.raw)}
            fields["keys"] += [token(VOUCHED, agent) for agent in sorted(agents)]

    async def _add(self, tenant: str, received: Sequence[Received], documents: Sequence[Document]) -> list[str]:
        """Insert what is not there yet; the `_id`s of that. Raises `Conflict`.

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
                return [d["_id"] for d in missing]
        return []

    async def _repeated(self, tenant: str, received: Sequence[Received], found: Sequence[Document]) -> set[str]:
        """Those of the stored statements that were received again. Raises `Conflict` where one differs."""
        stored = {document["_id"]: data for document, data in await self._statements.readable(found)}
        if len(stored) < len(found):
            raise NotBegun("an id is taken by a statement whose learner is being forgotten")
        errors = []
        for one in received:
            if (held := stored.get(key_of(tenant, one.statement_id))) is None:
                continue
            kept = loads(held)
            raw = as_kept(one.raw, kept) if may_be_rewritten(held) else one.raw
            if (pointer := difference(kept, raw)) is not None:
                detail = "differs from the stored statement"
                errors.append({"pointer": f"{one.place}{pointer}", "index": one.index, "detail": detail})
        if errors:
            raise Conflict(
                f"Another statement with the same id is stored; it differs at {errors[0]['pointer']}", errors=errors
            )
        return set(stored)


async def _kept(
    attachments: Attachments | None, tenant: str, received: Sequence[Received], identities: Mapping[str, Identity]
) -> Blobs:
    """The attachments' data comes before the statements: without a statement it is swept, a statement needs it.

    It is kept, and forgotten, as the statement's bytes are: under the first learner that the statement is about, a
    signature under everyone whom it names.
    """
    if attachments is None:
        return {}
    blobs: dict[int, Document] = {}
    for one in received:
        signatures = signatures_of(one.raw)
        named = one.named.related_agents if signatures else frozenset[str]()
        if len(named) > MOST_OWNERS:
            raise TooLarge(f"A signed statement names {len(named)} agents, and may name {MOST_OWNERS}")
        learners = [identities[ifi].learner for ifi in (one.named.learners[0], *sorted(named))]
        if keys := await attachments.keep(tenant, learners, sha2s_of(one.raw), signatures):
            blobs[one.index] = {"blobs": keys}
    return blobs


def _vouching(raw: JsonObject) -> set[str]:
    """Who vouched for a statement where it came from; most often that LRS's own account for the LMS."""
    return {use.ifi for use in agents_of(raw) if use.role is AgentRole.AUTHORITY and use.ifi is not None}


def _everyone(request: Request, one: Received) -> set[str]:
    """Whom a stored statement would name: nothing that names someone who is not to come back is stored."""
    return {*one.named.related_agents, request.authority_ifi, *(_vouching(one.raw) if request.provenance else ())}


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
