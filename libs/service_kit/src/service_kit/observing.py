"""What a worker tells about itself: how far behind it is, what it waits for, what it could not handle."""

import time
from collections.abc import Sequence

from events.consumer import BatchConsumer
from opentelemetry.metrics import Meter

from service_kit import metrics
from service_kit.metrics import Reading
from service_kit.outbox import OutboxRelay


def observe(consumers: Sequence[BatchConsumer], relays: Sequence[OutboxRelay], meter: Meter | None = None) -> None:
    """Have the metrics of these consumers and relays read at each export; once a process."""

    def lag() -> list[Reading]:
        return [(sum(c.progress.lag.values()), {"group": c.group}) for c in consumers]

    def waiting() -> list[Reading]:
        now = time.monotonic()
        return [(now - (c.progress.waiting_since or now), {"group": c.group}) for c in consumers]

    def handled() -> list[Reading]:
        return [(c.progress.handled, {"group": c.group}) for c in consumers]

    def dead() -> list[Reading]:
        return [(c.progress.dead, {"group": c.group}) for c in consumers]

    def age() -> list[Reading]:
        return [(r.oldest_seconds(), {"outbox": r.name}) for r in relays]

    def published() -> list[Reading]:
        return [(r.published, {"outbox": r.name}) for r in relays]

    metrics.observe(metrics.CONSUMER_LAG, lag, meter)
    metrics.observe(metrics.CONSUMER_WAITING, waiting, meter)
    metrics.observe(metrics.CONSUMER_HANDLED, handled, meter)
    metrics.observe(metrics.DEAD_LETTERS, dead, meter)
    metrics.observe(metrics.OUTBOX_AGE, age, meter)
    metrics.observe(metrics.OUTBOX_PUBLISHED, published, meter)
