"""What this service holds on a learner, as the privacy service collects it: places in the roster, and the state."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from service_kit.subjects import Item, Record

from insights.rosters.repository import RosterRepository
from insights.states.repository import StateRepository


@dataclass(frozen=True)
class HeldByInsights:
    """`service_kit.subjects.Held`."""

    rosters: RosterRepository
    states: StateRepository

    async def __call__(self, tenant: str, learner: str) -> AsyncIterator[Item]:
        for named in await self.rosters.of_learner(tenant, learner):
            member = named.member
            yield Record.of(
                "roster",
                {
                    "role": member.role,
                    "display_name": named.name,
                    "places": [list(place) for place in member.places],
                    "attributes": dict(member.attributes),
                },
            )
        found = (await self.states.competencies(tenant, [learner])).get(learner)
        if found is not None:
            states = {name: list(state) for name, state in found.states.items()}
            yield Record.of("state", {"competencies": states, "titles": dict(found.titles)})
