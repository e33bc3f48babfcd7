"""Ingest's part in retention rules (`service_kit.retaining.Retains`).

A statement about several learners is looked at once, with the first of them, and stays while any of them is held, or
is still active where the rule asks for that. What the relay or a forwarding has not seen yet waits for the next run.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from events.payloads import RetentionAction, RetentionOrder, Told
from events.sealing import KeyGone
from service_kit.candidates import Candidates
from service_kit.mongo import Document, Session
from service_kit.retaining import Part, Task
from service_kit.selecting import before, facts_of, is_whole, matches
from xapi import loads

from ingest.attachments.repository import AttachmentRepository
from ingest.documents.repository import DocumentRepository
from ingest.erasure.forgetting import NOBODYS, Rewriter
from ingest.forwarding.repository import ForwardingRepository
from ingest.identities.repository import Belongings, IdentityRepository
from ingest.retention.looking import Looking, first_of, tokens_of
from ingest.retention.outside import Outside
from ingest.retention.repository import RetainedStatements
from ingest.statements.indexing import VERB, token
from ingest.statements.repository import StatementRepository
from ingest.statements.stamps import to_micros

NOTHING: Final = Part()


@dataclass(frozen=True)
class Retention:
    statements: StatementRepository
    retained: RetainedStatements
    identities: IdentityRepository
    documents: DocumentRepository
    attachments: AttachmentRepository
    forwardings: ForwardingRepository
    outside: Outside

    async def candidates(self, tenant: str, after: str | None, order: RetentionOrder) -> Candidates:
        looking = Looking(self.retained, self.identities, self.documents, tenant, order)
        return await looking.candidates(after)

    async def retain(self, task: Task, session: Session) -> Part:
        try:
            belongings = await self._belongings(task.tenant, task.learner, session)
        except KeyGone:  # after a restore: forgotten by another way
            return NOTHING
        if belongings is None or (task.learner == NOBODYS and task.action is RetentionAction.unlink):
            return NOTHING
        if await self._is_active(task, task.learner, session):
            return NOTHING
        tokens, until = tokens_of(task.learner, belongings), before(task.selection)
        until_us = None if until is None else to_micros(until)
        place = task.place["stored"] if task.place else None
        found, more = await self.retained.until(task.tenant, tokens, until_us, place, max(2, task.limit), session)
        own = [one for one in found if first_of(one["learners"]) == task.learner]
        taken, kept = await self._sorted(task, own, session)
        counts = Counter({"statements": len(taken), "attachments": sum(len(one.get("blobs", ())) for one in taken)})
        told: list[Told] = []
        if not task.counts_only:
            told = await self.outside.tell(task, [one["_id"] for one in taken], session)
            kept += await self._carry_out(task, belongings, taken, session)
            counts["statements"] -= kept["unreadable"]
        if more is None and until_us is not None and is_whole(task.selection):
            remove = not task.counts_only
            counts["documents"] = await self.documents.outdated(
                task.tenant, belongings.agents, until_us, session, remove=remove
            )
        return Part(counts, kept, len(found), None if more is None else {"stored": more}, told)

    # Which

    async def _sorted(
        self, task: Task, found: Sequence[Document], session: Session
    ) -> tuple[list[Document], "Counter[str]"]:
        """Those that are taken, and why how many of the others that are meant stay."""
        meant = await self._meant(task, found, session)
        stay = await self._staying(task, meant, session)
        if task.action is not RetentionAction.unlink:
            stay |= await self._voiding_on(task, [one for one in meant if one["_id"] not in stay], session)
        return [one for one in meant if one["_id"] not in stay], Counter(stay.values())

    async def _meant(self, task: Task, found: Sequence[Document], session: Session) -> list[Document]:
        """Those that the rule means by what they say. Bytes are opened only where tokens do not tell."""
        selection = task.selection
        if is_whole(selection):
            return list(found)
        verbs = {token(VERB, verb) for verb in selection.verbs}
        likely = [one for one in found if not verbs or not verbs.isdisjoint(one["keys"])]
        tells = not (selection.activity_types or selection.tags or selection.activities)
        sure = [one for one in likely if tells and "targets" not in one]  # a target's verb is found there as well
        unsure = [one for one in likely if not (tells and "targets" not in one)]
        whole = await self.retained.whole([one["_id"] for one in unsure], session)
        opened = await self.statements.readable(whole)
        ids = {document["_id"] for document, data in opened if matches(selection, facts_of(loads(data)))}
        ids |= {one["_id"] for one in sure}
        return [one for one in likely if one["_id"] in ids]

    async def _staying(self, task: Task, meant: Sequence[Document], session: Session) -> dict[str, str]:
        """Why which of these stay, by id."""
        seen = await self.forwardings.behind(task.tenant, session) if meant else None
        held, active = await self._others(task, meant, session)
        stay: dict[str, str] = {}
        for one in meant:
            if "outbox" in one:
                stay[one["_id"]] = "waits_for_relay"
            elif seen is not None and one["stored"] > seen:
                stay[one["_id"]] = "waits_for_forwarding"
            elif not held.isdisjoint(one["learners"]):
                stay[one["_id"]] = "held_for_another"
            elif not active.isdisjoint(one["learners"]):
                stay[one["_id"]] = "active_another"
        return stay

    async def _others(
        self, task: Task, meant: Sequence[Document], session: Session
    ) -> tuple[AbstractSet[str], AbstractSet[str]]:
        """Of the other learners those who are held, and those who are active where the rule asks for that."""
        others = sorted({who for one in meant for who in one["learners"] if who not in (None, task.learner)})
        if not others:
            return frozenset(), frozenset()
        active = {who for who in others if await self._is_active(task, who, session)}
        return await task.held(others, session), active

    async def _voiding_on(self, task: Task, meant: Sequence[Document], session: Session) -> dict[str, str]:
        """What voids a statement that stays must stay: without it a replay would bring that back."""
        voiding = {one["_id"]: one["voids"] for one in meant if "voids" in one}
        targets = await self.retained.looked_at(sorted(set(voiding.values())), session) if voiding else []
        until = before(task.selection)
        old = [one for one in targets if until is None or one["stored"] < to_micros(until)]
        go = {one["_id"] for one in await self._meant(task, old, session)}
        go -= (await self._staying(task, old, session)).keys()
        stays = {one["_id"] for one in targets} - go
        return {one: "voids_what_stays" for one, target in voiding.items() if target in stays}

    async def _is_active(self, task: Task, learner: str, session: Session) -> bool:
        since = task.selection.inactive_since
        if since is None or learner == NOBODYS:
            return False
        belongings = await self._belongings(task.tenant, learner, session)
        if belongings is None:
            return False
        tokens = tokens_of(learner, belongings)
        return await self.retained.is_active(task.tenant, tokens, learner, to_micros(since), session)

    async def _belongings(self, tenant: str, learner: str, session: Session) -> Belongings | None:
        if learner == NOBODYS:
            return Belongings([], [])
        return await self.identities.belongings(tenant, learner, session)

    # What happens

    async def _carry_out(
        self, task: Task, belongings: Belongings, taken: Sequence[Document], session: Session
    ) -> "Counter[str]":
        ids = [one["_id"] for one in taken]
        left: Counter[str] = Counter()
        if task.action is RetentionAction.unlink:
            rewriter = Rewriter(task.tenant, task.learner, belongings, self.statements, self.identities, unlinks=True)
            changes = await rewriter.rewritten(await self.retained.whole(ids, session))
            await self.statements.rewrite(changes, session)
            left["unreadable"] = len(ids) - len(changes)
        else:
            await self.statements.remove(ids, session)
        await self.forwardings.forget(ids, [], session)
        await self.attachments.look_again(_blobs(taken), session)
        return left


def _blobs(documents: Iterable[Any]) -> list[str]:
    return sorted({key for document in documents for key in document.get("blobs", ())})
