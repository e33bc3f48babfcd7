"""What this service holds on a learner, as the privacy service collects it: the model, and each piece of evidence."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from learner_model import view
from learner_model.state import EPOCH, microseconds
from service_kit.subjects import Item, Record

from learner_profile.estimates.said import pack
from learner_profile.evidence.mapping import looked_up
from learner_profile.evidence.repository import Place
from learner_profile.learners.profiles import Earlier
from learner_profile.learners.schemas import EvidenceOut, LearnerOut
from learner_profile.state import State

PAGE: Final = 200


@dataclass(frozen=True)
class HeldByProfile:
    """`service_kit.subjects.Held`."""

    state: State

    async def __call__(self, tenant: str, learner: str) -> AsyncIterator[Item]:
        profile = (await self.state.learners.load(tenant, [learner])).get(learner)
        if profile is not None and profile.folded is not None:
            placed = await self.state.placing(profile, self.state.clock())
            yield Record("profile", LearnerOut.of(profile, placed).model_dump_json().encode())
        for one in (await self.state.placing.estimates.load(tenant, [learner])).get(learner, ()):
            yield Record("estimate", pack([one])[1:-1])
        base = (await self.state.bases.load(tenant, [learner])).get(learner)
        if base is not None:
            until = EPOCH + timedelta(microseconds=base.place[0])
            yield Record.of("base", {"until": until, "what": "the profile starts from what was learned until then"})
            for earlier in base.earlier:
                yield Record.of("base", _told(earlier))
        role = (await self.state.roles.known(tenant, [learner])).get(learner)
        if role is not None:
            yield Record("role", role.model_dump_json().encode())
        for claim in await self.state.claims.of_learners(tenant, [learner]):
            yield Record.of("claims", claim)
        before: Place | None = None
        while page := await self.state.evidence.timeline(tenant, [learner], before, PAGE):
            catalog = await self.state.activities.known(tenant, looked_up(row.reading for row in page))
            for row in page:
                yield Record("evidence", EvidenceOut.of(row, catalog).model_dump_json().encode())
            before = (microseconds(page[-1].reading.at), page[-1].reading.statement_id)


def _told(earlier: Earlier) -> dict[str, Any]:
    """What an older version of the model said, and that it does not go on."""
    seen = view(earlier.state, earlier.until).competencies if earlier.state is not None else []
    what = "an earlier version of the model said this; the profile does not go on from it"
    known = {one.id: {"probability": one.probability, "evidence": one.evidence_count} for one in seen}
    return {"until": earlier.until, "model": earlier.model, "what": what, "competencies": known}
