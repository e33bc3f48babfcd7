"""One trace leads from the POST through Kafka to the profile that changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

from devstack.latency import account, answered
from devstack.stack import Stack
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.driving import House, eventually

Span = tuple[str, str]  # service, name


class Collector:
    """Takes OTLP over HTTP and keeps which spans belong to which trace."""

    def __init__(self) -> None:
        self.traces: dict[str, set[Span]] = {}
        self.bodies: list[bytes] = []

    def spans(self) -> set[Span]:
        return {span for spans in list(self.traces.values()) for span in spans}

    def take(self, body: bytes) -> None:
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.traces.setdefault(span.trace_id.hex(), set()).add((service, span.name))


@contextmanager
def collecting() -> Iterator[tuple[Collector, str]]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                collector.take(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_one_trace_from_the_post_to_the_profile(tmp_path: Path) -> None:
    with collecting() as (collector, url):
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        with Stack(tmp_path, environment=environment) as stack, House.of(stack) as house:
            trace_id, actor = uuid4().hex, account("canary-of-a-name")
            statement = answered(actor, "https://trellis.invalid/a", scaled=1.0, seconds=3)
            ingest = house.description["ingest"]
            house.http.post(
                f"{house.xapi}/statements",
                json=statement,
                headers={"X-Experience-API-Version": "1.0.3", "traceparent": f"00-{trace_id}-{'1' * 16}-01"},
                auth=(ingest["key"], ingest["secret"]),
            ).raise_for_status()
            eventually(
                lambda: (
                    {service for service, _ in collector.traces.get(trace_id, set())}
                    >= {"ingest", "learner_profile", "recommendation"}
                ),
                seconds=60,
                what=f"the trace; seen: {collector.spans()}",
            )
    names = {name for service, name in collector.traces[trace_id] if service == "ingest"}
    assert any(name.startswith("POST") for name in names)
    assert not any(b"canary-of-a-name" in body for body in collector.bodies)
    assert not any("health" in name for _, name in collector.spans())
