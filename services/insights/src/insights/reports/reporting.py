"""A report: read, sum up, hide, write down."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from learner_model import LearnerState, mastery
from learner_model.frameworks import Frameworks
from learner_model.placement import Placement
from service_kit.clock import Clock
from service_kit.consent import ConsentView, Standing, Standings
from service_kit.frameworks import Around, FrameworkRepository
from service_kit.merging import Merges
from service_kit.problems import NotFound

from insights.reports.disclosure import LAYERS, Disclosure, Layer, disclose
from insights.reports.figures import NOTHING, Pupil, Tally, idle, learner_mastery
from insights.reports.schemas import (
    Child,
    Crumb,
    Figure,
    Figures,
    Gap,
    Group,
    PupilNeed,
    Report,
    ScopeItem,
    Suppressed,
    Weakness,
)
from insights.reports.tallies import Part, Way, chain, scopes, tally
from insights.rosters.places import NATION, TOP, Place
from insights.rosters.repository import Member, RosterRepository
from insights.states.repository import Activity, Competencies, StateRepository

NATION_NAME: Final = "Nation"
WEAKEST: Final = 3


@dataclass(frozen=True)
class Reporter:
    rosters: RosterRepository
    states: StateRepository
    frameworks: FrameworkRepository
    consents: ConsentView
    clock: Clock
    merges: Merges

    async def report(self, tenant: str, scope: str, as_of: datetime, teacher: str | None = None) -> Report:
        """The report of a scope; with the pupils by name where the teacher's classes hold it.

        Raises `NotFound`, and `PolicyUnknown` where the tenant's policy has not arrived.
        """
        standings = await self.consents.everyone(tenant)
        activities = await self.states.activities(tenant)
        pupils = pupils_of(await self.rosters.learners(tenant), activities, standings)
        place = scopes(pupils).get(scope)
        if place is None:
            raise NotFound("The roster has no such scope")
        inside = [p for p in pupils if place in p.scopes]
        known = await self.states.competencies(
            tenant, [p.learner for p in inside if p.activity and p.activity.evidenced]
        )
        thresholds = await self.frameworks.thresholds(tenant)
        report = await asyncio.to_thread(build, place, pupils, known, as_of, thresholds)
        if teacher is not None:
            report.pupils = await self._needs(tenant, inside, standings, activities, as_of)
        return report

    async def classes(self, tenant: str, teacher: str | None) -> list[Place]:
        """A teacher's own classes."""
        if teacher is None:
            return []
        group = await self.merges.group(tenant, teacher)
        found = await self.rosters.entries(tenant, "teacher", group.everyone)
        return sorted({place for member in found for place in member.places})

    async def _needs(
        self,
        tenant: str,
        inside: Sequence[Pupil],
        standings: Standings,
        activities: Mapping[str, Activity],
        as_of: datetime,
    ) -> list[PupilNeed]:
        shown = [p.learner for p in inside if standings.of(p.learner).allows("teach")]
        open_ = [learner for learner in shown if standings.of(learner).allows("profile")]
        names = await self._names(tenant, shown, standings)
        known = await self.states.competencies(tenant, open_)
        profiled = set(open_)
        around = await self.frameworks.around(tenant, {one for c in known.values() for one in c.states})
        nothing = Competencies({}, {})

        def told() -> list[PupilNeed]:
            return [
                _need(
                    learner,
                    names.get(learner, ""),
                    activities.get(learner, NOTHING) if learner in profiled else NOTHING,
                    known.get(learner, nothing),
                    around,
                    as_of,
                )
                for learner in shown
            ]

        needs = await asyncio.to_thread(told)
        return sorted(needs, key=lambda n: (n.mean_mastery is None, n.mean_mastery or 0.0, n.name.casefold()))

    async def _names(self, tenant: str, learners: Sequence[str], standings: Standings) -> dict[str, str]:
        """Of each person the first of the names that the roster gives their learners."""
        people = {one: standings.everyone(one) for one in learners}
        names = await self.rosters.names(tenant, [one for everyone in people.values() for one in everyone])
        return {learner: next(filter(None, map(names.get, everyone)), "") for learner, everyone in people.items()}


