"""OpenTelemetry and logging, the same in every process.

Without `OTEL_EXPORTER_OTLP_ENDPOINT` nothing is recorded. Logs are JSON lines on standard error with trace ids; they
hold no personal data: messages are constant texts, and what varies goes into `extra`, never an identifier of a person.
"""

import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from fastapi.telemetry import TelemetryConfig
from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from service_kit.settings import TelemetrySettings

_ADDRESS: Final = ("url.query", "url.path", "url.full", "http.target", "http.url")
_STANDARD: Final = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {
    "message",
    "asctime",
    "taskName",
}


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, trace id, and what `extra` held."""

    def __init__(self, service: str, role: str) -> None:
        super().__init__()
        self._fixed = {"service": service, "role": role}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            **self._fixed,
            "logger": record.name,
            "message": record.getMessage(),
        }
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace_id"] = f"{span.trace_id:032x}"
        line |= {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def start(service: str, role: str, settings: TelemetrySettings) -> None:
    """Set logging up, and tracing and metrics where there is a collector."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(service, role))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("aiokafka", "httpx2", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    if not settings.otel_exporter_otlp_endpoint:
        return
    resource = Resource.create({"service.name": service, "service.namespace": "trellis", "trellis.role": role})
    traces = TracerProvider(resource=resource)
    traces.add_span_processor(WithoutAddress())
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(traces)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=[reader]))


class WithoutAddress(SpanProcessor):
    """Takes path and query out of every span as it starts: xAPI's queries name agents, our paths learners. The route
    says which endpoint it was.
    """

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        for name in _ADDRESS:
            if span.attributes and name in span.attributes:
                span.set_attribute(name, "left out")


def of_requests() -> TelemetryConfig:
    """FastAPI's own spans and metrics: one span a request but for health; no logs, which would hold what was sent."""
    return {"operation_spans": False, "logs": False, "exclude": lambda scope: scope["path"].startswith("/health/")}
