"""Two identifiers of one person, joined by explicit call, and parted again.

A merge writes one edge (`service_kit.merging`) and the view of everyone whom it concerns, in one transaction, as an
erasure's block does: so two merges, or a merge and an erasure, never pass each other unseen.
"""

from dataclasses import dataclass
from functools import partial

from service_kit.audit import Action, Audit, AuditEntry, Who
from service_kit.clock import Clock
from service_kit.consent import ConsentView
from service_kit.merging import MOST_IN_A_GROUP, Group
from service_kit.merging import Merges as View
from service_kit.mongo import Client, Session, in_transaction
from service_kit.problems import Conflict, NotFound
from uuid_utils.compat import uuid7

from ingest.identities.repository import Identity, IdentityRepository
from ingest.identities.resolving import Resolver
from ingest.identities.returning import REFUSED
from ingest.merges.repository import Edge, MergeRepository
from ingest.republishing.repository import RepublicationRepository


@dataclass(frozen=True, slots=True)
class Merged:
    """`root`: under whom the person is kept; `new`: False where the call was a repetition."""

    edge: Edge
    root: str
    new: bool


@dataclass(frozen=True)
class Merging:
    client: Client
    merges: MergeRepository
    view: View
    consents: ConsentView
    resolver: Resolver
    known: IdentityRepository
    republications: RepublicationRepository
    audit: Audit
    clock: Clock

    async def merge(self, tenant: str, agent: str, into: str, who: Who) -> Merged:
        """Join the persons behind two canonical identifiers. Raises `Conflict`, `PolicyUnknown`.

        Whoever is merged already goes with all that they were merged with; the same call again changes nothing.
        """
        if agent == into:
            raise Conflict("Both are the same identifier")
        both, _ = await self.resolver.resolve(tenant, {agent, into}, subjects={agent, into}, fresh=True)
        if any(one.learner == REFUSED for one in both.values()):
            raise Conflict("One of the two was erased, and the policy refuses who comes back")
        learners = both[agent].learner, both[into].learner
        return await in_transaction(self.client, partial(self._merge, tenant, *learners, who))

    async def adopt(self, tenant: str, agent: str, learner: str, who: Who) -> bool:
        """Merge the person behind an identifier that nobody has here into a learner; whether it is the learner's now.

        Raises `Conflict`, `PolicyUnknown`.
        """
        resolved, new = await self.resolver.resolve(tenant, {agent}, subjects={agent}, fresh=True)
        own = resolved[agent].learner
        if own == REFUSED:
            return False
        if agent in new and own != learner:
            await in_transaction(self.client, partial(self._merge, tenant, own, learner, who))
            return True
        return own in (await self.view.group(tenant, learner)).everyone

    async def _merge(self, tenant: str, learner: str, into: str, who: Who, session: Session) -> Merged:
        groups = await self.view.groups(tenant, [learner, into], session)
        ours, theirs = groups[learner], groups[into]
        if ours.root == theirs.root:
            return await self._repeated(tenant, learner, ours, session)
        standings = await self.consents.standings(tenant, [learner, into], session)
        if any(standing.erased for standing in standings.values()):
            raise Conflict("One of the two is being erased")
        if len(ours.everyone) + len(theirs.everyone) > MOST_IN_A_GROUP:
            raise Conflict(f"A person has at most {MOST_IN_A_GROUP} identifiers")
        edge = await self._put(tenant, ours.root, theirs.root, session)
        await self._note(tenant, who, "identities/merge", (ours.root, theirs.root), session)
        return Merged(edge, theirs.root, new=True)

    async def _repeated(self, tenant: str, learner: str, group: Group, session: Session) -> Merged:
        held = [edge for edge in await self.merges.of_learners(tenant, [learner], session) if edge.into is not None]
        if not held:
            raise Conflict("They are one person already, the other way round: a merge cannot go in a circle")
        return Merged(held[0], group.root, new=False)

    async def undo(self, tenant: str, merge: str, who: Who) -> None:
        """Part them again: each has what the own identifiers brought. Raises `NotFound`."""
        await in_transaction(self.client, partial(self._undo, tenant, merge, who))

    async def _undo(self, tenant: str, merge: str, who: Who, session: Session) -> None:
        edge = await self.merges.by_id(tenant, merge, session)
        if edge is None or edge.into is None:
            raise NotFound("There is no such merge")
        group = await self.view.group(tenant, edge.learner, session)
        await self._put(tenant, edge.learner, None, session)
        for one in group.everyone:  # what the stricter consent of the one kept away from the other's rows
            await self.republications.ask(tenant, one, session)
        await self._note(tenant, who, "identities/unmerge", (edge.learner, edge.into), session)

    async def of_learner(self, tenant: str, learner: str) -> tuple[str, list[Edge]]:
        """The person's root, and the merges that hold."""
        group = await self.view.group(tenant, learner)
        edges = await self.merges.of_learners(tenant, group.everyone)
        return group.root, [edge for edge in edges if edge.into is not None]

    async def agents(self, tenant: str, identity: Identity) -> list[str]:
        """The agent_ids of the person behind an identity."""
        group = await self.view.group(tenant, identity.learner)
        found = [identity.agent]
        for learner in group.everyone if len(group.everyone) > 1 else ():
            belongings = await self.known.belongings(tenant, learner)
            found += belongings.agents if belongings is not None else []
        return list(dict.fromkeys(found))

    async def _put(self, tenant: str, learner: str, into: str | None, session: Session) -> Edge:
        held = await self.merges.of_learners(tenant, [learner], session)
        now = self.clock()
        at = now.replace(microsecond=now.microsecond // 1000 * 1000)  # as MongoDB keeps it
        edge = Edge(str(uuid7()), learner, into, held[0].version + 1 if held else 1, at)
        await self.merges.put(tenant, edge, session)
        await self.view.put(tenant, learner, edge.message(), session)
        return edge

    async def _note(self, tenant: str, who: Who, what: str, learners: tuple[str, ...], session: Session) -> None:
        await self.audit.record(AuditEntry(tenant, who, Action.changed, what, learners), session)
