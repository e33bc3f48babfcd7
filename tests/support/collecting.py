"""A collector of OpenTelemetry: keeps everything that it is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Span = tuple[str, str]  # service, name


class Collector:
    """Takes OTLP over HTTP: which spans belong to which trace, and the bytes of everything."""

    def __init__(self) -> None:
        self.traces: dict[str, set[Span]] = {}
        self.bodies: list[bytes] = []
        self.metrics = 0

    def spans(self) -> set[Span]:
        return {span for spans in list(self.traces.values()) for span in spans}

    def take(self, path: str, body: bytes) -> None:
        self.bodies.append(body)
        if path == "/v1/metrics":
            self.metrics += 1
        if path != "/v1/traces":
            return
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.traces.setdefault(span.trace_id.hex(), set()).add((service, span.name))


@contextmanager
def collecting() -> Iterator[tuple[Collector, str]]:
    """The collector and its address."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
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
