"""Trace context across Kafka: the W3C `traceparent` travels in the envelope and in outbox documents."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("trellis.events")


def current_traceparent() -> str | None:
    """The `traceparent` of the current span; None outside a trace."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def span_after(name: str, traceparent: str | None, kind: SpanKind = SpanKind.INTERNAL) -> Iterator[str | None]:
    """A span whose parent is the one that `traceparent` names, a new trace where there is none; the `traceparent` to
    hand on. Where nothing is recorded that is the one given: to carry a context about costs what reading evidence does.
    """
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        yield traceparent
        return
    context = _propagator.extract({"traceparent": traceparent}) if traceparent else None
    with _tracer.start_as_current_span(name, context=context, kind=kind):
        yield current_traceparent()
