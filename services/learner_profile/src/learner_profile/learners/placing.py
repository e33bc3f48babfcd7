"""A learner's state placed on the frameworks and beside what teachers say: what all pages about it are made of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from learner_model.placement import Placement
from learner_model.state import empty
from service_kit.frameworks import Around, FrameworkRepository

from learner_profile.estimates.repository import EstimateRepository
from learner_profile.estimates.said import Apart, Aside, Said, Word, last_words, overrulings, set_aside
from learner_profile.learners.profiles import Profile


@dataclass(frozen=True)
class Placed:
    """`history`: all that teachers said of the learner's estimates."""

    placement: Placement
    around: Around = field(default_factory=Around)
    history: Sequence[Word] = ()
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def said(self) -> dict[str, Said]:
        """The last words, by competency."""
        return last_words(self.history)

    @property
    def aside(self) -> dict[Apart, Aside]:
        """What teachers have set aside."""
        return set_aside(self.history)


@dataclass(frozen=True)
class Placing:
    """Reads what lies around a profile."""

    frameworks: FrameworkRepository
    estimates: EstimateRepository

    async def __call__(self, profile: Profile, as_of: datetime, beside: Iterable[str] = ()) -> Placed:
        """The profile at that time; `beside`: competencies to be placed even where nothing is known of them."""
        state = profile.state or empty()
        around = await self.frameworks.around(profile.tenant, {*state.competencies, *beside})
        histories = await self.estimates.of_people(profile.tenant, [profile.learner])
        history = histories.get(profile.learner, ())
        placement = Placement(state, as_of, around.frameworks, overrulings(history))
        titles = {**profile.titles, **around.titles}
        return Placed(placement, around, history, titles)
