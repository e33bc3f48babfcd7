"""The fold: evidence in, what is kept of a learner out. The same set of evidence gives the same, byte for byte."""

from collections.abc import Iterable, Sequence
from typing import Final

from learner_model.additive.answers import Named, columns, skills_of
from learner_model.additive.identity import identity
from learner_model.additive.kernel import Kernel, plain
from learner_model.additive.layout import GENERAL, LATELY, MOST_SKILLS, SKILLS_AT_ONCE
from learner_model.additive.memory import MemoryVersionError, blank, pack, room, unpack, workbench
from learner_model.additive.weights import Parameters
from learner_model.coding import Names
from learner_model.evidence import Evidence, EvidenceKind
from learner_model.folded import Folded, nothing
from learner_model.folding import Habits
from learner_model.helped import is_answer, with_help
from learner_model.versions import Builtin, Loaded, Versions, loaded

_BUILTIN: Final = Builtin()


class Folder:
    """Folds one learner after the other; has room for one, so it is not for two threads.

    `kernel` may be changed for the other one at any time between folds: they give the same bits.
    """

    def __init__(self, versions: Versions = _BUILTIN, *, kernel: Kernel | None = None) -> None:
        self.versions = versions
        self.kernel = kernel or plain()
        self._memory, self._terms, self._room = blank(), workbench(), room()
        self._names = Names()

    def fold_all(self, rows: Iterable[Evidence]) -> Folded:
        """From all rows, in any order; a statement that stands there twice counts once."""
        return self.fold(None, sorted({row.statement_id: row for row in rows}.values(), key=lambda row: row.key))

    def fold(self, before: Folded | None, rows: Iterable[Evidence]) -> Folded:
        """With more evidence, in its order, all of which comes after what was folded (else OutOfOrderError).

        Raises `MemoryVersionError` where another version of the model made what was kept.
        """
        before = before or nothing()
        if before.data and not before.current:
            raise MemoryVersionError("made by an older version of the model")
        habits, version, part = Habits.of(before), None, list[Named]()
        for row in rows:
            evidence = with_help(row, habits.help)
            further = habits.take(row)
            answered = is_answer(evidence)
            if evidence.kind is EvidenceKind.SUMMARY or not (answered or evidence.competencies):
                continue
            its = self.versions.of(evidence.stored)
            if version is None:
                self._open(before, its)
            elif its is not version:
                self._take(part, version)
                part = []
            version = its
            if not (further and not answered and self._all_met(evidence)):
                part.append((evidence, self._named(evidence)))
        if version is None:
            return habits.packed(before.coded_names, before.memory)
        self._take(part, version)
        return habits.packed(self._names, pack(self._memory, self.kernel.put_rows))

    def _take(self, part: Sequence[Named], version: Loaded) -> None:
        if part:
            rows = columns(part)
            self.kernel.take(self._memory, self._terms, version.weights, version.hyper, rows, *self._room)

    def _open(self, before: Folded, version: Loaded) -> None:
        self._names, memory = before.coded_names, before.memory
        if memory:
            unpack(memory, list(self._names.identities), self._memory, self.kernel.take_rows)
        else:
            self.kernel.forget_all(self._memory, version.hyper)

    def _all_met(self, evidence: Evidence) -> bool:
        return skills_of(evidence).keys() <= self._names.identities.keys()

    def _named(self, evidence: Evidence) -> dict[int, float]:
        """How much the evidence is about each competency, by identity. Names stand in the rows' order."""
        names = self._names
        for name, _ in evidence.competencies[:SKILLS_AT_ONCE]:
            if identity(name) not in names.identities:
                if len(names) == MOST_SKILLS:
                    names.drop_last()
                names.add(name)
        return skills_of(evidence)


def centred(parameters: Parameters) -> Parameters:
    """Parameters to fold with: they know what they tell of a learner of whom nothing is known."""
    kernel, memory = plain(), blank()
    version = loaded(parameters.centred(0.0, 0.0))
    kernel.forget_all(memory, version.hyper)
    kernel.take(memory, workbench(), version.weights, version.hyper, columns(()), *room())
    return parameters.centred(float(memory.whole[GENERAL]), float(memory.whole[LATELY]))
