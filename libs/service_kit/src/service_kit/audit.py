"""The audit, as every service writes it: who saw, changed, exported, erased or looked up what, about whom, on what
ground.

`record` puts an entry into the outbox `audit_entries` of the service's own database, in the caller's transaction where
there is one; the privacy service chains what arrives on `privacy.audit.v1`. An entry names learners only sealed, each
under the own key: with the key destroyed it still says what was done, and no longer about whom. The caller is a role
and a pseudonym of the token's `sub`.
"""

import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import orjson
from events import topics
from events.envelope import Outgoing
from events.payloads import AuditAction, Audited, AuditSubject
from events.sealing import KeyGone, Owner, Sealed, Sealer
from fastapi import Depends, Request
from opentelemetry import trace
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from service_kit.auth import Principal, Role
from service_kit.clock import Clock
from service_kit.mongo import CollectionSpec, Database, Document, Session
from service_kit.outbox import OUTBOX_INDEX, flag

ENTRIES: Final = CollectionSpec("audit_entries", "source", (OUTBOX_INDEX,))
COLLECTIONS: Final = (ENTRIES,)
SELF: Final = "self"  # the learner's own doings name nobody twice
REMEMBERED: Final = 10_000
PSEUDONYM_LENGTH: Final = 26

Action = AuditAction


@dataclass(frozen=True, slots=True)
class Who:
    """The caller. `subject` is the token's `sub` (a credential: its key, which is no secret); it is never stored."""

    roles: tuple[str, ...]
    subject: str
    learner: str | None = None

    @classmethod
    def of(cls, principal: Principal) -> "Who":
        return cls(tuple(sorted(principal.roles)), principal.subject, principal.learner_id)

    @classmethod
    def credential(cls, key: str) -> "Who":
        """A credential of xAPI."""
        return cls(("credential",), key)

    @classmethod
    def itself(cls, service: str) -> "Who":
        """The service, acting by itself."""
        return cls(("service",), service)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What is to be recorded. `learners` are learner_ids (none: it is about nobody, or about more than were counted);
    `what` names a kind of thing (`profile`, `consents/teach`), never a person; `ground` is a purpose of the policy or
    an article; `count` is how many things were concerned.
    """

    tenant: str
    who: Who
    action: Action
    what: str
    learners: tuple[str, ...] = ()
    ground: str = ""
    count: int | None = None


class Audit:
    """The one door into the audit."""

    def __init__(self, db: Database, sealer: Sealer, service: str, clock: Clock, key: SecretStr) -> None:
        self._entries = db[ENTRIES.name]
        self._sealer = sealer
        self._service = service
        self._clock = clock
        self._key = key.get_secret_value().encode()
        self._seen: OrderedDict[AuditEntry, int] = OrderedDict()

    async def record(self, entry: AuditEntry, session: Session | None = None) -> None:
        """Durable when it returns (with a session: when that commits)."""
        subjects = await self._sealed(entry)
        said = Audited(
            service=self._service,
            action=entry.action,
            what=entry.what,
            ground=entry.ground,
            roles=list(entry.who.roles),
            by=self._by(entry),
            subjects=subjects,
            count=entry.count,
            at=self._clock(),
            trace_id=_trace_id(),
        )
        document = {
            "_id": str(uuid7()),
            "tenant": entry.tenant,
            "entry": said.model_dump(mode="json"),
            "outbox": flag(entry.tenant),
        }
        await self._entries.insert_one(document, session=session)

    async def noticed(self, entry: AuditEntry) -> None:
        """`record`, but once a minute for the same caller, thing and learners: for reads that come again and again.

        Each process remembers for itself.
        """
        minute = int(self._clock().timestamp() // 60)
        if self._seen.get(entry) == minute:
            return
        await self.record(entry)
        self._seen[entry] = minute
        self._seen.move_to_end(entry)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    async def seen(self, principal: Principal, what: str, *learners: str, ground: str = "") -> None:
        """Someone reads about learners. What learners read about themselves is no entry: nobody else saw anything."""
        if principal.roles == {Role.learner} and learners == (principal.learner_id,):
            return
        await self.noticed(AuditEntry(principal.tenant, Who.of(principal), Action.saw, what, learners, ground))

    async def done(
        self,
        principal: Principal,
        action: Action,
        what: str,
        *learners: str,
        ground: str = "",
        count: int | None = None,
    ) -> None:
        """Someone changes, exports, erases or looks up; recorded each time."""
        await self.record(AuditEntry(principal.tenant, Who.of(principal), action, what, learners, ground, count))

    async def _sealed(self, entry: AuditEntry) -> list[AuditSubject]:
        """Each learner under the own key; one without a key any more has no name to record."""
        bodies = [(Owner(entry.tenant, learner), orjson.dumps({"learner": learner})) for learner in entry.learners]
        try:
            return [_subject(sealed) for sealed in await self._sealer.seal(bodies)]
        except KeyGone:
            return [one for body in bodies for one in await self._one(body)]

    async def _one(self, body: tuple[Owner, bytes]) -> list[AuditSubject]:
        try:
            return [_subject(sealed) for sealed in await self._sealer.seal([body])]
        except KeyGone:
            return [AuditSubject(key="destroyed", data="")]

    def _by(self, entry: AuditEntry) -> str:
        if entry.who.learner is not None and entry.learners == (entry.who.learner,):
            return SELF
        return self.pseudonym(entry.tenant, entry.who.subject)

    def pseudonym(self, tenant: str, subject: str) -> str:
        """Of a `sub`, the same in every service."""
        return pseudonym(self._key, tenant, subject)


def pseudonym(key: bytes, tenant: str, subject: str) -> str:
    """Of a `sub`; without the audit's key nobody gets from the one to the other."""
    digest = hmac.new(key, f"{tenant}\0{subject}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode().lower()[:PSEUDONYM_LENGTH]


def _subject(sealed: Sealed) -> AuditSubject:
    return AuditSubject(key=sealed.key, data=base64.b64encode(sealed.data).decode())


def _trace_id() -> str | None:
    span = trace.get_current_span().get_span_context()
    return f"{span.trace_id:032x}" if span.is_valid else None


def audit_of(request: Request) -> Audit:
    """A dependency: the audit that the app's lifespan has put on its state."""
    audit: Audit = request.app.state.audit
    return audit


Audits = Annotated[Audit, Depends(audit_of)]


class AuditSource:
    """Entries on their way to the chain; they leave the service with the broker's answer."""

    spec = ENTRIES
    remove_when_sent = True

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        return [
            Outgoing(topics.AUDIT, d["_id"], d["tenant"], None, entry.at, entry)
            for d in documents
            for entry in [Audited.model_validate(d["entry"])]
        ]
