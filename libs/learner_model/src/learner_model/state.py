"""The state of a learner as it is read and published: bounded whatever the length of the history.

Everything that repeats is a NamedTuple, which crosses JSON as an array.
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
    """What is told of one competency as of its last response: the logit of a right response to an item that is new to
    the learner ~ Normal(mean, variance). `base`: what it would be without the own responses, and without the last ones
    to whatever; forgetting leads there.
    """

    mean: float
    variance: float
    evidence_count: int
    successes: float
    exposures: int
    last_response: int
    seen_after: int
    half_life_days: float
    provisional: bool
    base: float = 0.0

    @property
    def last_seen(self) -> int:
        """When the competency was last seen, with a response or without; kept as what came after the last response."""
        return self.last_response + self.seen_after


class Level(NamedTuple):
    """What is told of the learner whatever the competency, in logits: what holds for all learners, the own level, and
    how things went lately.
    """

    for_all: float = 0.0
    own: float = 0.0
    lately: float = 0.0


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


class Help(NamedTuple):
    """Hints shown on an activity (by its short key) since it was answered last; only the last such activity."""

    activity: str = ""
    hints: int = 0


class LastKey(NamedTuple):
    """The key of the last evidence folded: microseconds since the epoch, statement id."""

    at_us: int
    statement_id: str


_NO_ABILITY = Belief(0.0, PRIOR_VARIANCE)
_NO_LEVEL = Level()
_NO_PACE = Pace()
_NO_ACTIVITY = Activity()
_NO_DAYS = Days()
_NO_REGULATION = Regulation()
_NO_HELP = Help()


@dataclass(frozen=True, slots=True)
class LearnerState:
    """The fold of a learner's evidence, as it is read. `model` names the version of the model that made it; `ability`
    is what is believed of a competency that is new to the learner; `watched`: see `watching`. What it is folded on from
    stands in `Folded`.
    """

    model: int = MODEL_VERSION
    last: LastKey | None = None
    ability: Belief = _NO_ABILITY
    level: Level = _NO_LEVEL
    competencies: dict[str, CompetencyState] = field(default_factory=dict)
    interests: dict[str, Interest] = field(default_factory=dict)
    pace: Pace = _NO_PACE
    activity: Activity = _NO_ACTIVITY
    days: Days = _NO_DAYS
    regulation: Regulation = _NO_REGULATION
    recent: tuple[Recent, ...] = ()
    completed: str = ""
    help: Help = _NO_HELP
    watched: str = ""


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
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
