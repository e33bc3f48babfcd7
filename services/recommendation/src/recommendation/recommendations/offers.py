"""A catalog made ready for ranking: what can be reckoned once, before any learner asks."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from events.payloads import CatalogActivity, CatalogCompetency
from learner_model.frameworks import Frameworks
from learner_model.outcomes import activity_key
from service_kit.frameworks import frameworks_of
from xapi.durations import seconds

_BANDWIDTHS = {"none": 0, "offline": 0, "low": 1, "medium": 2, "high": 3}


@dataclass(frozen=True, slots=True)
class Offer:
    """An activity. Its prerequisites, and those of its competencies in their framework, are split into competencies to
    be known and activities to be done.
    """

    activity: CatalogActivity
    key: str
    needs: tuple[str, ...]
    needs_done: tuple[str, ...]
    teaches: frozenset[str]
    seconds: float | None
    discipline: str

    @property
    def id(self) -> str:
        return self.activity.id


@dataclass(frozen=True)
class Catalog:
    """The offers by IRI, the titles of activities and competencies by id, and what is a part of what."""

    offers: tuple[Offer, ...]
    titles: Mapping[str, str]
    frameworks: Frameworks = field(default_factory=Frameworks)

    def name(self, thing: str) -> str:
        """A competency or an activity in words."""
        return self.titles.get(thing) or label(thing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the learner has: whatever is None does not matter."""

    language: str | None = None
    bandwidth: str | None = None
    modalities: frozenset[str] = frozenset()
    max_seconds: float | None = None

    def suit(self, offer: Offer) -> bool:
        """Whether the learner can use it. What the catalog leaves open suits."""
        activity = offer.activity
        return (
            _same_language(activity.language, self.language)
            and _enough(activity.bandwidth, self.bandwidth)
            and (not self.modalities or activity.modality is None or activity.modality.lower() in self.modalities)
            and (self.max_seconds is None or offer.seconds is None or offer.seconds <= self.max_seconds)
        )


def prepare(activities: Iterable[CatalogActivity], competencies: Iterable[CatalogCompetency] = ()) -> Catalog:
    """The catalog of these activities, on the frameworks of these competencies."""
    ordered = sorted(activities, key=lambda activity: activity.id)
    titles = {activity.id: activity.title for activity in ordered}
    known = {one.id: one for one in competencies}
    return Catalog(
        tuple(_offer(activity, titles, known) for activity in ordered),
        {name: one.title for name, one in known.items()} | titles,
        frameworks_of(known),
    )


def label(competency: str) -> str:
    """A competency's id in words: the last part that says something, without its punctuation."""
    last = unquote(re.split(r"[/#]|:(?!//)", competency.rstrip("/#"))[-1]) or competency
    words = re.split(r"[.]", last)
    said = words[-1] if len(words) > 1 and re.fullmatch(r"[^\W\d_][\w\- ]{2,}", words[-1]) else last
    return " ".join(re.split(r"[\s_\-+.]+", said)).strip() or competency


def _offer(
    activity: CatalogActivity, titles: Mapping[str, str], competencies: Mapping[str, CatalogCompetency]
) -> Offer:
    before = [p for c in activity.competencies if c in competencies for p in competencies[c].prerequisites]
    needs = [p for p in activity.prerequisites if p not in titles]
    needs += [p for p in before if p not in activity.competencies]
    return Offer(
        activity=activity,
        key=activity_key(activity.id),
        needs=tuple(dict.fromkeys(needs)),
        needs_done=tuple(p for p in activity.prerequisites if p in titles),
        teaches=frozenset(activity.competencies),
        seconds=seconds(activity.duration) if activity.duration else None,
        discipline=activity.tags[0] if activity.tags else "",
    )


def _same_language(offered: str | None, wanted: str | None) -> bool:
    """Primary subtags decide: a learner of `en` can use `en-GB` (RFC 4647, 3.3.1, both ways)."""
    if offered is None or wanted is None:
        return True
    return offered.lower().split("-")[0] == wanted.lower().split("-")[0]


def _enough(needed: str | None, there: str | None) -> bool:
    if needed is None or there is None:
        return True
    need, have = _BANDWIDTHS.get(needed.lower()), _BANDWIDTHS.get(there.lower())
    return needed.lower() == there.lower() if need is None or have is None else need <= have
