"""The state of a learner: small, bounded whatever the length of the history, the same bytes for the same evidence.

Everything that repeats is a NamedTuple, which crosses JSON as an array: 20 competencies fit in 4 KB, 150 in 16 KB.
Times inside are whole seconds since the epoch (UTC); the last key alone keeps its microseconds, since it decides order.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pydantic import TypeAdapter

from learner_model.evidence import EvidenceKey
from learner_model.parameters import MODEL_VERSION, PRIOR_VARIANCE

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CompetencyState(NamedTuple):
    """What is believed of one competency as of its last response: logit ~ Normal(mean, variance)."""

    mean: float
    variance: float
    evidence_count: int
    successes: float
    exposures: int
    last_response: int
    seen_after: int
    half_life_days: float
    provisional: bool

    @property
    def last_seen(self) -> int:
        """When the competency was last seen, with a response or without; kept as what came after the last response."""
        return self.last_response + self.seen_after


class Belief(NamedTuple):
    """A normal belief about a logit."""

    mean: float
    variance: float


class Interest(NamedTuple):
    """The decayed sum of choices for a tag as of `at`; `discipline`: it came first among an activity's tags."""

    score: float
    at: int
    discipline: bool = False


class Trend(NamedTuple):
    """A running figure: how many went in, its value lately, and usually."""

    samples: int = 0
    recent: float = 0.0
    usual: float = 0.0


class Pace(NamedTuple):
    """Log of actual over expected duration; and, for activities without an expected one, log seconds."""

    expected: Trend = Trend()
    unexpected: Trend = Trend()


class Activity(NamedTuple):
    """How much, since when. Days are distinct UTC dates, counted exactly: evidence comes in order of time."""

    statements: int = 0
    first: int = 0
    last: int = 0
    active_days: int = 0


class Days(NamedTuple):
    """On which days (UTC, since the epoch) something was done: bit n of `bits` stands for the nth day before `last`."""

    first: int = 0
    last: int = 0
    bits: int = 0


class Regulation(NamedTuple):
    """`failures`: how often an activity went wrong; `returns`: how often one that had was taken up again; `reviews`:
    how often one that was done already.
    """

    failures: int = 0
    returns: int = 0
    reviews: int = 0


class Recent(NamedTuple):
    """The last outcome on an activity, which stands here by its short key (see `outcomes.activity_key`)."""

    activity: str
    at: int
    outcome: int


class LastKey(NamedTuple):
    """The key of the last evidence folded: microseconds since the epoch, statement id."""

    at_us: int
    statement_id: str


_NO_ABILITY = Belief(0.0, PRIOR_VARIANCE)
_NO_PACE = Pace()
_NO_ACTIVITY = Activity()
_NO_DAYS = Days()
_NO_REGULATION = Regulation()


@dataclass(frozen=True, slots=True)
class LearnerState:
    """The fold of a learner's evidence. `model` names the version of the model that made it."""

    model: int = MODEL_VERSION
    last: LastKey | None = None
    ability: Belief = _NO_ABILITY
    competencies: dict[str, CompetencyState] = field(default_factory=dict)
    interests: dict[str, Interest] = field(default_factory=dict)
    pace: Pace = _NO_PACE
    activity: Activity = _NO_ACTIVITY
    days: Days = _NO_DAYS
    regulation: Regulation = _NO_REGULATION
    recent: tuple[Recent, ...] = ()
    completed: str = ""


_ADAPTER = TypeAdapter(LearnerState)


def empty() -> LearnerState:
    """The state of a learner of whom nothing is known."""
    return LearnerState()


def last_key(state: LearnerState) -> EvidenceKey | None:
    """The key of the last evidence folded in; what has a greater one can be folded on."""
    if state.last is None:
        return None
    return (EPOCH + timedelta(microseconds=state.last.at_us), state.last.statement_id)


def encode(state: LearnerState) -> bytes:
    """The state as compact JSON; equal sets of evidence give equal bytes."""
    return _ADAPTER.dump_json(state)


def decode(data: bytes) -> LearnerState:
    """The state that `encode` wrote. Raises pydantic's ValidationError on anything else."""
    return _ADAPTER.validate_json(data)


def microseconds(at: datetime) -> int:
    """Whole microseconds since the epoch, without the rounding of float seconds."""
    return (at - EPOCH) // timedelta(microseconds=1)
