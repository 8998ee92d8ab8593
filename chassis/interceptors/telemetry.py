"""Traces and measures the call. Thin on purpose: the contributed interceptor costs as much as the call itself."""

import time
from collections import Counter
from collections.abc import Iterable

import grpc
from opentelemetry import metrics, trace
from opentelemetry.trace import Span, SpanKind, StatusCode

from chassis import tracing
from chassis.call import Call
from chassis.interceptors.base import Interceptor

SERVER_FAULTS = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)


class Telemetry(Interceptor):
    """One span where the trace is sampled, one duration in the histogram `rpc.server.duration` always."""

    name = "telemetry"
    why = "outside of everything that can refuse, so that refused calls are counted too"

    def __init__(self) -> None:
        self._tracer = trace.get_tracer("holdfast.server")
        meter = metrics.get_meter("holdfast.server")
        self._duration = meter.create_histogram("rpc.server.duration", "s", "Time from the first byte to the status")
        # Observed when somebody asks: counting up and down through the API costs more than the rest of this step.
        meter.create_observable_up_down_counter("rpc.server.in_flight", [self._observe], "1", "Calls being served")
        self._attributes: dict[tuple[str, grpc.StatusCode], dict[str, str]] = {}
        self._open: Counter[str] = Counter()

    def _observe(self, _: metrics.CallbackOptions) -> Iterable[metrics.Observation]:
        return [metrics.Observation(count, {"rpc.method": method}) for method, count in self._open.items()]

    def on_start(self, call: Call) -> None:
        method = call.method.path
        self._open[method] += 1
        call.scratch["in_flight"] = True
        header = call.metadata.get("traceparent", "")
        parent = tracing.parse(header if isinstance(header, str) else "")
        if not tracing.sampled(parent):
            call.traceparent = tracing.unsampled(parent)
            return
        span = self._tracer.start_span(
            method.lstrip("/"),
            tracing.context_of(parent),
            SpanKind.SERVER,
            {"rpc.system": "grpc", "rpc.method": method, "holdfast.request_id": call.request_id},
        )
        call.traceparent = tracing.header_of(span)
        call.scratch[self.name] = span

    def on_end(self, call: Call, error: BaseException | None) -> None:
        method = call.method.path
        if call.scratch.pop("in_flight", False):
            self._open[method] -= 1
        key = (method, call.code)
        attributes = self._attributes.get(key)
        if attributes is None:
            attributes = self._attributes[key] = {"rpc.method": method, "rpc.grpc.status": call.code.name}
        self._duration.record(time.perf_counter() - call.started, attributes)
        span: Span | None = call.scratch.get(self.name)
        if span is not None:
            span.set_attribute("rpc.grpc.status", call.code.name)
            if call.code in SERVER_FAULTS:
                span.set_status(StatusCode.ERROR)
            span.end()
