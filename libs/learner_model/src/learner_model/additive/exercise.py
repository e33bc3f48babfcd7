"""Every compiled function once, with the types that production and the trainer call it with."""

from datetime import UTC, datetime, timedelta

import numpy as np

from learner_model.additive.kernel import Kernel
from learner_model.additive.replaying import Answers
from learner_model.evidence import Evidence, EvidenceKind
from learner_model.folder import Folder


def exercise(kernel: Kernel) -> None:
    """As `fold_once`, and replay one answer."""
    from learner_model.additive.training import Trainer

    fold_once(kernel)
    none, one, whole = np.full(1, -1.0), np.zeros(1, dtype=np.int64), np.ones(1)
    answers = Answers(one, one, one, whole, np.array([0, 1]), whole, none, none, none, whole, np.zeros(1))
    Trainer().run(answers, one)


def fold_once(kernel: Kernel) -> None:
    """Fold a few pieces of evidence: what production needs is loaded by then."""
    folder, at = Folder(kernel=kernel), datetime(2026, 1, 1, tzinfo=UTC)
    before = None
    for number, kind in enumerate((EvidenceKind.RESPONSE, EvidenceKind.EXPOSURE, EvidenceKind.RESPONSE)):
        moment = at + timedelta(hours=number)
        evidence = Evidence(
            statement_id=str(number),
            at=moment,
            stored=moment,
            activity_id="a",
            verb_id="v",
            kind=kind,
            competencies=(("c", 1.0),),
            correctness=1.0 if kind == EvidenceKind.RESPONSE else None,
        )
        before = folder.fold(before, [evidence])
