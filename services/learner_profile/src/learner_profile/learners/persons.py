"""What the learners who are one person have together: rows of evidence, totals, and the base record that counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from learner_profile.evidence.acts import totals_among
from learner_profile.evidence.repository import EvidenceRepository, Row
from learner_profile.learners.profiles import Base
from learner_profile.retention.bases import BaseRepository


@dataclass(frozen=True, slots=True)
class Made:
    """What a person's profile is made of. `rows`: in their order, those that are not part of the `base`; `changed`:
    learner → statement → whether it is a total now, where it was not or was.
    """

    rows: list[Row]
    base: Base | None
    changed: Mapping[str, Mapping[str, bool]]


async def read(tenant: str, person: Sequence[str], evidence: EvidenceRepository, bases: BaseRepository) -> Made:
    """As `made_of`, from what is stored now."""
    return made_of(person, await evidence.of_learners(tenant, person), await bases.load(tenant, person))


def made_of(person: Sequence[str], rows: Mapping[str, Sequence[Row]], bases: Mapping[str, Base]) -> Made:
    """Of those in `person` the one under whom the profile is kept comes first.

    States cannot be added up: of several base records the first that this model can go on from counts. Where there is
    none, all rows that are left are counted by themselves.
    """
    based = next((one for one in person if one in bases and bases[one].folded is not None), None)
    own = {one: rows.get(one, []) for one in person}
    now = together(own, based=based)
    kept = sorted(beside_base(now, based), key=lambda row: (row.reading.at, row.reading.statement_id))
    return Made(kept, None if based is None else bases[based], _changed(own, now))


def together(rows: Mapping[str, Sequence[Row]], *, based: str | None = None) -> list[tuple[str, Row]]:
    """A person's rows, each with the learner whose it is, and the totals that all of them together show, whatever was
    known when each one came. What two of the person's learners reached in one group is there once.

    Where some of the `based` learner's are gone into a base record what was a total stays one: the parts may be there.
    """
    once = {row.reading.statement_id: (learner, row) for learner, found in rows.items() for row in found}
    totals = totals_among(row.reading for _, row in once.values())
    return [
        (learner, replace(row, total=statement in totals or (learner == based and row.total)))
        for statement, (learner, row) in once.items()
    ]


def beside_base(rows: Sequence[tuple[str, Row]], based: str | None) -> list[Row]:
    """What is folded on: all rows but those of the `based` learner that the base record holds already."""
    return [row for one, row in rows if not (one == based and row.based)]


def in_order(rows: Mapping[str, Sequence[Row]]) -> list[Row]:
    """A person's rows in the order in which they are folded."""
    return sorted((row for _, row in together(rows)), key=lambda row: (row.reading.at, row.reading.statement_id))


def _changed(before: Mapping[str, Sequence[Row]], now: Sequence[tuple[str, Row]]) -> dict[str, dict[str, bool]]:
    """Learner → statement → whether it is a total now, where it was not or was."""
    held = {(learner, row.reading.statement_id): row.total for learner, found in before.items() for row in found}
    changed: dict[str, dict[str, bool]] = {}
    for learner, row in now:
        if held[learner, row.reading.statement_id] != row.total:
            changed.setdefault(learner, {})[row.reading.statement_id] = row.total
    return changed
