"""A collector of traces for tests: takes OTLP over HTTP, and tells which service called which method of which."""

import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Seen:
    """A span, with the service that made it."""

    service: str
    span: Span


class Collector:
    """Keeps every span that arrives."""

    def __init__(self) -> None:
        self._seen: list[Seen] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path.endswith("/v1/traces"):
                    outer._take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """What `HOLDFAST_OTLP_ENDPOINT` is set to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def _take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            attributes = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                self._seen.extend(Seen(attributes["service.name"], span) for span in scope.spans)

    def spans(self) -> list[Seen]:
        """Everything so far."""
        return list(self._seen)

    def calls(self) -> set[tuple[str, str]]:
        """Who called what: the calling service, and the method as its server's span names it."""
        by_id = {s.span.span_id: s for s in self.spans()}
        found = set()
        for seen in self.spans():
            parent = by_id.get(seen.span.parent_span_id)
            if seen.span.kind == Span.SPAN_KIND_SERVER and parent is not None:
                found.add((parent.service, seen.span.name))
        return found

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """One collector for the session."""
    running = Collector()
    yield running
    running.close()
