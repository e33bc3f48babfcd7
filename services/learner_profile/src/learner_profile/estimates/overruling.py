"""Overruling an estimate: the teacher's word joins the learner's history, and the learner is built anew with it."""

from dataclasses import dataclass
from functools import partial

from service_kit.audit import Action, Audit, AuditEntry, Who
from service_kit.auth import Principal
from service_kit.mongo import Client, Session, in_transaction
from service_kit.problems import Conflict, NotFound

from learner_profile.estimates.repository import EstimateRepository
from learner_profile.estimates.said import MOST, MOST_OF_A_LEARNER, Aside, Word, alike, takes_back
from learner_profile.learners.profiles import Status
from learner_profile.learners.repository import LearnerRepository


@dataclass(frozen=True)
class Overruler:
    """The port of the endpoints into histories, learners and the audit; each word is one transaction."""

    client: Client
    estimates: EstimateRepository
    learners: LearnerRepository
    audit: Audit

    async def say(self, principal: Principal, learner: str, said: Word) -> tuple[Word, ...]:
        """The history with it. Raises `Conflict`; `NotFound` where there is nothing to take back."""
        return await in_transaction(self.client, partial(self._say, principal, learner, said))

    async def _say(self, principal: Principal, learner: str, said: Word, session: Session) -> tuple[Word, ...]:
        tenant = principal.tenant
        profile = (await self.learners.load(tenant, [learner], session)).get(learner)
        if profile is None or profile.status != Status.OPEN:
            raise NotFound("Nothing is known of this learner")
        history = (await self.estimates.of_people(tenant, [learner], session))[learner]
        own = (await self.estimates.load(tenant, [learner], session)).get(learner, ())
        before, back = alike(history, said), takes_back(said)
        if back and (not before or takes_back(before[-1])):
            raise NotFound("No teacher has overruled this estimate")
        if not back and len(before) >= MOST:
            raise Conflict(f"This estimate was overruled {MOST} times already")
        if not back and len(history) >= MOST_OF_A_LEARNER:
            raise Conflict(f"This learner's estimates were overruled {MOST_OF_A_LEARNER} times already")
        await self.estimates.save(tenant, learner, (*own, said), session)
        await self.learners.mark_dirty(tenant, [learner], session)
        what = "estimate/taken_back" if back else f"estimate/{'set_aside' if isinstance(said, Aside) else 'overruled'}"
        entry = AuditEntry(tenant, Who.of(principal), Action.changed, what, (learner,), "profile")
        await self.audit.record(entry, session)
        return (*history, said)
