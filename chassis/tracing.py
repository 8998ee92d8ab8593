"""The W3C trace context, by hand: parsed, decided on and passed on without a span where the trace is not kept."""

import os
import random
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags

HEADER = "traceparent"


@dataclass(slots=True)
class _Sampling:
    # 0 until a collector is set: spans nobody receives are not worth making.
    ratio: float = 0.0


_SAMPLING = _Sampling()


def keep(ratio: float) -> None:
    """Keeps this share, 0 to 1, of the traces that begin here."""
    _SAMPLING.ratio = ratio


def parse(header: str) -> SpanContext | None:
    """The remote span that a `traceparent` header names; None if it names none."""
    parts = header.split("-")
    if len(parts) != 4 or len(parts[1]) != 32 or len(parts[2]) != 16:
        return None
    try:
        trace_id, span_id, flags = int(parts[1], 16), int(parts[2], 16), int(parts[3], 16)
    except ValueError:
        return None
    if not (trace_id and span_id):
        return None
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))


def sampled(parent: SpanContext | None) -> bool:
    """Whether to make a span: the parent's decision where there is one, else by chance; never without a collector."""
    if not _SAMPLING.ratio:
        return False
    return parent.trace_flags.sampled if parent is not None else random.random() < _SAMPLING.ratio


def context_of(parent: SpanContext | None) -> Context:
    """The OpenTelemetry context whose current span is `parent`."""
    return trace.set_span_in_context(NonRecordingSpan(parent), Context()) if parent is not None else Context()


def header_of(span: Span) -> str:
    """The `traceparent` header that names `span`."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def unsampled(parent: SpanContext | None) -> str:
    """A `traceparent` header for work no span is made for: the parent's, or a fresh trace that is not kept."""
    if parent is not None:
        return f"00-{parent.trace_id:032x}-{parent.span_id:016x}-{int(parent.trace_flags):02x}"
    noise = os.urandom(24).hex()
    return f"00-{noise[:32]}-{noise[32:]}-00"
