"""What this service holds on a learner, as the privacy service collects it: its copy of the model, what it shows."""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Final

import orjson
from learner_model import view
from pydantic import TypeAdapter
from service_kit.clock import Clock
from service_kit.consent import ConsentView
from service_kit.subjects import Item, Record

from recommendation.catalog.held import HeldCatalogs
from recommendation.learners.repository import LearnerRepository
from recommendation.recommendations.endpoints import PURPOSES, recommendations_of
from recommendation.recommendations.offers import Means

SHOWN: Final = 10


@dataclass(frozen=True)
class HeldByRecommendation:
    """`service_kit.subjects.Held`."""

    learners: LearnerRepository
    held: HeldCatalogs
    consents: ConsentView
    clock: Clock

    async def __call__(self, tenant: str, learner: str) -> AsyncIterator[Item]:
        profile, now = await self.learners.get(tenant, learner), self.clock()
        if profile is None or profile.state is None:
            return
        catalog = await self.held.get(tenant)
        seen = view(profile.state, now, catalog.frameworks)
        model = TypeAdapter(type(seen)).dump_python(seen, mode="json")
        said = {name: asdict(one) for name, one in profile.said.items()}
        copy = {"reflects": profile.reflects, "titles": dict(profile.titles or {}), "model": model, "estimates": said}
        yield Record("copy_of_profile", orjson.dumps(copy))
        standing = await self.consents.standing(tenant, learner)
        if all(standing.allows(purpose) for purpose in PURPOSES):
            shown = recommendations_of(learner, catalog, profile, now, Means(), SHOWN)
            yield Record("recommendations", shown.model_dump_json().encode())
