"""This service's part when a learner objects, withdraws or is to be forgotten."""

from collections.abc import Mapping

from events.payloads import RetentionOrder
from service_kit.candidates import Candidates
from service_kit.consent import Change
from service_kit.mongo import Session
from service_kit.retaining import Part, Task

from insights.rosters.repository import RosterRepository
from insights.rosters.roles import RoleRepository
from insights.states.repository import StateRepository


class Participation:
    """Carries out erasures. Decisions need nothing here: each reading looks them up."""

    def __init__(self, rosters: RosterRepository, states: StateRepository, roles: RoleRepository) -> None:
        self._rosters = rosters
        self._states = states
        self._roles = roles

    async def standing_changed(self, change: Change, session: Session) -> None:
        """Nothing to do: `insights`, `teach` and `profile` are asked at each reading from the view that has changed.

        The copy of a stopped profile goes with learner_profile's closing message, whose version keeps the order; to
        delete it here could wipe out a state that has come after a resumption.
        """

    async def erase(self, tenant: str, learner: str, session: Session) -> Mapping[str, int]:
        members = await self._rosters.forget(tenant, learner, session)
        roles = await self._roles.forget(tenant, learner, session)
        states = await self._states.delete(tenant, [learner], session)
        return {"members": members, "roles": roles, "states": states}

    async def candidates(self, tenant: str, after: str | None, order: RetentionOrder) -> Candidates:
        return await self._states.outlived(tenant, after, order)

    async def retain(self, task: Task, session: Session) -> Part:
        """The state, once all that it says is as old as the rule wants; the roster is the school's own record."""
        if not task.outlives(await self._states.last_stored(task.tenant, task.learner, session)):
            return Part(looked=1)
        if task.counts_only:
            return Part({"states": 1}, looked=1)
        return Part({"states": await self._states.delete(task.tenant, [task.learner], session)}, looked=1)
