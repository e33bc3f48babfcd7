"""Every metric's name is born here: kind, unit, meaning, and what to do when it moves."""

from dataclasses import dataclass
from typing import Final, Literal

from opentelemetry import metrics
from opentelemetry.metrics import Counter, Histogram


@dataclass(frozen=True)
class Metric:
    name: str
    kind: Literal["counter", "histogram"]
    unit: str
    meaning: str
    action: str


STATEMENTS_STORED: Final = Metric(
    "trellis.ingest.statements.stored",
    "counter",
    "{statement}",
    "Statements stored and acknowledged.",
    "A fall to nothing in school hours: look whether the LMS still reaches ingest.",
)
STATEMENTS_NOT_RECORDED: Final = Metric(
    "trellis.ingest.statements.not_recorded",
    "counter",
    "{statement}",
    "Valid statements of learners who do not allow `record`.",
    "A sudden rise: a policy was changed, or a whole class objected.",
)
STATEMENTS_REFUSED: Final = Metric(
    "trellis.ingest.statements.refused",
    "counter",
    "{request}",
    "Requests refused as invalid.",
    "A rise after an LMS upgrade: its emitter sends something new.",
)
EVIDENCE_FOLDED: Final = Metric(
    "trellis.learner_profile.evidence.folded",
    "counter",
    "{statement}",
    "Pieces of evidence folded into states.",
    "Compare with statements stored: a growing gap is lag.",
)
LEARNERS_REBUILT: Final = Metric(
    "trellis.learner_profile.learners.rebuilt",
    "counter",
    "{learner}",
    "States folded anew from their rows.",
    "High for long: statements arrive out of order, or a mapping changes often.",
)
RECOMMENDATIONS_SERVED: Final = Metric(
    "trellis.recommendation.served",
    "counter",
    "{request}",
    "Lists of recommendations given.",
    "None.",
)
ALL: Final = (
    STATEMENTS_STORED,
    STATEMENTS_NOT_RECORDED,
    STATEMENTS_REFUSED,
    EVIDENCE_FOLDED,
    LEARNERS_REBUILT,
    RECOMMENDATIONS_SERVED,
)


def counter(metric: Metric) -> Counter:
    return metrics.get_meter("trellis").create_counter(metric.name, metric.unit, metric.meaning)


def histogram(metric: Metric) -> Histogram:
    return metrics.get_meter("trellis").create_histogram(metric.name, metric.unit, metric.meaning)
