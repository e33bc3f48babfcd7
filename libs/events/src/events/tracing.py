"""Trace context across Kafka: the W3C `traceparent` travels in the envelope and in outbox documents."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("trellis.events")


def current_traceparent() -> str | None:
    """The `traceparent` of the current span; None outside a trace."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def span_after(name: str, traceparent: str | None, kind: SpanKind = SpanKind.INTERNAL) -> Iterator[Span]:
    """A span whose parent is the one that `traceparent` names; a new trace where there is none."""
    context = _propagator.extract({"traceparent": traceparent}) if traceparent else None
    with _tracer.start_as_current_span(name, context=context, kind=kind) as span:
        yield span
