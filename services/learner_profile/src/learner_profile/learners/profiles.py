"""A learner's profile and how evidence changes it. Plain functions on frozen structs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from learner_model import Evidence, EvidenceKey, EvidenceKind, Folded, LearnerState
from learner_model.folder import Folder
from learner_model.overruling import Overruling
from learner_model.reading import state_of
from learner_model.state import EPOCH, LastKey, microseconds
from msgspec import Struct, field
from msgspec.structs import replace

from learner_profile.estimates.said import Apart
from learner_profile.evidence.mapping import Mapped, evidence_of
from learner_profile.evidence.reading import Reading


class Status(StrEnum):
    """`closed`: the purpose `profile` is stopped. `erased`: only the last word to Kafka is still to be said."""

    OPEN = "open"
    CLOSED = "closed"
    ERASED = "erased"


Place = tuple[int, str]
Reflects = tuple[int, str]
"""The statement with the greatest stored time (microseconds, then id) among the evidence: order-free."""


class Collaboration(NamedTuple):
    """What was reached in groups: how many results, of how many people together, how many of them with a correctness
    and the sum of those; microseconds of the last one. Sums, so that it stays as small as it is.
    """

    acts: int = 0
    members: int = 0
    scored: int = 0
    correct: float = 0.0
    last_us: int = 0


ALONE: Final = Collaboration()
_NOTHING_SAID: Final[Mapping[str, Overruling]] = {}


class Earlier(NamedTuple):
    """What the version `model` of the model said of competencies. `state` None: nothing that can be read any more."""

    model: int
    until: datetime
    state: LearnerState | None


class Base(Struct, frozen=True, kw_only=True):
    """What a learner's evidence up to a place (microseconds, statement id) had added up to when it was deleted.

    `newest_us`: when the newest of it was stored. `folded` None: a model made it that this one cannot read. `earlier`:
    what older versions of the model said of competencies, which this one does not go on from.
    """

    place: Place
    newest_us: int
    folded: Folded | None
    titles: Mapping[str, str] = field(default_factory=dict)
    collaboration: Collaboration = ALONE
    reflects: Reflects | None = None
    earlier: tuple[Earlier, ...] = ()


class Profile(Struct, frozen=True, kw_only=True):
    """What is kept of a learner beside the rows. `folded` None: to be built from the rows, or closed. `said`: the last
    words of teachers on competencies; `aside`: what else they have set aside.
    """

    tenant: str
    learner: str
    status: Status = Status.OPEN
    version: int = 0
    folded: Folded | None = None
    titles: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, Overruling] = field(default_factory=dict)
    aside: tuple[Apart, ...] = ()
    collaboration: Collaboration = ALONE
    reflects: Reflects | None = None
    dirty: bool = False
    traceparent: str | None = None

    @property
    def state(self) -> LearnerState | None:
        """What readers see; made anew at each look."""
        return None if self.folded is None else state_of(self.folded)

    @property
    def statements(self) -> int:
        """How many were folded."""
        return 0 if self.folded is None else self.folded.statements

    @property
    def says_nothing(self) -> bool:
        """Whether it was built and nothing was found: whatever there was is voided, or another person's again."""
        return self.folded is not None and not (self.statements or self.said or self.aside)


def folded_on(profile: Profile, new: Iterable[Reading], catalog: Mapping[str, Mapped], folder: Folder) -> Profile:
    """The profile with new readings; one to be built anew where any of them does not come at the end, or where an older
    version of the model made what there is (which serves until then).
    """
    ordered = _in_order(new)
    if profile.status != Status.OPEN:
        return reopened(profile)
    kept = profile.folded
    if profile.dirty or (kept is None and profile.version > 0) or (kept is not None and not kept.current):
        return replace(profile, dirty=True)
    if not ordered:
        return profile
    last = kept.last if kept is not None else None
    if last is not None and _last_key(ordered[0]) <= last:
        return replace(profile, dirty=True)
    return _fold(profile, ordered, catalog, folder)


