"""Of which learners a rule could take a statement or a document, without a transaction.

Where the rule names verbs, tags or activities that few old statements have, these tell: one query for a portion. Else
learners are asked for many at a time, and each alone only where there is something of one of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from events.payloads import RetentionAction, RetentionOrder
from service_kit.candidates import LOOKED_AT_ONCE, Candidates, some_of
from service_kit.selecting import before, is_whole

from ingest.documents.repository import DocumentRepository
from ingest.erasure.forgetting import NOBODYS
from ingest.identities.repository import Belongings, IdentityRepository
from ingest.retention.repository import RetainedStatements
from ingest.statements.indexing import ACTIVITY, RELATED_ACTIVITY, VERB, agent_tokens, token, unlinked
from ingest.statements.stamps import to_micros

FEW: Final = 2000
DOCUMENTS_AT_ONCE: Final = 50
"""Learners: each is some ranges of a query."""


@dataclass(frozen=True)
class Looking:
    retained: RetainedStatements
    identities: IdentityRepository
    documents: DocumentRepository
    tenant: str
    order: RetentionOrder

    async def candidates(self, after: str | None) -> Candidates:
        few = await self._few()
        if few is not None:
            start, behind = self.order.first if after is None else after, self.order.behind
            own = {one for one in few if one > start and (behind is None or one < behind)}
            own |= {NOBODYS} & few if self._begins_with_nobody(after) else set()
            return Candidates(await self._left(sorted(own)))
        start = self.order.first if after is None else after
        known = await self.identities.all_belongings(self.tenant, start, self.order.behind, LOOKED_AT_ONCE)
        reached = list(known)[-1] if len(known) == LOOKED_AT_ONCE else None
        theirs = {learner: own for learner, own in known.items() if own is not None}
        if self._begins_with_nobody(after):
            theirs = {NOBODYS: Belongings([], [])} | theirs
        found = await self._with_statements(theirs)
        found |= await self._with_documents({one: own for one, own in theirs.items() if one not in found})
        return Candidates(await self._left(sorted(found), theirs), reached)

    def _begins_with_nobody(self, after: str | None) -> bool:
        """With the first portion comes what is nobody's any more."""
        return after is None and not self.order.first and self.order.action is not RetentionAction.unlink

    @property
    def _until(self) -> int | None:
        until = before(self.order.selection)
        return None if until is None else to_micros(until)

    async def _few(self) -> set[str] | None:
        """With whom statements are looked at that have what the rule names; None where they are too many to list."""
        selection = self.order.selection
        verbs = [token(VERB, one) for one in selection.verbs]
        for tokens in (verbs, _of_activities(selection.tags), _of_activities(selection.activities)):
            if tokens:
                found = await self.retained.learners_until(self.tenant, tokens, self._until, FEW)
                if found is not None:
                    return {first_of(learners) for learners in found}
        return None

    async def _with_statements(self, theirs: Mapping[str, Belongings]) -> set[str]:
        tokens = {learner: tokens_of(learner, own) for learner, own in theirs.items()}

        async def any_of(learners: Sequence[str]) -> bool:
            asked = [one for learner in learners for one in tokens[learner]]
            return await self.retained.any_until(self.tenant, asked, self._until)

        return set(await some_of(list(tokens), any_of))

    async def _with_documents(self, theirs: Mapping[str, Belongings]) -> set[str]:
        until, tenant = self._until, self.tenant
        if until is None or not is_whole(self.order.selection) or not await self.documents.any_of_agents(tenant):
            return set()

        async def any_of(learners: Sequence[str]) -> bool:
            return await self.documents.any_outdated(tenant, (a for one in learners for a in theirs[one].agents), until)

        asked = list(theirs)
        parts = [asked[start : start + DOCUMENTS_AT_ONCE] for start in range(0, len(asked), DOCUMENTS_AT_ONCE)]
        return {one for part in parts for one in await some_of(part, any_of)}

    async def _left(self, learners: Sequence[str], known: Mapping[str, Belongings] | None = None) -> list[str]:
        """Those who are not active, where the rule asks for that."""
        since = self.order.selection.inactive_since
        if since is None:
            return list(learners)
        left = []
        for one in learners:
            own = known[one] if known is not None else await self.identities.belongings(self.tenant, one)
            if (
                own is None
                or one == NOBODYS
                or not await self.retained.is_active(self.tenant, tokens_of(one, own), one, to_micros(since))
            ):
                left.append(one)
        return left


def first_of(learners: Sequence[str | None]) -> str:
    """With whom of its learners a statement is looked at."""
    return next((one for one in learners if one is not None), NOBODYS)


def tokens_of(learner: str, belongings: Belongings) -> list[bytes]:
    if learner == NOBODYS:
        return [unlinked()]
    return sorted({one for agent in belongings.agents for one in agent_tokens(agent)})


def _of_activities(iris: Sequence[str]) -> list[bytes]:
    return [token(kind, one) for one in iris for kind in (ACTIVITY, RELATED_ACTIVITY)]
