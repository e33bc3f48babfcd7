"""What the tenant's pack says of a request: by when, on which clause, on which grounds it may be refused."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from events.payloads import Basis
from service_kit.mongo import Session

from privacy.packs import PACKS, Ground, Pack
from privacy.packs.pack import ANY_BASIS
from privacy.requests.progress import DataRequest, Kind
from privacy.state import State

DEFAULT_PACK = "eu-school"  # the strictest, where a policy names none


@dataclass(frozen=True)
class Rules:
    """The pack, and the bases on which the tenant uses data."""

    pack: Pack
    bases: frozenset[Basis]

    def dated(self, request: DataRequest) -> DataRequest:
        """With its deadline, and the clauses on which the right and the deadline rest."""
        deadline = self.pack.deadline(request.type, request.requested_at)
        entitled = self.pack.entitles(request.type, self.bases)
        clauses = dict.fromkeys(str(clause) for clause in (entitled, deadline.clause) if clause is not None)
        return replace(request, due_at=deadline.due, pack=self.pack.name, clauses=tuple(clauses))

    def extended(self, request: DataRequest) -> datetime | None:
        """By when, once it is extended; None: it cannot be. What an identity check took stays on top."""
        deadline = self.pack.deadline(request.type, request.requested_at)
        if deadline.extendable_to is None or request.due_at is None:
            return None
        return deadline.extendable_to + (request.due_at - deadline.due)

    def grounds(self, kind: Kind) -> tuple[Ground, ...]:
        return self.pack.may_refuse(kind, self.bases)

    def waits(self, kind: Kind, unfinished: Collection[Kind]) -> str | None:
        """Why it has to wait while requests of those kinds are open."""
        clause = self.pack.waits_for(kind, unfinished)
        return None if clause is None else f"{clause.says} ({clause})"


async def rules_of(tenant: str, state: State, session: Session | None = None) -> Rules:
    policy = await state.policies.find(tenant, session)
    name = str(getattr(policy, "pack", None) or DEFAULT_PACK)
    bases = frozenset(rule.basis for rule in policy.purposes.values()) if policy else ANY_BASIS
    return Rules(PACKS.get(name, PACKS[DEFAULT_PACK]), bases)
