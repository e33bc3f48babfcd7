"""Judging a piece of evidence: the judgement stands beside its row, and the learner is built anew with it."""

from functools import partial

from service_kit.audit import Action, Audit, AuditEntry, Who
from service_kit.auth import Principal
from service_kit.mongo import Client, Session, in_transaction
from service_kit.problems import BadRequest, Conflict, NotFound

from learner_profile.evidence.repository import EvidenceRepository, Row
from learner_profile.judgements.judgement import MOST, Act, Judgement
from learner_profile.learners.repository import LearnerRepository


class Judging:
    """The port of the endpoints into rows, learners and the audit; each judgement is one transaction."""

    def __init__(self, client: Client, evidence: EvidenceRepository, learners: LearnerRepository, audit: Audit) -> None:
        self._client = client
        self._evidence = evidence
        self._learners = learners
        self._audit = audit

    async def judge(self, principal: Principal, learner: str, statement: str, judgement: Judgement) -> Row:
        """The row with the judgement. Raises `NotFound`, `BadRequest`, `Conflict`."""
        return await in_transaction(self._client, partial(self._judge, principal, learner, statement, judgement))

    async def _judge(
        self, principal: Principal, learner: str, statement: str, judgement: Judgement, session: Session
    ) -> Row:
        tenant = principal.tenant
        row = await self._evidence.one(tenant, learner, statement, session)
        if row is None:
            raise NotFound("There is no such evidence about this learner")
        if judgement.act is Act.OVERRIDDEN and row.reading.correctness is None:
            raise BadRequest("This evidence says nothing of how right an answer was: there is nothing to override")
        if len(row.judgements) >= MOST:
            raise Conflict(f"This evidence was judged {MOST} times already")
        after = await self._evidence.judge(tenant, learner, row, judgement, session)
        await self._learners.mark_dirty(tenant, [learner], session)
        what = f"evidence/{judgement.act}"
        entry = AuditEntry(tenant, Who.of(principal), Action.changed, what, (learner,), "profile")
        await self._audit.record(entry, session)
        return after
