"""What a worker tells about itself, as an exporter reads it."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from events.consumer import Progress
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from service_kit import metrics
from service_kit.observing import observe
from service_kit.outbox import _flagged_at, flag


def readings(consumers: list[Any], relays: list[Any]) -> dict[tuple[str, str], float]:
    """By metric and group or outbox."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    observe(consumers, relays, provider.get_meter("test"))
    data = reader.get_metrics_data()
    provider.shutdown()
    assert data is not None
    found: dict[tuple[str, str], float] = {}
    for metric in data.resource_metrics[0].scope_metrics[0].metrics:
        for point in metric.data.data_points:
            assert isinstance(point, NumberDataPoint)
            found[metric.name, str(next(iter((point.attributes or {}).values())))] = float(point.value)
    return found


def consumer(group: str, progress: Progress) -> Any:
    return SimpleNamespace(group=group, progress=progress)


def relay(name: str, age: float, published: int) -> Any:
    return SimpleNamespace(name=name, published=published, oldest_seconds=lambda: age)


def test_each_group_and_each_outbox_has_its_own_reading() -> None:
    behind = Progress(lag={("t", 0): 3, ("t", 1): 4}, handled=10, dead=2, waiting_since=time.monotonic() - 30)
    found = readings([consumer("s.one", behind), consumer("s.two", Progress())], [relay("states", 1.5, 7)])
    assert found[metrics.CONSUMER_LAG.name, "s.one"] == 7
    assert found[metrics.CONSUMER_LAG.name, "s.two"] == 0
    assert found[metrics.CONSUMER_HANDLED.name, "s.one"] == 10
    assert found[metrics.DEAD_LETTERS.name, "s.one"] == 2
    assert 30 <= found[metrics.CONSUMER_WAITING.name, "s.one"] < 60
    assert found[metrics.CONSUMER_WAITING.name, "s.two"] == 0
    assert found[metrics.OUTBOX_AGE.name, "states"] == 1.5
    assert found[metrics.OUTBOX_PUBLISHED.name, "states"] == 7


def test_a_flag_tells_when_it_was_set() -> None:
    assert abs(_flagged_at({"outbox": flag("learner")}) - time.time()) < 5


def test_names_are_unique_and_every_metric_is_listed() -> None:
    born = [value for value in vars(metrics).values() if isinstance(value, metrics.Metric)]
    assert sorted(m.name for m in born) == sorted(m.name for m in metrics.ALL)
    assert len({m.name for m in born}) == len(born)
