"""Judging a piece of evidence: the judgement stands beside its row, and the learner is built anew with it."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from service_kit.audit import Action, Audit, AuditEntry, Who
from service_kit.auth import Principal
from service_kit.mongo import Client, Session, in_transaction
from service_kit.problems import BadRequest, Conflict, NotFound

from learner_profile.evidence.repository import EvidenceRepository, Row
from learner_profile.judgements.judgement import MOST, Judgement, of_the_same_side, says_nothing_new
from learner_profile.learners.repository import LearnerRepository

_NOTHING_RIGHT: Final = "This evidence says nothing of how right an answer was; it can only be left out altogether"


class Judging:
    """The port of the endpoints into rows, learners and the audit; each judgement is one transaction."""

    def __init__(self, client: Client, evidence: EvidenceRepository, learners: LearnerRepository, audit: Audit) -> None:
        self._client = client
        self._evidence = evidence
        self._learners = learners
        self._audit = audit

    async def judge(self, principal: Principal, everyone: Sequence[str], statement: str, judgement: Judgement) -> Row:
        """The row with the judgement, of one of a person's learners, the one with the profile first. What is said
        twice stands once. Raises `NotFound`, `BadRequest`, `Conflict`.
        """
        return await in_transaction(self._client, partial(self._judge, principal, everyone, statement, judgement))

    async def _judge(
        self, principal: Principal, everyone: Sequence[str], statement: str, judgement: Judgement, session: Session
    ) -> Row:
        tenant = principal.tenant
        found = {one: await self._evidence.one(tenant, one, statement, session) for one in reversed(everyone)}
        learner, row = next(((one, row) for one, row in found.items() if row is not None), (everyone[0], None))
        if row is None:
            raise NotFound("There is no such evidence about this learner")
        if judgement.correctness is not None and row.reading.correctness is None:
            raise BadRequest(_NOTHING_RIGHT, errors=[{"pointer": "/correctness", "detail": "leave it out"}])
        if says_nothing_new(row.judgements, judgement):
            return row
        if len(of_the_same_side(row.judgements, judgement)) >= MOST:
            raise Conflict(f"This evidence was judged {MOST} times already")
        after = await self._evidence.judge(tenant, learner, row, judgement, session)
        await self._learners.mark_dirty(tenant, [everyone[0]], session)
        what = f"evidence/{judgement.act}"
        entry = AuditEntry(tenant, Who.of(principal), Action.changed, what, (everyone[0],), "profile")
        await self._audit.record(entry, session)
        return after
