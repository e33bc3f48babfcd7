"""The fold: evidence in, what is kept of a learner out. The same set of evidence gives the same, byte for byte."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from learner_model.additive.answers import figures
from learner_model.additive.identity import identity
from learner_model.additive.kernel import Kernel, plain
from learner_model.additive.layout import GENERAL, LATELY, MOST_SKILLS, NO_TIME, SKILLS_AT_ONCE, Answer
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
        habits, opened = Habits.of(before), False
        for row in rows:
            evidence = with_help(row, habits.help)
            further = habits.take(row)
            answered = is_answer(evidence)
            if evidence.kind == EvidenceKind.SUMMARY or not (answered or evidence.competencies):
                continue
            version = self.versions.of(evidence.stored)
            if not opened:
                self._open(before, version)
                opened = True
            if further and not answered and self._all_met(evidence):
                continue
            self._take(evidence, version, answered=answered)
        if not opened:
            return habits.packed(before.coded_names, before.memory)
        return habits.packed(self._names, pack(self._memory, self.kernel.put_rows))

    def _open(self, before: Folded, version: Loaded) -> None:
        self._names, memory = before.coded_names, before.memory
        if memory:
            unpack(memory, list(self._names.identities), self._memory, self.kernel.take_rows)
        else:
            self.kernel.forget_all(self._memory, version.hyper)

    def _take(self, evidence: Evidence, version: Loaded, *, answered: bool) -> None:
        kernel, memory, terms = self.kernel, self._memory, self._terms
        shares, places = self._room
        skills, about = self._skills(evidence)
        correct, at, duration, hints, weight, harder = figures(evidence)
        provisional = float(evidence.provisional)
        if answered:
            answer = Answer(identity(evidence.activity_id), at, correct, duration, hints, weight, harder)
            kernel.take_answer(
                memory, terms, version.weights, version.hyper, answer, skills, about, shares, places, provisional
            )
        else:
            kernel.take_exposure(memory, terms, version.weights, version.hyper, skills, places, at, provisional)

    def _all_met(self, evidence: Evidence) -> bool:
        return all(identity(name) in self._names.identities for name, _ in evidence.competencies[:SKILLS_AT_ONCE])

    def _skills(self, evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
        """Identities of the competencies, and how much the evidence is about each. Names stand in the rows' order."""
        about = dict(evidence.competencies[:SKILLS_AT_ONCE])
        found = {identity(name): weight for name, weight in about.items()}
        names = self._names
        for name, one in zip(about, found, strict=False):
            if one not in names.identities:
                if len(names) == MOST_SKILLS:
                    names.drop_last()
                names.add(name)
        return np.array(list(found), dtype=np.int64), np.array(list(found.values()), dtype=np.float64)


def centred(parameters: Parameters) -> Parameters:
    """Parameters to fold with: they know what they tell of a learner of whom nothing is known."""
    kernel, memory, (_, places) = plain(), blank(), room()
    version, nobody = loaded(parameters.centred(0.0, 0.0)), np.zeros(0, dtype=np.int64)
    kernel.forget_all(memory, version.hyper)
    kernel.take_exposure(memory, workbench(), version.weights, version.hyper, nobody, places, NO_TIME, 0.0)
    return parameters.centred(float(memory.whole[GENERAL]), float(memory.whole[LATELY]))
