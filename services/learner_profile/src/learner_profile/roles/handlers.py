"""Kafka in: the roster's roles."""

from collections.abc import Mapping, Sequence, Set

from events.envelope import Message, newest
from events.payloads import RosterRole
from service_kit.mongo import Session

from learner_profile.learners.profiles import Profile, Status, closed, reopened
from learner_profile.learners.rebuilding import Views
from learner_profile.learners.standing import everyone


class RolesHandler:
    """Closes the profile of whoever turns out to be no learner, and opens it again once the roster says otherwise.

    Their evidence is kept: a roster may be wrong, and its correction loses nothing. Waits (`PolicyUnknown`) while the
    tenant's policy is not known.
    """

    def __init__(self, views: Views) -> None:
        self._views = views

    async def handle(self, messages: Sequence[Message], session: Session) -> None:
        for tenant, roles in newest(messages).items():
            await self._tenant(tenant, roles, session)

    async def committed(self) -> None:
        """The jobs of the worker look by themselves."""

    async def _tenant(self, tenant: str, roles: Mapping[str, RosterRole | None], session: Session) -> None:
        standings = await self._views.consents.standings(tenant, roles, session)
        alive = {one: role for one, role in roles.items() if role is None or not standings[one].erased}
        people = {everyone(one, standings[one])[0] for one in alive}
        policy = next(iter(standings.values())).policy
        before = await self._views.roles.others(tenant, people, policy, session)
        await self._views.roles.put(tenant, alive, session)
        after = await self._views.roles.others(tenant, people, policy, session)
        profiles = await self._views.learners.load(tenant, before ^ after, session)
        changed = [
            closed(profiles.get(one, Profile(tenant=tenant, learner=one))) for one in sorted(after - before)
        ]  # also where there was none: a batch that began before then conflicts with it and begins anew
        changed += [
            reopened(profile)
            for one in sorted(before - after)
            if (profile := profiles.get(one)) is not None and profile.status == Status.CLOSED
        ]
        await self._views.learners.save(changed, session)
        if policy.staff.named:
            await self._look_anew(tenant, people - after - before, session)

    async def _look_anew(self, tenant: str, people: Set[str], session: Session) -> None:
        """Of whom a roster says something else now, or nothing more, the policy's lists may hold, or no longer: their
        rows tell.
        """
        profiles = await self._views.learners.load(tenant, people, session)
        shut = [reopened(one) for one in profiles.values() if one.status == Status.CLOSED]
        await self._views.learners.save(shut, session)
        await self._views.learners.mark_dirty(tenant, sorted(profiles), session)
