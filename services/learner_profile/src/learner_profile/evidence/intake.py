"""What a batch adds to a learner's evidence and what it takes away. Plain functions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from learner_profile.evidence.reading import Reading, Voiding


@dataclass(frozen=True, slots=True)
class Intake:
    """`new`: readings without a row. `voided`: statements to void. `takes_back`: whether one of them had counted."""

    new: tuple[Reading, ...]
    voided: tuple[str, ...]
    takes_back: bool

    @property
    def empty(self) -> bool:
        return not self.new and not self.voided


def sort_out(batch: Iterable[Reading | Voiding], known: Mapping[str, bool]) -> Intake:
    """Sort a learner's batch, in which anything may stand twice and in any order.

    `known`: statement → whether it is voided, for those that have a row.
    """
    readings: dict[str, Reading] = {}
    targets: dict[str, None] = {}
    for item in batch:
        if isinstance(item, Voiding):
            targets[item.target] = None
        else:
            readings.setdefault(item.statement_id, item)
    return Intake(
        new=tuple(r for statement, r in readings.items() if statement not in known and statement not in targets),
        voided=tuple(target for target in targets if not known.get(target, False)),
        takes_back=any(known.get(target) is False for target in targets),
    )
