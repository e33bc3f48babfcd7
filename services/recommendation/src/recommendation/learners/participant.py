"""This service's part when a learner's standing changes or a learner is to be forgotten."""

from collections.abc import Mapping

from events.payloads import RetentionOrder
from service_kit.candidates import Candidates
from service_kit.consent import Change
from service_kit.mongo import Session
from service_kit.retaining import Part, Task

from recommendation.learners.repository import LEARNERS, LearnerRepository


class LearnerParticipant:
    """Reading asks the consent view each time; here only what is held is let go of."""

    def __init__(self, learners: LearnerRepository) -> None:
        self._learners = learners

    async def standing_changed(self, change: Change, session: Session) -> None:
        """Without `profile` no state is kept. When it resumes, learner_profile publishes the state anew."""
        if not change.after.allows("profile"):
            group = change.after.group
            for learner in group.everyone if group is not None else (change.learner,):
                await self._learners.close(change.tenant, learner, session)

    async def erase(self, tenant: str, learner: str, session: Session) -> Mapping[str, int]:
        return {LEARNERS.name: await self._learners.remove(tenant, [learner], session)}

    async def candidates(self, tenant: str, after: str | None, order: RetentionOrder) -> Candidates:
        return await self._learners.outlived(tenant, after, order)

    async def retain(self, task: Task, session: Session) -> Part:
        """The copy of the profile, once all that it says is as old as the rule wants."""
        if not task.outlives(await self._learners.last_stored(task.tenant, task.learner, session)):
            return Part(looked=1)
        if task.counts_only:
            return Part({LEARNERS.name: 1}, looked=1)
        return Part({LEARNERS.name: await self._learners.remove(task.tenant, [task.learner], session)}, looked=1)
