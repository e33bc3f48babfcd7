"""Every metric's name is born here: kind, unit, meaning, and what to do when it moves.

`docs/metrics.md` is written from this module.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Counter, Meter, Observation

Reading = tuple[float, Mapping[str, str]]


@dataclass(frozen=True)
class Metric:
    name: str
    kind: Literal["counter", "gauge"]
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
STATEMENTS_QUARANTINED: Final = Metric(
    "trellis.ingest.statements.quarantined",
    "counter",
    "{statement}",
    "Refused statements of batches that were stored in part; they wait in the quarantine.",
    "Any: `trellis quarantine list` names the reasons. They expire after TRELLIS_QUARANTINE_DAYS.",
)
EMITTER_ALLOWANCES: Final = Metric(
    "trellis.ingest.emitters.allowances",
    "counter",
    "{statement}",
    "Statements taken beyond the standard, by `profile` and `allowance`.",
    "None; a fall to nothing after an LMS upgrade: its emitter keeps to the standard now, `strict` may do.",
)
EVIDENCE_FOLDED: Final = Metric(
    "trellis.learner_profile.evidence.folded",
    "counter",
    "{statement}",
    "Pieces of evidence folded into states.",
    "Compare with statements stored: a growing gap is lag.",
)
EVIDENCE_LATE: Final = Metric(
    "trellis.learner_profile.evidence.late",
    "counter",
    "{statement}",
    "Pieces of evidence stored longer after they happened than TRELLIS_LATE_EVIDENCE_DAYS; they count.",
    "Expected from offline schools; from others: a device's clock is wrong, or an old archive was imported.",
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
CONSUMER_LAG: Final = Metric(
    "trellis.consumer.lag",
    "gauge",
    "{message}",
    "Messages on the broker that a worker's group has not handled yet; one reading a `group`.",
    "Rising for minutes: look at `trellis.consumer.waiting`, then at its CPU; add replicas up to the partitions.",
)
CONSUMER_WAITING: Final = Metric(
    "trellis.consumer.waiting",
    "gauge",
    "s",
    "For how long a worker has been waiting for something (a policy, its database) with a batch in its hands.",
    "Over a minute: `/health/ready` of that worker names what it waits for. Nothing is lost meanwhile.",
)
CONSUMER_HANDLED: Final = Metric(
    "trellis.consumer.handled",
    "counter",
    "{message}",
    "Messages handled, by `group`.",
    "Flat while lag rises: the worker is stuck; its liveness probe restarts it.",
)
CONSENT_VIEW_AGE: Final = Metric(
    "trellis.consent.view.age",
    "gauge",
    "s",
    "How long ago privacy was last heard of on every partition of policies and consents; normally under a minute.",
    "Over two minutes: privacy's worker or Kafka is away. At TRELLIS_CONSENT_VIEW_MAX_AGE_SECONDS use stops (503, "
    'workers wait) while recording goes on; docs/guides/privacy.md, "When privacy is away".',
)
DEAD_LETTERS: Final = Metric(
    "trellis.consumer.dead_letters",
    "counter",
    "{message}",
    "Messages that could not be handled and lie in `<topic>.dlq` with their reason, by `group`.",
    "Any: read the reasons before the dead letters expire after 30 days. Many: the worker stops by itself.",
)
OUTBOX_AGE: Final = Metric(
    "trellis.outbox.age",
    "gauge",
    "s",
    "Age of the oldest change that waits for the broker, by `outbox`; 0 where none waits.",
    "Over ten seconds: Kafka is away or the relay is not running. Statements are safe in MongoDB and follow later.",
)
OUTBOX_PUBLISHED: Final = Metric(
    "trellis.outbox.published",
    "counter",
    "{document}",
    "Changes published, by `outbox`.",
    "Flat while age rises: see there.",
)
TRANSACTIONS_REPEATED: Final = Metric(
    "trellis.transactions.repeated",
    "counter",
    "{transaction}",
    "Transactions that began anew, since another one changed the same documents or the primary changed.",
    "As many as batches: two jobs are after the same documents at once, and half of the work is done for nothing.",
)
FORWARDING_LAG: Final = Metric(
    "trellis.ingest.forwarding.lag",
    "gauge",
    "s",
    "Age of the oldest statement that a forwarding has not sent on yet, by `forwarding`; 0 where none waits.",
    "Rising for minutes: `waits_for` of GET /forwardings says what the other LRS last answered. Nothing is lost.",
)
FORWARDING_FORWARDED: Final = Metric(
    "trellis.ingest.forwarding.forwarded",
    "counter",
    "{statement}",
    "Statements that the other LRS has taken, by `forwarding`.",
    "Flat while lag rises: see there.",
)
FORWARDING_DEAD: Final = Metric(
    "trellis.ingest.forwarding.dead_letters",
    "counter",
    "{statement}",
    "Statements that the other LRS refused, by `forwarding`.",
    "Any: read their reasons at GET /forwardings/{id}/dead-letters, mend, and replay.",
)
REQUESTS_ESCALATED: Final = Metric(
    "trellis.privacy.requests.escalated",
    "gauge",
    "{request}",
    "Open requests of data subjects: a service stays silent, or no officer has decided a week before the deadline.",
    "Any: GET /requests/{id} names who is silent; a pending one waits for an officer. The deadline is its `due_at`.",
)
RETENTION_RECORDS: Final = Metric(
    "trellis.retention.records",
    "counter",
    "{record}",
    "Records that retention rules have deleted or rewritten, by `service`.",
    "Flat while a run is `running`: that service's worker is away, or its view of consent is too old.",
)
RETENTION_ESCALATED: Final = Metric(
    "trellis.privacy.retention.escalated",
    "gauge",
    "{run}",
    "Runs of retention rules on which a service stays silent.",
    "Any: GET /retention-runs/{id} names the silent services.",
)
KEYS_UNCHECKED: Final = Metric(
    "trellis.keys.unchecked",
    "gauge",
    "{document}",
    "Documents that may still lie in the clear, from before there were keys; one reading a `place`.",
    "Should fall to 0 after an upgrade and stay there. Flat above 0: the worker does not run, or the keys are away.",
)
CLEAR_COPIES: Final = Metric(
    "trellis.keys.clear_copies",
    "gauge",
    "s",
    "How long the oplog or a topic may still hold clear bytes from before there were keys; a reading a `where`.",
    "Falls to 0 by itself. Until then an erasure is beyond anyone only for what was written sealed.",
)
ALL: Final = (
    STATEMENTS_STORED,
    STATEMENTS_NOT_RECORDED,
    STATEMENTS_REFUSED,
    STATEMENTS_QUARANTINED,
    EMITTER_ALLOWANCES,
    EVIDENCE_FOLDED,
    EVIDENCE_LATE,
    LEARNERS_REBUILT,
    RECOMMENDATIONS_SERVED,
    CONSUMER_LAG,
    CONSUMER_WAITING,
    CONSUMER_HANDLED,
    CONSENT_VIEW_AGE,
    DEAD_LETTERS,
    OUTBOX_AGE,
    OUTBOX_PUBLISHED,
    TRANSACTIONS_REPEATED,
    FORWARDING_LAG,
    FORWARDING_FORWARDED,
    FORWARDING_DEAD,
    REQUESTS_ESCALATED,
    RETENTION_RECORDS,
    RETENTION_ESCALATED,
    KEYS_UNCHECKED,
    CLEAR_COPIES,
)


def counter(metric: Metric) -> Counter:
    return metrics.get_meter("trellis").create_counter(metric.name, metric.unit, metric.meaning)


def observe(metric: Metric, read: Callable[[], Iterable[Reading]], meter: Meter | None = None) -> None:
    """Have the metric read whenever metrics are exported. Once a process: a second reader would not be asked."""

    def callback(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(value, attributes) for value, attributes in read()]

    meter = meter or metrics.get_meter("trellis")
    make = meter.create_observable_counter if metric.kind == "counter" else meter.create_observable_gauge
    make(metric.name, [callback], metric.unit, metric.meaning)
