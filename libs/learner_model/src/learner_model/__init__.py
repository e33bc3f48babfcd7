"""Mastery, forgetting, interest and pace as pure folds over evidence.

A learner's state is a function of the set of evidence: `folder.Folder.fold_all` sorts by (evidence time, statement id),
and `fold` takes more that comes after everything folded so far. What a reader sees is reckoned at a time it names
(`as_of`), so that forgetting needs no event. No I/O, no clock, no random.

Here stands what readers need, without numpy; what folds is imported from `folder`, `reading` and `additive`.
"""

from learner_model.competency import due_at, mastery, probability, uncertainty
from learner_model.evidence import Evidence, EvidenceKey, EvidenceKind
from learner_model.folded import Folded
from learner_model.folding import OutOfOrderError
from learner_model.outcomes import Outcome, is_done, outcome_of
from learner_model.parameters import MASTERY_THRESHOLD, MODEL_VERSION
from learner_model.state import CompetencyState, LearnerState, decode, empty, encode, last_key
from learner_model.views import CompetencyView, InterestView, LearnerView, PaceView, StrengthView, view

__all__ = [
    "MASTERY_THRESHOLD",
    "MODEL_VERSION",
    "CompetencyState",
    "CompetencyView",
    "Evidence",
    "EvidenceKey",
    "EvidenceKind",
    "Folded",
    "InterestView",
    "LearnerState",
    "LearnerView",
    "OutOfOrderError",
    "Outcome",
    "PaceView",
    "StrengthView",
    "decode",
    "due_at",
    "empty",
    "encode",
    "is_done",
    "last_key",
    "mastery",
    "outcome_of",
    "probability",
    "uncertainty",
    "view",
]