def pupils_of(members: Sequence[Member], activities: Mapping[str, Activity], standings: Standings) -> list[Pupil]:
    """The roster's learners, each with what may be used for aggregates."""
    known = standings.states.keys() | standings.groups.keys()
    decided = {learner: _usable(standings.of(learner)) for learner in known}
    otherwise = _usable(Standing(standings.policy))
    found = []
    for member in _people(members, standings):
        usable = decided.get(member.learner, otherwise)
        places = member.places or (TOP,)
        steps = chain(places[0])
        if len(places) > 1:
            steps = tuple(dict.fromkeys(step for place in places for step in chain(place)))
        activity = activities.get(member.learner, NOTHING) if usable else None
        found.append(Pupil(member.learner, steps, places, member.attributes, activity))
    return found


def _people(members: Sequence[Member], standings: Standings) -> Sequence[Member]:
    """One member for each person: whoever is in two classes by two identifiers is in both, and counted once."""
    if not standings.groups:
        return members
    found: dict[str, Member] = {}
    for member in members:
        root = standings.root(member.learner)
        held = found.get(root)
        places = dict.fromkeys([*(held.places if held else ()), *member.places])
        attributes = {**member.attributes, **(held.attributes if held else {})}
        found[root] = Member(root, member.role, tuple(places), attributes)
    return list(found.values())


def _usable(standing: Standing) -> bool:
    return standing.allows("insights") and standing.allows("profile")


def build(
    place: Place,
    pupils: Sequence[Pupil],
    known: Mapping[str, Competencies],
    as_of: datetime,
    frameworks: Frameworks,
) -> Report:
    """The report of a scope from all learners of the roster: what is hidden depends on the scopes above, too."""
    masteries = {
        learner: value
        for learner, c in known.items()
        if (value := learner_mastery(c.states, as_of, frameworks)) is not None
    }
    way = tally(place, pupils, masteries, as_of)
    hidden = disclose(way)
    children = [_child(part, way, hidden, as_of) for part in way.last.ordered() if part != Part(place, direct=True)]
    rest = Part(place, direct=True)
    if children and rest in way.last.parts:
        children.append(_child(rest, way, hidden, as_of))
    gaps = [_gap(name, values, way, hidden) for name, values in way.attributes.items()]
    gaps = [gap for gap in gaps if gap.groups]
    path = [_crumb(step, as_of) for step in chain(place)]
    return Report(
        scope=place.scope,
        level=place.level,
        name=path[-1].name,
        parent=path[-2].scope if len(path) > 1 else None,
        path=path,
        as_of=as_of,
        suppressed=hidden.scope["learners"],
        figures=_figures(way.last.total, hidden.scope),
        gaps=gaps,
        children=children,
        suppressed_counts=Suppressed(
            children=sum(child.suppressed for child in children),
            groups=sum(group.suppressed for gap in gaps for group in gap.groups),
        ),
    )


