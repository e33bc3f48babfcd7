"""What this service does when a learner's standing changes, and when a learner is to be forgotten."""

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set

from events.payloads import Policy
from service_kit.consent import Change
from service_kit.merging import Merges
from service_kit.mongo import Session

from learner_profile.estimates.repository import EstimateRepository
from learner_profile.evidence.repository import EvidenceRepository
from learner_profile.learners.profiles import Profile, Status, closed, erased, reopened
from learner_profile.learners.repository import LearnerRepository
from learner_profile.learners.standing import PURPOSE, everyone, keeps_rows, takes_rows
from learner_profile.records.repository import ClaimRepository
from learner_profile.retention.bases import BaseRepository
from learner_profile.retention.retaining import Retention
from learner_profile.roles.repository import RoleRepository, RuleRepository


class ProfileParticipant:
    """`service_kit.consent.Participant`.

    Every change writes the learner's document, also where there was none: a batch of statements that began under the
    old standing then conflicts with it and begins anew.
    """

    def __init__(
        self,
        evidence: EvidenceRepository,
        learners: LearnerRepository,
        roles: RoleRepository,
        estimates: EstimateRepository,
        claims: ClaimRepository,
        merges: Merges,
        rules: RuleRepository,
        bases: BaseRepository,
        retention: Retention,
        build: Callable[[str, Sequence[str], Session], Awaitable[int]],
    ) -> None:
        """`build`: those of a tenant's learners who are to be built anew, now."""
        self._build = build
        self._bases = bases
        self.candidates, self.retain = retention.candidates, retention.retain
        self._evidence = evidence
        self._estimates = estimates
        self._claims = claims
        self._rules = rules
        self._merges = merges
        self._learners = learners
        self._roles = roles

    async def standing_changed(self, change: Change, session: Session) -> None:
        before, after = change.before, change.after
        if takes_rows(before) and not takes_rows(after):
            await self._stand_still(change.tenant, change.learner, session)
            await self._build(change.tenant, [everyone(change.learner, after)[0]], session)  # nothing is left to change
        if before.status(PURPOSE) == after.status(PURPOSE) and before.allows(PURPOSE) == after.allows(PURPOSE):
            return
        people = everyone(change.learner, after)
        if not keeps_rows(after):
            for one in people:
                await self._evidence.delete(change.tenant, one, session)
                await self._estimates.delete(change.tenant, one, session)
                await self._claims.delete(change.tenant, one, session)
                await self._bases.remove(change.tenant, one, session)
        profile = await self._profile(change.tenant, people[0], session)
        if not after.allows(PURPOSE):
            await self._learners.save([closed(profile)], session)
        elif change.resumed(PURPOSE) and (
            profile.version > 0 or await self._evidence.any_of(change.tenant, people, session)
        ):
            await self._learners.save([reopened(profile)], session)

    async def _stand_still(self, tenant: str, learner: str, session: Session) -> None:
        known = await self._learners.load(tenant, [learner], session)
        if known:
            await self._learners.touch(tenant, known, session)
        else:
            await self._learners.save([Profile(tenant=tenant, learner=learner)], session, publish=False)

    async def policy_changed(self, tenant: str, policy: Policy, session: Session) -> None:
        """`service_kit.consent.Ruled`: who counts as a learner may be others now."""
        await self._rules.put(tenant, policy, session)

    async def regrouped(self, tenant: str, learners: Set[str], session: Session) -> None:
        """`service_kit.consent.Regroups`: a profile for each person, built from all their rows; none beside it."""
        groups = await self._merges.groups(tenant, learners, session)
        known = await self._learners.load(tenant, learners, session)
        changed = []
        for learner, group in groups.items():
            profile = known.get(learner, Profile(tenant=tenant, learner=learner))
            if profile.status == Status.ERASED:
                continue
            if group.root != learner:
                changed.append(closed(profile))
            elif profile.version > 0 or await self._evidence.any_of(tenant, group.everyone, session):
                changed.append(reopened(profile))
        await self._learners.save(changed, session)

    async def erase(self, tenant: str, learner: str, session: Session) -> Mapping[str, int]:
        rows = await self._evidence.delete(tenant, learner, session)
        estimates = await self._estimates.delete(tenant, learner, session)
        bases = await self._bases.remove(tenant, learner, session)
        known = await self._learners.load(tenant, [learner], session)
        profile = known.get(learner, Profile(tenant=tenant, learner=learner))
        await self._learners.save([erased(profile)], session)
        held = sum(one.status != Status.ERASED for one in known.values())  # the sweep finds what stands in its place
        roles = await self._roles.known(tenant, [learner], session)
        await self._roles.put(tenant, {learner: None}, session)
        claims = await self._claims.delete(tenant, learner, session)
        counts = {"evidence": rows, "estimates": estimates, "learners": held, "roles": len(roles), "claims": claims}
        return counts | ({"bases": bases} if bases else {})

    async def _profile(self, tenant: str, learner: str, session: Session) -> Profile:
        known = await self._learners.load(tenant, [learner], session)
        return known.get(learner, Profile(tenant=tenant, learner=learner))
