"""A job of the worker: when the policy says otherwise who is a learner, everyone of the tenant is looked at anew."""

from functools import partial
from typing import Final

from service_kit.mongo import Client, Session, in_transaction
from service_kit.turning import Turning

from learner_profile.learners.profiles import Status, reopened
from learner_profile.learners.repository import LearnerRepository
from learner_profile.roles.repository import RuleRepository

PAGE: Final = 200


class Ruling:
    """Marks profiles to be built anew, a page at a time; the rebuild decides who keeps one."""

    def __init__(self, client: Client, rules: RuleRepository, learners: LearnerRepository) -> None:
        self._client = client
        self._rules = rules
        self._learners = learners
        self._turning = Turning("rule of unknown actors", self.turn, rest_seconds=1.0)
        self.run = self._turning.run
        self.check = self._turning.check

    async def turn(self) -> bool:
        """One page; whether there may be more."""
        due = await self._rules.due()
        if due is None:
            return False
        await in_transaction(self._client, partial(self._page, *due))
        return True

    async def _page(self, tenant: str, after: str, session: Session) -> None:
        page = await self._learners.page(tenant, after, PAGE, session)
        found = await self._learners.load(tenant, page, session)
        await self._learners.save([reopened(p) for p in found.values() if p.status != Status.ERASED], session)
        await self._rules.go_on(tenant, after, page[-1] if page else None, session)
