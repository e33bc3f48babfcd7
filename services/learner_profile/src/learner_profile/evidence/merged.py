"""New rows of people who are several learners: whether they can be folded on the one state, or it is built anew.

Each learner's rows were sorted out beside that learner's own. They can be folded on where the rows of all of the
person's learners together say the same of them: none is there twice, and the same ones are totals of others.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service_kit.mongo import Session

from learner_profile.evidence.acts import Held, sort_out_totals, ties_of
from learner_profile.evidence.repository import EvidenceRepository, Row, linked


@dataclass(frozen=True, slots=True)
class Person:
    """`everyone`: all of the person's learners, first the one with the profile; `new`: rows of each that has any."""

    everyone: tuple[str, ...]
    new: Mapping[str, Sequence[Row]]

    @property
    def rows(self) -> list[Row]:
        return [row for rows in self.new.values() for row in rows]


async def to_fold_on(
    evidence: EvidenceRepository, tenant: str, people: Sequence[Person], session: Session
) -> list[Person]:
    """Those whose rows need nothing else. To be asked before the rows are written."""
    found = [one for one in people if max(_counted(one).values(), default=1) == 1]
    elsewhere = [
        (learner, statement) for one in found for learner in one.everyone for statement in _counted(one)
    ]  # a learner's own row is none of the new ones
    known = {pair for pair, voided in (await evidence.known(tenant, elsewhere, session)).items() if not voided}
    held = await evidence.held(
        tenant,
        {
            learner: linked(tenant, learner, (row.reading for row in one.rows)).values()
            for one in found
            for learner in one.everyone
        },
        session,
    )
    return [
        one
        for one in found
        if not any((learner, statement) in known for learner in one.everyone for statement in _counted(one))
        and _says_the_same(one, [held[learner] for learner in one.everyone])
    ]


def _counted(person: Person) -> Counter[str]:
    return Counter(row.reading.statement_id for row in person.rows)


def _says_the_same(person: Person, held: Sequence[Held]) -> bool:
    """Whether the same rows are totals beside those of all learners as beside the own ones."""
    ties = {row.reading.statement_id: ties_of(row.reading) for row in person.rows}
    of_all = Held(frozenset().union(*(one.parts for one in held)), frozenset().union(*(one.wholes for one in held)))
    found = sort_out_totals({name: one for name, one in ties.items() if one.whole}, of_all)
    return not found.takes_back and found.totals == {row.reading.statement_id for row in person.rows if row.total}