def built_anew(
    profile: Profile,
    rows: Iterable[Reading],
    catalog: Mapping[str, Mapped],
    folder: Folder,
    said: Mapping[str, Overruling] = _NOTHING_SAID,
    base: Base | None = None,
    aside: Sequence[Apart] = (),
) -> Profile:
    """The profile as all its rows and the teachers' words say, whatever it was before.

    With a base it starts from there; `rows` are those that are not part of it.
    """
    blank = replace(closed(profile), status=Status.OPEN, version=profile.version, said=said, aside=tuple(aside))
    if base is None:
        return _fold(blank, _in_order(rows), catalog, folder)
    begun = replace(
        blank,
        folded=base.folded,
        titles=base.titles,
        collaboration=base.collaboration,
        reflects=base.reflects,
    )
    return _fold(begun, _in_order(behind(base.place, one) for one in rows), catalog, folder)


def behind(place: Place, reading: Reading) -> Reading:
    """What came too late to be part of the base is folded right behind it."""
    if (microseconds(reading.at), reading.statement_id) > place:
        return reading
    return replace(reading, at=EPOCH + timedelta(microseconds=place[0] + 1))


def closed(profile: Profile) -> Profile:
    """The profile of a learner whose `profile` is stopped: nothing derived is left in it."""
    return replace(
        profile,
        status=Status.CLOSED,
        version=profile.version + 1,
        folded=None,
        titles={},
        said={},
        aside=(),
        collaboration=ALONE,
        reflects=None,
        dirty=False,
    )


def reopened(profile: Profile) -> Profile:
    """Open again; the state comes from the rows."""
    return replace(profile, status=Status.OPEN, folded=None, dirty=True)


def erased(profile: Profile) -> Profile:
    """What stands in the learner's place until Kafka has the tombstone."""
    return replace(closed(profile), status=Status.ERASED)


def _fold(profile: Profile, ordered: Iterable[Reading], catalog: Mapping[str, Mapped], folder: Folder) -> Profile:
    titles = dict(profile.titles)
    together, reflects = profile.collaboration, profile.reflects
    found: list[Evidence] = []
    for reading in ordered:
        evidence = evidence_of(reading, catalog)
        found.append(evidence)
        together = _together_after(together, reading)
        reflects = max(reflects or (0, ""), (microseconds(reading.stored), reading.statement_id))
        titles |= _titles(reading, evidence)
    return replace(
        profile,
        version=profile.version + 1,
        folded=folder.fold(profile.folded, found),
        titles=titles,
        collaboration=together,
        reflects=reflects,
    )


def _titles(reading: Reading, evidence: Evidence) -> dict[str, str]:
    """The names that the statement itself gives to what the evidence counts towards."""
    towards = {competency for competency, _ in evidence.competencies}
    named = [(claim.id, claim.title) for claim in reading.claims]
    named += [(reading.course.id, reading.course.title)] if evidence.provisional and reading.course else []
    return {name: title for name, title in named if title is not None and name in towards}


def _together_after(before: Collaboration, reading: Reading) -> Collaboration:
    """With one reading more; only a group's counts, and of a total that its parts sum up nothing."""
    if reading.group_members is None or reading.kind == EvidenceKind.SUMMARY:
        return before
    scored = reading.correctness is not None
    return Collaboration(
        before.acts + 1,
        before.members + reading.group_members,
        before.scored + scored,
        round(before.correct + (reading.correctness or 0.0), 4),
        max(before.last_us, microseconds(reading.at)),
    )


def _in_order(readings: Iterable[Reading]) -> list[Reading]:
    """What is folded, in the learner's order."""
    return sorted((one for one in readings if not one.of_group), key=key_of)


def _last_key(reading: Reading) -> LastKey:
    return LastKey(microseconds(reading.at), reading.statement_id)


def key_of(reading: Reading) -> EvidenceKey:
    return (reading.at, reading.statement_id)