def _figures(total: Tally, hidden: Mapping[Layer, bool]) -> Figures:
    def figure(layer: Layer, value: float | None, counted: int) -> Figure:
        if hidden["learners"]:
            return Figure(value=None, denominator=None, counted=None, suppressed=True)
        if hidden[layer]:
            return Figure(value=None, denominator=total.learners, counted=None, suppressed=True)
        return Figure(value=value, denominator=total.learners, counted=counted)

    share = (total.counted - total.active) / total.learners if total.counted else None
    mean = total.mastery_sum / total.evidenced if total.evidenced else None
    return Figures(
        learners=figure("learners", total.learners, total.learners),
        active=figure("counted", total.active if total.counted else None, total.counted),
        share_without_statement_14_days=figure("counted", _rounded(share), total.counted),
        statements=figure("counted", total.statements if total.counted else None, total.counted),
        mean_mastery=figure("evidenced", _rounded(mean), total.evidenced),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _child(part: Part, way: Way, hidden: Disclosure, as_of: datetime) -> Child:
    flags: dict[Layer, bool] = {layer: part in parts for layer, parts in hidden.parts.items()}
    figures = _figures(way.last.parts[part], flags)
    if part.direct:
        return Child(scope=None, name=None, level="none", href=None, suppressed=flags["learners"], figures=figures)
    crumb = _crumb(part.place, as_of)
    return Child(
        scope=crumb.scope,
        name=crumb.name,
        level=crumb.level,
        href=crumb.href,
        suppressed=flags["learners"],
        figures=figures,
    )


def _gap(name: str, values: Sequence[str], way: Way, hidden: Disclosure) -> Gap:
    groups = []
    found = way.last.total.attributes.get(name, {})
    for value in values:
        suppressed = value in hidden.values[name]
        total = found.get(value)
        if total is not None or suppressed:
            figures = _figures(total or Tally(), dict.fromkeys(LAYERS, suppressed))
            groups.append(Group(value=value or None, suppressed=suppressed, figures=figures))
    shown = [
        (g.figures.mean_mastery.value, g.value) for g in groups if g.value and g.figures.mean_mastery.value is not None
    ]
    lowest, highest = (min(shown), max(shown)) if len(shown) > 1 else ((None, None), (None, None))
    gap = _rounded(highest[0] - lowest[0]) if highest[0] is not None and lowest[0] is not None else None
    return Gap(attribute=name, groups=groups, gap=gap, highest=highest[1], lowest=lowest[1])


def _crumb(place: Place, as_of: datetime) -> Crumb:
    name = NATION_NAME if place == TOP else place.name
    return Crumb(scope=place.scope, level=place.level, name=name, href=href(place.scope, as_of))


def href(scope: str, as_of: datetime) -> str:
    """The drill-down link: the same time, another scope."""
    return f"/reports/{scope}?as_of={quote(written(as_of))}"


def written(as_of: datetime) -> str:
    return as_of.isoformat(timespec="seconds").replace("+00:00", "Z")


def scope_item(place: Place, as_of: datetime) -> ScopeItem:
    crumb = _crumb(place, as_of)
    return ScopeItem(scope=crumb.scope, level=crumb.level, name=crumb.name, href=crumb.href)


def _need(
    learner: str, name: str, activity: Activity, known: Competencies, around: Around, as_of: datetime
) -> PupilNeed:
    titles = {**known.titles, **around.titles}
    frameworks = around.frameworks
    rolled = Placement(LearnerState(competencies=dict(known.states)), as_of, frameworks).rolled
    whole = {above for id_ in rolled for above in frameworks.above([id_])}  # of which an area below says more
    areas = sorted((one.estimate.mastery, id_) for id_, one in rolled.items() if id_ not in whole)
    found = sorted(
        (mastery(c, as_of, frameworks.threshold(id_)), id_) for id_, c in known.states.items() if c.evidence_count > 0
    )
    return PupilNeed(
        learner_id=learner,
        name=name,
        mean_mastery=_rounded(learner_mastery(known.states, as_of, frameworks)),
        weakest=[_weakness(value, id_, titles) for value, id_ in found[:WEAKEST]],
        weakest_areas=[_weakness(value, id_, titles) for value, id_ in areas[:WEAKEST]],
        last_statement_at=activity.last_statement_at,
        idle=idle(activity.last_statement_at, as_of),
    )


def _weakness(value: float, competency: str, titles: Mapping[str, str]) -> Weakness:
    return Weakness(competency=competency, title=titles.get(competency, competency), mastery=round(value, 4))


__all__ = ["NATION", "Reporter", "build", "href", "pupils_of", "scope_item", "written"]
